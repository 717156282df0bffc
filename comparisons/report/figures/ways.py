"""Figures of what ways of training cost and change: parameters, time, forgetting, moved blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, Formatter, FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from comparisons.core.records import Record
from comparisons.findings import intervals, names, text, ways
from comparisons.findings.groups import Group
from comparisons.findings.view import View, accuracy, view
from comparisons.report.figures.arm_styles import Style, styles
from comparisons.report.figures.paper import (
    INK,
    PALE,
    WIDE,
    Paper,
    Sheet,
    freeze,
    sheet,
    styled,
)
from comparisons.report.figures.style import (
    LEAST_SPAN,
    MANY,
    End,
    in_lines,
    name_lines,
    one_plot,
    percent_axis,
    where,
)

MAP = "Blues"  # one hue, evenly darker: the same to every eye, and in grey
SHADES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the map, that its key has
CELL = 21  # points of width that a number in a cell needs
LETTERS = 14  # of a block's name
ROW, ROW_NARROW = 30, 18  # letters of a line of an arm's name
REACHES = (9, 20, 34, 50, 70, 95)  # points from a marker to its name, the nearest first
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))


@dataclass(frozen=True)
class Cloud:
    """An arm in a plane: a point for each seed, and what the key says of it."""

    label: str
    style: Style
    points: Sequence[tuple[float, float]]
    value: str

    @property
    def end(self) -> End:
        """The mean of the points, which bears the name."""
        n = len(self.points)
        x, y = (sum(axis) / n for axis in zip(*self.points, strict=True))
        return End(x, y, self.label, self.value, self.style)


@styled
def parameters(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Test accuracy against how many parameters train."""
    axis = ("trainable parameters (log scale)", EngFormatter(sep=text.SPACE))
    return _priced(records, paper, ways.parameters(records), ways.PARAMETERS, *axis)


