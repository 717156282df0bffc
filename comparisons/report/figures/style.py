"""What figures have in common: names at the ends of lines, axes of per cents, notes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, MaxNLocator

from comparisons.findings import text
from comparisons.findings.groups import Group
from comparisons.findings.names import BETWEEN, shortened
from comparisons.findings.text import clean, percent
from comparisons.findings.view import View
from comparisons.report.figures.arm_styles import Style
from comparisons.report.figures.paper import Paper, Sheet, freeze, sheet

LEAST_SPAN = 0.05  # of accuracy on an axis
KEY_LETTERS = 36  # of a line of a name in a key
VALUE = 8  # more, with a value
MOST_LINES = 2  # of a model, or of a strategy, in a name
SHORT = 22  # letters of names that a key has in three columns
BESIDE_LETTERS = 22  # of a line of a name beside the plot
MANY = 6  # more arms than this need thinner lines and tighter rows
EVEN = 1e-9  # numbers this close are the same
MANY_SEEDS = 10  # and more seeds hide their mean


def spread_out(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions as near as can be to the wanted ones, at least `gap` apart, within low..high.

    Neighbours that overlap share the room around their common middle (pool adjacent violators).
    Where the room is too small for all, they stand evenly in it.
    """
    n = len(wanted)
    if n == 0:
        return []
    gap = min(gap, (high - low) / max(1, n - 1))
    order = sorted(range(n), key=lambda i: wanted[i])
    # Take away i * gap: then "at least gap apart" becomes "not descending".
    blocks: list[tuple[float, int]] = []
    for rank, i in enumerate(order):
        mean, count = wanted[i] - rank * gap, 1
        while blocks and blocks[-1][0] > mean:
            before, size = blocks.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        blocks.append((mean, count))
    level = [mean for mean, count in blocks for _ in range(count)]
    top = high - (n - 1) * gap
    placed = [0.0] * n
    for rank, i in enumerate(order):
        placed[i] = min(max(level[rank], low), top) + rank * gap
    return placed


@dataclass(frozen=True)
class End:
    """Where a line ends, in data coordinates, and what to write there."""

    x: float
    y: float
    label: str
    value: str
    style: Style


def in_lines(name: str, most: int = BESIDE_LETTERS) -> str:
    """A name in as few lines of at most `most` letters as it fits in: model, strategy, or more."""
    name = clean(name)
    if len(name) <= most:
        return name
    for between, kept in ((BETWEEN, ""), (":", ":")):
        model, found, strategy = name.partition(between)
        if found:
            return "\n".join((_wrapped(model, most), _wrapped(kept + strategy, most)))
    return _wrapped(name, most)


def _wrapped(words: str, most: int) -> str:
    """Words in lines of at most `most` letters; what is too long for that loses its middle."""
    lines = textwrap.wrap(words, most, break_on_hyphens=False, break_long_words=False)
    fits = len(lines) <= MOST_LINES and max(map(len, lines), default=0) <= most
    return "\n".join(lines) if fits else shortened(words, most)


