"""Figures over epochs and over time: loss, accuracy, accuracy against the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from comparisons.core.records import Record
from comparisons.findings import intervals, text, titles, verdict
from comparisons.findings.groups import Group
from comparisons.findings.view import View, view
from comparisons.report.figures.arm_styles import Style, styles
from comparisons.report.figures.style import (
    INK,
    MANY,
    PALE,
    End,
    key_height,
    name_lines,
    percent_axis,
    seeds_note,
    sheet,
    styled,
    where,
)

FOOT = 0.25  # of the curves' height, the most that bars at the foot may take

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
        """Whether so many arms meet that a line of each seed would hide their means."""
        return len(self.groups) > MANY


Panel = Callable[[Axes, Scene], list[End]]


@styled
def loss(records: Sequence[Record], narrow: bool = False) -> Figure:
    """Loss after each epoch: training dashed, validation solid."""
    return _panels(records, narrow, titles.loss(records), _epochs_note, _loss)


@styled
def accuracy(records: Sequence[Record], narrow: bool = False) -> Figure:
    """Accuracy after each epoch: training dashed, validation solid."""
    return _panels(records, narrow, titles.accuracy(records), _epochs_note, _accuracy)


@styled
def time(records: Sequence[Record], narrow: bool = False) -> Figure:
    """Validation accuracy against seconds since the run's start, preparation charged."""
    return _panels(records, narrow, titles.time(records), _time_note, _time)


@styled
def loss_by_size(records: Sequence[Record], narrow: bool = False) -> Figure:
    """Loss curves, a panel for each training-set size."""
    return _panels(records, narrow, titles.loss_by_size(records), _epochs_note, _loss, True)


@styled
def accuracy_by_size(records: Sequence[Record], narrow: bool = False) -> Figure:
    """Accuracy curves, a panel for each training-set size."""
    return _panels(records, narrow, titles.accuracy_by_size(records), _epochs_note, _accuracy, True)


@styled
def time_by_size(records: Sequence[Record], narrow: bool = False) -> Figure:
    """Accuracy against time, a panel for each training-set size."""
    return _panels(records, narrow, titles.time_by_size(records), _time_note, _time, True)


def _epochs_note(seen: View, size: int | None) -> str:
    groups = seen.groups if size is None else seen.at(size)
    return f"{where(seen, size)}. Solid: validation, dashed: training; {seeds_note(groups)}."


def _time_note(seen: View, size: int | None) -> str:
    groups = seen.groups if size is None else seen.at(size)
    cached = any(r.seconds.extract_cold for g in groups for r in g.ok)
    dotted = " Dotted: the same with features found ready." if cached else ""
    return (
        f"{where(seen, size)}. Bars at the foot: preparing, nothing learnt yet. "
        f"{seeds_note(groups).capitalize()}.{dotted}"
    )


