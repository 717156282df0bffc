"""Figures over epochs and over time: loss, accuracy, accuracy against the clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from comparisons.core.records import Record
from comparisons.findings import intervals, race, text, titles, verdict, ways
from comparisons.findings.groups import AT_CHANCE, Group, ending
from comparisons.findings.view import View, some_of, view
from comparisons.report.figures import foot
from comparisons.report.figures.arm_styles import Style, styles
from comparisons.report.figures.paper import INK, PALE, WIDE, Paper, Sheet, sheet, styled
from comparisons.report.figures.style import (
    MANY,
    End,
    key_height,
    means_alone,
    name_lines,
    percent_axis,
    seeds_note,
    where,
)

MOST_PANELS = 4
APART = 20  # times later than another a curve must end for a logarithmic axis
FURTHEST = 1e9  # and what lies further apart than this is no measurement
ROOM = 3.0  # times before the first arm is prepared where such an axis begins
FADED = "#cccccc"  # of lines that are there for comparison only

SHORT = {AT_CHANCE: "at chance"}  # beside the last point of a run

Points = list[tuple[float, float]]
Broken = tuple[str, tuple[float, float], Style]  # how a run ended, where, and its arm's style


@dataclass(frozen=True)
class Scene:
    """What one panel shows: one size, on axes that fit all sizes that are shown."""

    seen: View
    size: int
    sizes: Sequence[int]
    styles: dict[str, Style]

    @property
    def groups(self) -> list[Group]:
        """The arms of this panel."""
        return self.seen.at(self.size)

    @property
    def crowded(self) -> bool:
        """Whether so many arms meet that their lines must be thin."""
        return len(self.groups) > MANY

    @property
    def named(self) -> set[str]:
        """Of many arms the few that are worth a name where accuracy meets time; of few all."""
        return self._few(set())

    @property
    def told(self) -> set[str]:
        """The same over epochs: with the two that validate best, and those that never end well."""
        best = {peak.label for peak in titles.peaks(self.seen, self.size)[:2]}
        return self._few(best) | {g.label for g in self.groups if not g.ok}

    def _few(self, first: set[str]) -> set[str]:
        """All arms, or of many the first, the two rivals, and some that none beats.

        In both accuracy and time.
        """
        if not self.crowded:
            return {g.label for g in self.groups}
        rivals = race.rivals(self.seen.best_first(self.size)) or ()
        chosen = first.union(g.label for g in rivals)
        best = [g.label for g in ways.unbeaten(self.seen, self.size) if g.label not in chosen]
        return chosen.union(some_of(best, MANY - len(chosen)))


Panel = Callable[[Axes, Scene], list[End]]


@styled
def loss(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Loss after each epoch: training dashed, validation solid."""
    return _panels(records, paper, titles.loss(records), _epochs_note, _loss)