def key_height(names: Sequence[str], paper: Paper) -> float:
    """Inches that a key under the plot takes."""
    high = [in_lines(name, KEY_LETTERS).count("\n") + 1 for name in names]
    if paper.narrow:
        return sum(0.07 + 0.16 * lines for lines in high)
    return 0.1 + (0.07 + 0.19 * max(high, default=1)) * -(-len(names) // _columns(names))


def _columns(names: Sequence[str]) -> int:
    """Columns of a key that has the width of a page."""
    return 3 if max(map(len, names), default=0) <= SHORT else 2


def one_plot(
    title: str, note: str, paper: Paper, names: Sequence[str], high: float, narrow: float = 3.2
) -> tuple[Sheet, Axes]:
    """A sheet with one plot of lines that have names, whose key a narrow one has below.

    `high` and `narrow` are the inches of the plot on a wide and on a narrow paper.
    """
    height = narrow + key_height(names, paper) if paper.narrow else high
    fig, (ax,) = sheet(title, note, paper, height)
    return fig, ax


def name_lines(
    fig: Sheet, axes: Sequence[Axes], ends: Sequence[Sequence[End]], paper: Paper
) -> None:
    """Write each line's name at its end, or in a key under the plot where there is no room.

    `ends` has a list for each of the axes.
    """
    if paper.narrow or len(axes) > 1:
        known = {e.label: e for group in ends for e in sorted(group, key=lambda e: -e.y)}
        handles = [_handle(e, len(axes) == 1) for e in known.values()]
        columns = 1 if paper.narrow else _columns([*known])
        axes[0].get_figure().legend(  # type: ignore[union-attr]
            handles=handles, loc="lower left", frameon=False, handlelength=2.2,
            borderaxespad=0.2, labelspacing=0.35, ncols=columns,
        )  # fmt: skip
        return
    # On a slide there is no room for so many names of two lines.
    written = [
        [_label(ax, end, not paper.height or len(group) <= MANY) for end in group]
        for ax, group in zip(axes, ends, strict=True)
    ]
    freeze(fig)  # settles where the axes are, so that heights are known
    for ax, group, texts in zip(axes, ends, written, strict=True):
        _settle(ax, group, texts)


class _Shares(MaxNLocator):
    """Ticks from a number to 1: what lies beyond them is room for something else."""

    def __init__(self, floor: float):
        # Without the usual steps of 2.5: as whole per cents they would be wrong.
        super().__init__("auto", steps=[1, 2, 5, 10])
        self.floor = floor

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """The ticks of an axis with these ends."""
        ticks = super().tick_values(max(vmin, self.floor), vmax)
        return [tick for tick in ticks if self.floor - EVEN <= tick <= 1 + EVEN]


def percent_axis(axis: Axis, floor: float = 0.0) -> None:
    """Fractions as per cent, with a decimal where the ticks lie closer than one per cent.

    Below `floor` there is no tick, nor above 100 %.
    """
    axis.set_major_locator(_Shares(floor))

    def say(value: float, _: int) -> str:
        low, high = axis.get_view_interval()
        return percent(value, digits=0 if high - low > 0.06 else 1)

    axis.set_major_formatter(FuncFormatter(say))


def _handle(end: End, with_value: bool) -> Line2D:
    name = in_lines(end.label, KEY_LETTERS)
    if with_value and end.value:
        last = f"{name}  {end.value}".rpartition("\n")[2]
        name += f"  {end.value}" if len(last) <= KEY_LETTERS + VALUE else f"\n{end.value}"
    line = Line2D([], [], color=end.style.colour, markersize=6, label=name)
    line.set_marker(end.style.marker)  # type: ignore[arg-type]  # its stub knows no outlines
    return line


def _label(ax: Axes, end: End, with_value: bool) -> Annotation:
    name = in_lines(end.label)
    if with_value and end.value:
        name += f"  {end.value}" if "\n" in name else f"\n{end.value}"
    low, high = ax.get_ylim()
    return ax.annotate(
        name,
        (end.x, min(max(end.y, low), high)),
        (1.03, 0.5),
        textcoords="axes fraction",
        color=end.style.ink,
        va="center",
        size=11,
        annotation_clip=False,
        arrowprops={
            "arrowstyle": "-", "color": end.style.colour, "alpha": 0.5, "lw": 0.8,
            "shrinkA": 1, "shrinkB": 4, "zorder": 1, "relpos": (0, 0.5),
        },
    )  # fmt: skip


def _settle(ax: Axes, ends: Sequence[End], texts: Sequence[Annotation]) -> None:
    if not ends:
        return
    box = ax.get_window_extent()
    lines = max(text.get_text().count("\n") + 1 for text in texts)
    gap = 11 * 1.3 * lines / 72 * ax.figure.dpi / box.height
    inverse = ax.transAxes.inverted()
    wanted = [float(inverse.transform(ax.transData.transform((e.x, e.y)))[1]) for e in ends]
    for name, y in zip(texts, spread_out(wanted, gap, 0.02, 0.98), strict=True):
        name.set_position((1.03, y))


def means_alone(groups: Sequence[Group]) -> bool:
    """Whether arms or seeds are too many for a line of each seed."""
    return len(groups) > MANY or max((len(g.records) for g in groups), default=0) > MANY_SEEDS


def seeds_note(groups: Sequence[Group]) -> str:
    """How many seeds there are and how they are drawn."""
    most = max((len(g.records) for g in groups), default=0)
    if most <= 1:
        return "one seed"
    if means_alone(groups):
        return f"means of {most} seeds"
    return f"{most} seeds: each a thin line, their mean a thick one"


def where(seen: View, size: int | None) -> str:
    """Which data, and how much of it to train on."""
    name = seen.records[0].data.name if seen.records else "no data"
    images = "" if size is None else f", {text.count(size)} training images"
    return f"{name}{images}{f', all arms on {seen.base}' if seen.base else ''}"