def _panels(
    records: Sequence[Record],
    narrow: bool,
    title: str,
    note: Callable[[View, int | None], str],
    panel: Panel,
    every_size: bool = False,
) -> Figure:
    """One panel of the main size, or one for each size under the main size's finding."""
    seen = view(records)
    sizes = (every_size and seen.sizes) or [seen.size]
    columns = 1 if narrow else min(len(sizes), 2)
    rows = -(-len(sizes) // columns)
    many = len(seen.labels)
    # Names at the lines' ends take two lines each; bars at the foot must stay apart.
    least = max(2.9, 0.3 * many) if narrow else 3.4 if every_size else max(4.6, 0.45 * many)
    height = rows * least
    height += key_height(seen.labels, narrow) if narrow or len(sizes) > 1 else 0.0
    about = note(seen, None if every_size else seen.size)
    fig, axes = sheet(title, about, narrow, height, (rows, columns))
    chosen = styles(seen.labels)
    ends = []
    for ax, size in zip(axes, sizes, strict=False):
        if every_size:
            ax.set_title(f"{text.count(size)} images", color=PALE)
        ends.append(panel(ax, Scene(seen, size, sizes, chosen)))
    for ax in axes[len(sizes) :]:
        ax.set_axis_off()
    name_lines(fig, axes[: len(sizes)], ends, narrow)
    return fig


def _loss(ax: Axes, scene: Scene) -> list[End]:
    ends = _epochs(ax, scene, "loss", lambda v: text.decimal(v, 2))
    ax.set_ylabel("loss (lower is better)")
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
    for g in scene.groups:
        style = scene.styles[g.label]
        for field, dash in ((f"train_{what}", "--"), (f"val_{what}", "-")):
            for r in g.records:
                line = _points(range(1, len(r.history) + 1), [getattr(e, field) for e in r.history])
                _thin(ax, line, style, dash, hidden=_merged(scene, g, r))
                if line and r.status != "ok" and dash == "-":
                    broken.append((r.status if g.ok else "", line[-1], style))
            mean = intervals.curve(g.ok, field)
            line = _points(range(1, len(mean) + 1), mean)
            _thick(ax, line, style, dash, scene.crowded)
        if line:
            ends.append(End(*line[-1], scene.seen.name(g.label), say(line[-1][1]), style))
        elif broken and not g.ok:
            ends.append(End(*broken[-1][1], scene.seen.name(g.label), verdict.notes(g), style))
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    _limit(ax, scene, f"train_{what}", f"val_{what}")
    _crosses(ax, broken)
    _blank(ax)
    return ends


def _time(ax: Axes, scene: Scene) -> list[End]:
    ends, clocks, finishes = [], [], []
    broken: list[Broken] = []
    groups = [g for g in scene.groups if g.ok]
    for g in groups:
        style = scene.styles[g.label]
        mean = intervals.curve(g.ok, "val_accuracy")
        for r in g.records:
            line = _points(intervals.clock(r), [e.val_accuracy for e in r.history])
            _thin(ax, line, style, "-", hidden=_merged(scene, g, r))
            if line and r.status != "ok":
                broken.append((r.status, line[-1], style))
        if any(r.seconds.extract_cold for r in g.ok):
            line = _points(intervals.mean_clock(g.ok, cold=False), mean)
            ax.plot(*_xy(line), color=style.colour, ls=":", lw=1.6)
            clocks += [x for x, _ in line]
            finishes += [x for x, _ in line[-1:]]
        line = _points(intervals.mean_clock(g.ok), mean)
        _thick(ax, line, style, "-", scene.crowded)
        clocks += [x for x, _ in line]
        finishes += [x for x, _ in line[-1:]]
        if line:
            ends.append(End(*line[-1], scene.seen.name(g.label), text.percent(line[-1][1]), style))
    _seconds_axis(ax, clocks, finishes)
    _limit(ax, scene, "val_accuracy")
    _preparing(ax, groups, scene.styles)
    _crosses(ax, broken)
    if len(groups) > 1:
        _mark_race(ax, scene)
    ax.set_ylabel("validation accuracy")
    percent_axis(ax.yaxis)
    _blank(ax)
    return ends


def _preparing(ax: Axes, groups: Sequence[Group], chosen: dict[str, Style]) -> None:
    """A bar for each arm at the foot: from the start to its first training step."""
    low, high = ax.get_ylim()
    step = min(0.035, FOOT / (len(groups) + 1)) * (high - low)
    ax.set_ylim(low - step * (len(groups) + 1), high)
    left = ax.get_xlim()[0]
    thick = 2.5 if len(groups) > MANY else 3.5
    for i, g in enumerate(groups):
        begin = intervals.mean_of(intervals.start(r) for r in g.ok) or 0.0
        style = chosen[g.label]
        y = low - step * (i + 1)
        ax.plot(
            [left, max(left, begin)], [y, y], color=style.colour, lw=thick, solid_capstyle="butt"
        )
        ax.plot([max(left, begin)], [y], color=style.colour, marker=style.marker, ms=thick + 1.5)


def _mark_race(ax: Axes, scene: Scene) -> None:
    """The level that the title speaks of, and where the two arms reach it."""
    found = titles.race(scene.seen, scene.size)
    if found is None:
        return
    ax.axhline(found.level, color=PALE, lw=1, ls=(0, (1, 2)))
    for seconds in found.seconds:
        ax.plot([seconds], [found.level], marker="|", ms=16, mew=2, color=INK, zorder=5)


def _seconds_axis(ax: Axes, clocks: Sequence[float], finishes: Sequence[float]) -> None:
    """Seconds, on a logarithmic axis where one curve ends ten times later than another."""
    known = [c for c in clocks if c > 0]
    if known and max(finishes) > 10 * min(finishes):
        ax.set_xscale("log")
        ax.set_xlim(min(known) / 1.6, max(known) * 1.1)
        ticks = [m * 10**e for e in range(-3, 7) for m in (1, 2, 5)]
        ax.set_xticks([t for t in ticks if min(known) / 1.6 <= t <= max(known) * 1.1])
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel("seconds from the start (log scale)")
    else:
        ax.set_xlim(0, max(known, default=1) * 1.05)
        ax.set_xlabel("seconds from the start")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def _merged(scene: Scene, g: Group, run: Record) -> bool:
    """Whether a run shows in its arm's mean only: where it is alone there, or arms are many."""
    return run.status == "ok" and (len(g.ok) == 1 or scene.crowded)


def _thin(ax: Axes, line: Points, style: Style, dash: str, hidden: bool) -> None:
    """One run, where its arm's mean does not show it well enough."""
    if line and not hidden:
        ax.plot(*_xy(line), color=style.colour, ls=dash, lw=0.9, alpha=0.45)


def _crosses(ax: Axes, broken: Sequence[Broken]) -> None:
    """A cross where a run broke off, and how it ended; at the edge, where that lies outside.

    The label of an arm without a run that ended well says it already.
    """
    low, high = ax.get_ylim()
    for status, (x, y), style in broken:
        y = min(max(y, low), high)
        ax.plot([x], [y], marker="x", color=style.ink, ms=9, mew=2, clip_on=False, zorder=6)
        ax.annotate(
            status, (x, y), (9, 9 if y == low else 0), textcoords="offset points", va="center",
            color=style.ink, size=9.5, annotation_clip=False,
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


def _limit(ax: Axes, scene: Scene, *fields: str) -> None:
    """Room for the means of every panel; a run that ran away must not flatten the others."""
    groups = [g for size in scene.sizes for g in scene.seen.at(size)]
    values = [v for g in groups for f in fields for v in intervals.curve(g.ok, f) if v is not None]
    if values:
        margin = 0.06 * (max(values) - min(values)) or 0.05
        ax.set_ylim(min(values) - margin, max(values) + margin)


def _blank(ax: Axes) -> None:
    """Say so where there is nothing to draw."""
    if not ax.lines:
        ax.text(0.5, 0.5, "no curve", transform=ax.transAxes, ha="center", color=PALE)