@styled
def cost(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Test accuracy against seconds of learning, source phase and features charged."""
    axis = ("seconds of learning, cold (log scale)", FuncFormatter(lambda v, _: f"{v:,g}"))
    return _priced(records, paper, ways.seconds(records), ways.SECONDS, *axis)


@styled
def forgetting(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """What was forgotten on the source task against what was won on the target, a point a seed."""
    seen = view(records)
    found, relative = ways.trades(seen)
    groups = [t.group for t in found]
    gain = "test accuracy minus that of frozen, seed by seed" if relative else "test accuracy"
    sources = text.unique(r.forgetting.source for g in groups for r in g.ok if r.forgetting)
    note = (
        f"{where(seen, seen.size)}. Across: accuracy that a probe on the base lost on "
        f"{text.listing(sources) or 'the source'}; up: {gain}. {_seeds_note(groups)}"
    )
    fig, ax = _plane(ways.forgetting(records), note, seen, paper)
    chosen = styles(seen.labels)
    say = text.points if relative else text.percent
    clouds = [
        Cloud(seen.name(t.group.label), chosen[t.group.label], t.points, say(t.won)) for t in found
    ]
    _draw(ax, clouds)
    ax.axvline(0, color=PALE, lw=1, ls=(0, (4, 3)), zorder=1)
    ax.set_xlabel("points forgotten on the source task")
    ax.set_xlim(_roomy(ax.get_xlim()))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: text.points(v, sign=False)))
    ax.set_ylim(_roomy(ax.get_ylim()))
    if relative:
        ax.axhline(0, color=PALE, lw=1, ls=(0, (4, 3)), zorder=1)
        ax.set_ylabel("points gained over frozen")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: text.points(v)))
    else:
        ax.set_ylabel("test accuracy")
        percent_axis(ax.yaxis)
    _name(fig, ax, clouds, paper)
    return fig


@styled
def moved(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """How far each block of a base moved, a row for each arm and a panel for each base."""
    seen = view(records)
    panels = ways.moves(seen)
    note = (
        f"{where(seen, seen.size)}. Columns: blocks in order from the input. Change of a block's "
        "weights relative to their size before, per cent, mean over seeds; white: none."
    )
    rows = [len(arms) for arms in panels.values()] or [1]
    height = 0.35 + sum(1.5 + (0.42 if paper.narrow else 0.34) * n for n in rows)
    fig, axes = sheet(ways.moved(records), note, paper, height, (len(rows), 1), height_ratios=rows)
    furthest = max((m for arms in panels.values() for _, ms in arms for m in ms), default=0.0)
    shade = PowerNorm(0.5, 0.0, furthest or 1.0)  # small changes matter too
    chosen = styles(seen.labels)
    for ax, (blocks, arms) in zip(axes, panels.items(), strict=False):
        _map(ax, blocks, arms, chosen, shade, paper)
    if not panels:
        axes[0].text(0.5, 0.5, "no block", ha="center", color=PALE)
        return fig
    steps = [float(shade.inverse(share)) for share in SHADES]
    digits = 0 if steps[1] >= 0.0095 else 1
    handles = [
        Patch(fc=colormaps[MAP](shade(v)), ec=PALE, lw=0.5, label=text.percent(v, digits))
        for v in steps
    ]
    axes[0].figure.legend(
        handles=handles, loc="lower left", frameon=False, ncols=len(SHADES), handlelength=1.4,
        columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip
    return fig


def _priced(
    records: Sequence[Record],
    paper: Paper,
    title: str,
    price: ways.Price,
    words: str,
    numbers: Formatter,
) -> Sheet:
    """Accuracy against a price on a logarithmic axis, and the best that each price buys."""
    seen = view(records)
    arms = ways.priced(seen, price)
    note = (
        f"{where(seen, seen.size)}. {_seeds_note([g for g, _ in arms])} Grey steps: the highest "
        "mean that is to be had so far to the left."
    )
    fig, ax = _plane(title, note, seen, paper)
    chosen = styles(seen.labels)
    clouds = []
    for g, paid in arms:
        points = [(price.of(r) or paid, intervals.accuracy(r) or 0.0) for r in g.ok]
        reached = text.percent(accuracy(g).mean)
        clouds.append(Cloud(seen.name(g.label), chosen[g.label], points, reached))
    _draw(ax, clouds)
    ends = sorted((c.end.x, c.end.y) for c in clouds)
    best = [max(y for _, y in ends[: i + 1]) for i in range(len(ends))]
    ax.step([x for x, _ in ends], best, where="post", color="#b5b5b5", lw=1.2, zorder=1)
    _log_axis(ax, [x for c in clouds for x, _ in c.points], numbers)
    ax.set_xlabel(words)
    ax.set_ylabel("test accuracy")
    ax.set_ylim(_roomy(ax.get_ylim()))
    percent_axis(ax.yaxis)
    _name(fig, ax, clouds, paper)
    return fig


def _seeds_note(groups: Sequence[Group]) -> str:
    if any(len(g.ok) > 1 for g in groups):
        return "Small point: a seed; large: their mean."
    return "One seed."


def _plane(title: str, note: str, seen: View, paper: Paper) -> tuple[Sheet, Axes]:
    labels = [seen.name(g.label) for g in seen.best_first(seen.size)]
    return one_plot(title, note, paper, labels, 5.4 if len(labels) > MANY else 4.6)


def _draw(ax: Axes, clouds: Sequence[Cloud]) -> None:
    """Every seed a small pale point, the mean a large one over all of them."""
    for c in clouds:
        look: dict[str, Any] = {
            "ls": "",
            "color": c.style.colour,
            "marker": c.style.marker,
            "mec": "white",
        }
        if len(c.points) > 1:
            xs, ys = zip(*c.points, strict=True)
            ax.plot(xs, ys, **look, ms=5.5, alpha=0.55, mew=0.3)
        ax.plot([c.end.x], [c.end.y], **look, ms=11, mew=0.8, zorder=4)


def _name(fig: Sheet, ax: Axes, clouds: Sequence[Cloud], paper: Paper) -> None:
    """Names beside the means, or with their numbers in a key where there is no room."""
    ends = [c.end for c in clouds]
    if paper.narrow:
        name_lines(fig, [ax], [ends], paper)
        return
    freeze(fig)  # settles where the axes are, so that overlaps are known
    unit = fig.dpi / 72
    spots = [ax.transData.transform((e.x, e.y)) / unit for e in ends]
    frame = ax.get_window_extent()
    room = Bbox(frame.get_points() / unit)
    taken = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in spots]
    for end, (x, y) in zip(ends, spots, strict=True):
        note = ax.annotate(
            in_lines(end.label), (end.x, end.y), (0, 0), textcoords="offset points",
            ha="center", va="center", size=11, color=end.style.ink, zorder=5,
            arrowprops={"arrowstyle": "-", "color": end.style.colour, "alpha": 0.5, "lw": 0.8,
                        "shrinkA": 0, "shrinkB": 4},
            bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 0.5},
        )  # fmt: skip
        size = note.get_window_extent()
        w, h = size.width / unit, size.height / unit
        moves = [(i * (w / 2 + r), j * (h / 2 + r)) for r in REACHES for i, j in SIDES]
        boxes = [Bbox.from_bounds(x + dx - w / 2, y + dy - h / 2, w, h) for dx, dy in moves]
        overlaps = [  # rounded, so that the nearest of equals is the first
            round(sum(_shared(b, t) for t in taken) + w * h - _shared(b, room), 2) for b in boxes
        ]
        best = overlaps.index(min(overlaps))
        note.set_position(moves[best])
        taken.append(boxes[best])


def _shared(a: Bbox, b: Bbox) -> float:
    """The area that two boxes have in common."""
    common = Bbox.intersection(a, b)
    return common.width * common.height if common else 0.0


def _roomy(limits: tuple[float, float]) -> tuple[float, float]:
    """A margin, and at least the span below which a small gap would look like a large one."""
    low, high = limits
    span = max(1.12 * (high - low), LEAST_SPAN)
    middle = (low + high) / 2
    return middle - span / 2, middle + span / 2


def _log_axis(ax: Axes, values: Sequence[float], numbers: Formatter) -> None:
    """A logarithmic axis over a factor of ten or more, with ticks at 1, 2, 5."""
    low, high = min(values, default=1.0), max(values, default=1.0)
    margin = max(1.3, (10 * low / high) ** 0.5)
    ax.set_xscale("log")
    ax.set_xlim(low / margin, high * margin)
    subs = (1.0, 2.0, 5.0) if high < 300 * low else (1.0,)
    ax.xaxis.set_major_locator(LogLocator(subs=subs))
    ax.xaxis.set_major_formatter(numbers)
    ax.xaxis.set_minor_formatter(NullFormatter())


def _map(
    ax: Axes,
    blocks: ways.Blocks,
    arms: Sequence[tuple[Group, list[float]]],
    chosen: dict[str, Style],
    shade: Normalize,
    paper: Paper,
) -> None:
    """One base's arms as rows of cells, with numbers where they fit."""
    models = {g.records[0].model for g, _ in arms}
    model = models.pop() if len(models) == 1 else ""
    model = names.model_name(model) or model
    most = ROW_NARROW if paper.narrow else ROW
    rows = [in_lines(names.without(g.name, model), most) for g, _ in arms]
    ax.set_title(names.shortened(model, 2 * ROW), weight="bold")
    ax.imshow([m for _, m in arms], cmap=MAP, norm=shade, aspect="auto", interpolation="nearest")
    ax.set_yticks(range(len(arms)), labels=rows)
    for tick, (g, _) in zip(ax.get_yticklabels(), arms, strict=True):
        tick.set_color(chosen[g.label].ink)
    ax.set_xticks(range(len(blocks)), labels=[text.clean(b)[:LETTERS] for b in blocks], rotation=90)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    if len(blocks) * CELL > (150 if paper.narrow else 430):
        return
    for i, (_, cells) in enumerate(arms):
        for j, value in enumerate(cells):
            words = text.percent(value, 0 if value >= 0.0995 or value == 0 else 1)
            ax.text(j, i, words.removesuffix(f"{text.SPACE}%"), ha="center", va="center",
                    size=9.5, color="white" if shade(value) > 0.55 else INK,
                    in_layout=False)  # fmt: skip
