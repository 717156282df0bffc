"""How figures look: an arm's colour and marker, the sheet, labels at line ends.

Colours are those of Okabe and Ito (2008, "Color universal design"), which colour-blind readers
tell apart; every arm has a marker of its own too, so that a grey print still works.
Figures are made without pyplot: no window, no state between two of them.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from comparisons.core.records import Record
from comparisons.findings import text
from comparisons.findings.groups import Group
from comparisons.findings.text import clean, percent
from comparisons.findings.view import View
from comparisons.report.figures.arm_styles import Style

INK = "#222222"
PALE = "#666666"
GRID = "#e4e4e4"


def rc(narrow: bool) -> Any:
    """Settings of matplotlib for one figure; sizes in points."""
    size = 10 if narrow else 12
    return {
        "font.size": size,
        "font.family": ["DejaVu Sans"],
        "axes.labelsize": size,
        "axes.titlesize": size,
        "axes.titlelocation": "left",
        "axes.edgecolor": "#999999",
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "xtick.color": INK,
        "ytick.color": INK,
        "text.color": INK,
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "lines.solid_capstyle": "round",
        "svg.hashsalt": "comparisons",  # the same records give the same bytes
    }


Draw = Callable[[Sequence[Record], bool], Figure]


def styled(draw: Draw) -> Callable[..., Figure]:
    """Let a drawing function run under our settings, whatever matplotlib's are outside."""

    @wraps(draw)
    def wrapped(records: Sequence[Record], narrow: bool = False) -> Figure:
        with _calm(), matplotlib.rc_context(rc(narrow)):
            figure = draw(records, narrow)
            freeze(figure)
            return figure

    return wrapped


def sheet(
    title: str,
    note: str,
    narrow: bool,
    height: float,
    grid: tuple[int, int] = (1, 1),
    **axes: Any,
) -> tuple[Figure, list[Axes]]:
    """A figure with the finding above, a note below it in grey, and its axes in reading order.

    Inches: 9 wide, or 4 for a page of 400 pixels; the lines of the heading come on top of
    `height`.
    """
    width = 4.0 if narrow else 9.0
    size = 11.5 if narrow else 15
    head = _balanced(title, 38 if narrow else 70)
    foot = _wrap(note, 46 if narrow else 108)
    tall = height + (1.25 * size * len(head) + 1.3 * (size - 1.5) * len(foot)) / 72
    fig = Figure(figsize=(width, tall), layout="constrained", facecolor="white")
    FigureCanvasAgg(fig)
    fig.get_layout_engine().set(w_pad=0.08, h_pad=0.06)  # type: ignore[union-attr,call-arg]
    top, bottom = fig.subfigures(
        2, 1, height_ratios=[tall - height, height], squeeze=False, facecolor="none"
    ).ravel()
    y = 1.0 - 0.08 / (tall - height)
    share = 1.25 * size / 72 / (tall - height)
    top.text(0.01, y, "\n".join(head), size=size, weight="bold", va="top", linespacing=1.2)
    y -= share * len(head) + 0.02 / (tall - height)
    top.text(0.01, y, "\n".join(foot), size=size - 4 if not narrow else 9.5, color=PALE, va="top")
    made = bottom.subplots(*grid, squeeze=False, **axes)
    return fig, list(made.ravel())


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


KEY_COLUMNS = 3
MANY = 6  # more arms than this need thinner lines and tighter rows