@styled
def accuracy(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Accuracy after each epoch: training dashed, validation solid."""
    return _panels(records, paper, titles.accuracy(records), _epochs_note, _accuracy)


@styled
def time(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Validation accuracy against seconds of learning, preparation charged."""
    return _panels(records, paper, titles.time(records), _time_note, _time)


@styled
def loss_by_size(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Loss curves, a panel for each training-set size."""
    return _panels(records, paper, titles.loss_by_size(records), _epochs_note, _loss, True)


@styled
def accuracy_by_size(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Accuracy curves, a panel for each training-set size."""
    return _panels(records, paper, titles.accuracy_by_size(records), _epochs_note, _accuracy, True)


@styled
def time_by_size(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Accuracy against time, a panel for each training-set size."""
    return _panels(records, paper, titles.time_by_size(records), _time_note, _time, True)


CHOSEN = "and some that none beats in both accuracy and time; grey: the others"


def _epochs_note(seen: View, size: int | None) -> str:
    groups = _together(seen, size)
    few = (
        " Named: the two that validate best, those of the headline, those that never end well, "
        f"{CHOSEN}, validation alone."
    )
    return (
        f"{where(seen, size)}. Solid: validation, dashed: training; {seeds_note(groups)}."
        f"{few if len(groups) > MANY else ''}"
    )


def _time_note(seen: View, size: int | None) -> str:
    groups = _together(seen, size)
    cached = any(r.seconds.extract_train_cold for g in groups for r in g.ok)
    dotted = " Dotted: the same with features found ready." if cached else ""
    how = "Bars at the foot: preparing, nothing learnt yet."
    if len(groups) > MANY:
        how = f"Named: the two that the title compares, {CHOSEN}."
    return f"{where(seen, size)}. {how} {seeds_note(groups).capitalize()}.{dotted}"


def _together(seen: View, size: int | None) -> list[Group]:
    """The arms that meet in one panel: of several, in the fullest."""
    sizes = seen.sizes if size is None else [size]
    return max(map(seen.at, sizes), key=len, default=[])


def _panels(
    records: Sequence[Record],
    paper: Paper,
    title: str,
    note: Callable[[View, int | None], str],
    panel: Panel,
    every_size: bool = False,
) -> Sheet:
    """One panel of the main size, or one for each size under the main size's finding."""
    seen = view(records)
    sizes = (every_size and some_of(seen.sizes, MOST_PANELS)) or [seen.size]
    scenes = [Scene(seen, size, sizes, styles(seen.labels)) for size in sizes]
    columns = 1 if paper.narrow else min(len(sizes), 2)
    rows = -(-len(sizes) // columns)
    few = (scene.named if panel is _time else scene.told for scene in scenes)
    named = set[str]().union(*few)
    many = len(named)
    # Names at the lines' ends take two lines each; bars at the foot must stay apart.
    least = max(2.9, 0.3 * many) if paper.narrow else 3.4 if every_size else max(4.6, 0.45 * many)
    height = rows * least
    if paper.narrow or len(sizes) > 1:
        height += key_height([seen.name(label) for label in named], paper)
    about = note(seen, None if every_size else seen.size)
    if len(sizes) < len(seen.sizes) and every_size:
        about += f" {len(sizes)} of {len(seen.sizes)} sizes."
    fig, axes = sheet(title, about, paper, height, (rows, columns))
    ends = []
    for ax, scene in zip(axes, scenes, strict=False):
        if every_size:
            ax.set_title(f"{text.count(scene.size)} images", color=PALE)
        ends.append(panel(ax, scene))
    for ax in axes[len(sizes) :]:
        ax.set_axis_off()
    name_lines(fig, axes[: len(sizes)], ends, paper)
    return fig


def _loss(ax: Axes, scene: Scene) -> list[End]:
    ends = _epochs(ax, scene, "loss", lambda v: text.decimal(v, 2))
    ax.set_ylabel("loss (lower is better)")
    # Without steps of 2.5, whose further digit has no room beside the axis.
    ax.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))
    return ends


def _accuracy(ax: Axes, scene: Scene) -> list[End]:
    ends = _epochs(ax, scene, "accuracy", text.percent)
    ax.set_ylabel("accuracy")
    percent_axis(ax.yaxis)
    return ends


def _epochs(ax: Axes, scene: Scene, what: str, say: Callable[[float], str]) -> list[End]:
    """Both curves of every arm over its epochs; returns where the validation lines end."""
    ends = []
    broken: list[Broken] = []
    told = scene.told
    for g in sorted(scene.groups, key=lambda g: g.label in told):
        style = scene.styles[g.label]
        fields = [(f"train_{what}", "--"), (f"val_{what}", "-")]
        if g.label not in told:
            style, fields = Style(FADED, "", style.glyph), fields[1:]
        for field, dash in fields:
            thin: list[Points] = []
            for r in g.records:
                line = _points(range(1, len(r.history) + 1), [getattr(e, field) for e in r.history])
                thin += [line] * (not _merged(scene, g, r))
                if line and r.status != "ok" and dash == "-":
                    broken.append((ending(r) if g.ok else "", line[-1], style))
            _thin(ax, thin, style, dash)
            mean = intervals.curve(g.ok, field)
            line = _points(range(1, len(mean) + 1), mean)
            _thick(ax, line, style, dash, scene.crowded)
        if g.label not in told:
            continue
        if line:
            ends.append(End(*line[-1], scene.seen.name(g.label), say(line[-1][1]), style))
        elif broken and not g.ok:
            ends.append(End(*broken[-1][1], scene.seen.name(g.label), verdict.notes(g), style))
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    _limit(ax, scene, f"val_{what}", f"train_{what}")
    _crosses(ax, broken)
    _blank(ax)
    return ends


def _time(ax: Axes, scene: Scene) -> list[End]:
    ends, clocks, finishes = [], [], []
    broken: list[Broken] = []
    named = scene.named
    groups = sorted((g for g in scene.groups if g.ok), key=lambda g: g.label in named)
    for g in groups:
        style = scene.styles[g.label]
        if g.label not in named:
            style = Style(FADED, "", style.glyph)
        mean = intervals.curve(g.ok, "val_accuracy")
        thin: list[Points] = []
        for r in g.records:
            line = _points(intervals.clock(r), [e.val_accuracy for e in r.history])
            thin += [line] * (not _merged(scene, g, r))
            if line and r.status != "ok":
                broken.append((ending(r), line[-1], style))
        _thin(ax, thin, style, "-")
        if g.label in named and any(r.seconds.extract_train_cold for r in g.ok):
            line = _points(intervals.mean_clock(g.ok, cold=False), mean)
            ax.plot(*_xy(line), color=style.colour, ls=":", lw=1.6)
            clocks += [x for x, _ in line]
        line = _points(intervals.mean_clock(g.ok), mean)
        _thick(ax, line, style, "-", scene.crowded)
        clocks += [x for x, _ in line]
        finishes += [x for x, _ in line[-1:]]
        if line and g.label in named:
            ends.append(End(*line[-1], scene.seen.name(g.label), text.percent(line[-1][1]), style))
    _seconds_axis(ax, clocks, finishes, [] if scene.crowded else groups)
    _limit(ax, scene, "val_accuracy")
    floor = 0.0 if scene.crowded else foot.preparing(ax, groups, scene.styles)
    _crosses(ax, broken)
    if len(groups) > 1:
        _mark_race(ax, scene)
    ax.set_ylabel("validation accuracy")
    percent_axis(ax.yaxis, floor)
    _blank(ax)
    return ends


def _mark_race(ax: Axes, scene: Scene) -> None:
    """The level that the title speaks of, and where the two arms reach it."""
    found = race.race(scene.seen, scene.size)
    if found is None:
        return
    ax.axhline(found.level, color=PALE, lw=1, ls=(0, (1, 2)))
    for seconds in found.seconds:
        ax.plot([seconds], [found.level], marker="|", ms=16, mew=2, color=INK, zorder=5)


def _seconds_axis(
    ax: Axes, clocks: Sequence[float], finishes: Sequence[float], prepared: Sequence[Group]
) -> None:
    """Seconds, on a logarithmic axis where one curve ends APART times later than another.

    There the axis begins well before the first of the arms is prepared that have a bar for that, so
    that it can be seen.
    """
    known = [c for c in clocks if c > 0]
    starts = [s / ROOM for g in prepared if (s := foot.prepared(g)) > 0]
    if known and min(finishes) > 0 and APART < max(finishes) / min(finishes) < FURTHEST:
        low, high = min([*starts, min(known) / 1.1]), max(known) * 1.1
        ax.set_xscale("log")
        ax.set_xlim(low, high)
        subs = (1.0, 2.0, 5.0) if high < 1000 * low else (1.0,)
        ax.xaxis.set_major_locator(LogLocator(subs=subs))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel("seconds of learning (log scale)")
    else:
        ax.set_xlim(0, max(known, default=1) * 1.05)
        ax.set_xlabel("seconds of learning")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def _merged(scene: Scene, g: Group, run: Record) -> bool:
    """Whether a run shows in its arm's mean only: where it is alone there, or many lines meet."""
    return run.status == "ok" and (len(g.ok) == 1 or means_alone(scene.groups))


def _thin(ax: Axes, lines: Sequence[Points], style: Style, dash: str) -> None:
    """The runs that their mean does not show well enough, as one line with gaps: that is quick."""
    gap = [(math.nan, math.nan)]
    joined = [point for line in lines if line for point in (*line, *gap)]
    if joined:
        ax.plot(*_xy(joined), color=style.colour, ls=dash, lw=0.9, alpha=0.45)


def _crosses(ax: Axes, broken: Sequence[Broken]) -> None:
    """A cross where a run broke off, and how it ended; at the edge, where that lies outside.

    The label of an arm without a run that ended well says it already.
    """
    low, high = ax.get_ylim()
    for status, (x, y), style in broken:
        y = min(max(y, low), high)
        ax.plot([x], [y], marker="x", color=style.ink, ms=9, mew=2, clip_on=False, zorder=6)
        ax.annotate(
            SHORT.get(status, status), (x, y), (9, 9 if y == low else 0),
            textcoords="offset points", va="center", color=style.ink, size=9.5,
            annotation_clip=False,
        )  # fmt: skip


def _thick(ax: Axes, line: Points, style: Style, dash: str, crowded: bool) -> None:
    solid = dash == "-"
    width = 2.6 if solid else 1.8
    ax.plot(
        *_xy(line),
        color=style.colour,
        ls=dash,
        lw=0.6 * width if crowded else width,
        marker=style.marker if solid else "",
        ms=6.5,
        mec="white",
        mew=0.5 if crowded else 0.8,
        markevery=max(1, len(line) // 12),
    )


def _points(xs: Sequence[float], ys: Sequence[float | None]) -> Points:
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=False) if y is not None]


def _xy(line: Points) -> tuple[list[float], list[float]]:
    return [x for x, _ in line], [y for _, y in line]


def _limit(ax: Axes, scene: Scene, field: str, of_told: str = "") -> None:
    """Room for what is drawn in every panel; a run that ran away must not flatten the others.

    Of every arm a field, and of those that are told another.
    """
    curves: list[list[float | None]] = []
    for size in scene.sizes:
        panel = replace(scene, size=size)
        told = panel.told if of_told else set[str]()
        for g in panel.groups:
            # What is at chance runs away nowhere.
            drawn = [g.ok, *([r] for r in g.records if ending(r) == AT_CHANCE)]
            drawn += [] if means_alone(panel.groups) else [[r] for r in g.ok]
            fields = (field, of_told) if g.label in told else (field,)
            curves += [intervals.curve(runs, f) for runs in drawn for f in fields]
    values = [v for curve in curves for v in curve if v is not None]
    if values:
        margin = 0.06 * (max(values) - min(values)) or 0.05
        # Neither a loss nor an accuracy is less than nothing.
        ax.set_ylim(max(min(values) - margin, 0.0), max(values) + margin)


def _blank(ax: Axes) -> None:
    """Say so where there is nothing to draw."""
    if not ax.lines:
        ax.text(0.5, 0.5, "no curve", transform=ax.transAxes, ha="center", color=PALE)