def key_height(labels: Sequence[str], narrow: bool) -> float:
    """Inches that a key under the plot takes."""
    return 0.23 * len(labels) if narrow else 0.1 + 0.26 * -(-len(labels) // KEY_COLUMNS)


def name_lines(
    fig: Figure, axes: Sequence[Axes], ends: Sequence[Sequence[End]], narrow: bool
) -> None:
    """Write each line's name at its end, or in a key under the plot where there is no room.

    `ends` has a list for each of the axes.
    """
    if narrow or len(axes) > 1:
        known = {e.label: e for group in ends for e in sorted(group, key=lambda e: -e.y)}
        handles = [_handle(e, len(axes) == 1) for e in known.values()]
        axes[0].get_figure().legend(  # type: ignore[union-attr]
            handles=handles, loc="outside lower left", frameon=False, handlelength=2.2,
            borderaxespad=0.2, labelspacing=0.35, ncols=1 if narrow else KEY_COLUMNS,
        )  # fmt: skip
        return
    written = [
        [_label(ax, end, len(axes) == 1) for end in group]
        for ax, group in zip(axes, ends, strict=True)
    ]
    freeze(fig)  # settles where the axes are, so that heights are known
    for ax, group, texts in zip(axes, ends, written, strict=True):
        _settle(ax, group, texts)


def percent_axis(axis: Axis) -> None:
    """Fractions as per cent, with a decimal where the ticks lie closer than one per cent."""
    # Without the usual steps of 2.5: as whole numbers they would be wrong.
    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))

    def say(value: float, _: int) -> str:
        low, high = axis.get_view_interval()
        return percent(value, digits=0 if high - low > 0.06 else 1)

    axis.set_major_formatter(FuncFormatter(say))


def svg(figure: Figure) -> bytes:
    """A figure as SVG, letters as outlines; the same figure gives the same bytes."""
    file = io.BytesIO()
    with _calm():
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None, "Creator": None})
    return file.getvalue()


def png(figure: Figure, dpi: int = 160) -> bytes:
    """A figure as PNG of 256 colours, which is a third of the bytes of one of all colours."""
    file = io.BytesIO()
    figure.dpi = dpi
    canvas = FigureCanvasAgg(figure)
    with _calm():
        canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(file, "png", dpi=(dpi, dpi))
    return file.getvalue()


# print_svg and draw, not savefig: that would lay out and draw a second time for each file.
@contextmanager
def _calm() -> Iterator[None]:
    """Our settings, and no complaint about a letter that the font does not have."""
    with matplotlib.rc_context(rc(False)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def freeze(figure: Figure) -> None:
    """Lay out once and keep it: layout is the slow part, and every file would do it again."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")


def _wrap(words: str, width: int) -> list[str]:
    return textwrap.wrap(clean(words), width, break_on_hyphens=False) or [""]


def _balanced(words: str, width: int) -> list[str]:
    """Lines of at most `width` letters, and the last one no shorter than need be."""
    lines = _wrap(words, width)
    for narrower in range(width - 1, width // 2, -1):
        tighter = _wrap(words, narrower)
        if len(tighter) > len(lines):
            break
        lines = tighter
    return lines


def _handle(end: End, with_value: bool) -> Line2D:
    name = clean(end.label) + (f"  {end.value}" if with_value and end.value else "")
    line = Line2D([], [], color=end.style.colour, markersize=6, label=name)
    line.set_marker(end.style.marker)  # type: ignore[arg-type]  # its stub knows no outlines
    return line


def _label(ax: Axes, end: End, with_value: bool) -> Annotation:
    name = clean(end.label) + (f"\n{end.value}" if with_value and end.value else "")
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


def seeds_note(groups: Sequence[Group]) -> str:
    """How many seeds there are and how they are drawn."""
    most = max((len(g.records) for g in groups), default=0)
    if most <= 1:
        return "one seed"
    if len(groups) > MANY:
        return f"means of {most} seeds"
    return f"{most} seeds: each a thin line, their mean a thick one"


def where(seen: View, size: int | None) -> str:
    """Which data, and how much of it to train on."""
    name = seen.records[0].data.name if seen.records else "no data"
    images = "" if size is None else f", {text.count(size)} training images"
    return f"{name}{images}{f', all arms on {seen.base}' if seen.base else ''}"


LEAST_SPAN = 0.05  # of accuracy on an axis
