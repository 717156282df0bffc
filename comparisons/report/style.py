"""How figures look: an arm's colour and marker, the sheet, labels at line ends.

Colours are those of Okabe and Ito (2008, "Color universal design"), which colour-blind readers
tell apart; every arm has a marker of its own too, so that a grey print still works.
Figures are made without pyplot: no window, no state between two of them.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import wraps
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from comparisons.records import Record, digest
from comparisons.report.text import clean, percent
from comparisons.variants import KNOBS

INK = "#222222"
PALE = "#666666"
GRID = "#e4e4e4"


Marker = str | tuple[int, int, int] | Path  # what matplotlib takes: a name, a star, an outline


def _outline(*corners: tuple[float, float]) -> Path:
    return Path([*corners, corners[0]], closed=True)


BOW_TIE = _outline((-1, 1), (-1, -1), (1, 1), (1, -1))
ARROW = _outline((-0.4, -1), (0.4, -1), (0.4, 0), (1, 0), (0, 1), (-1, 0), (-0.4, 0))
LYING = _outline((-1, -0.4), (1, -0.4), (1, 0.4), (-1, 0.4))
STANDING = _outline((-0.4, -1), (0.4, -1), (0.4, 1), (-0.4, 1))
LOWER_LEFT = _outline((-1, -1), (1, -1), (-1, 1))
UPPER_RIGHT = _outline((1, 1), (-1, 1), (1, -1))


@dataclass(frozen=True)
class Style:
    """An arm's colour and marker, and the marker as a character for tables."""

    colour: str
    marker: Marker
    glyph: str

    @property
    def ink(self) -> str:
        """The colour, dark enough for text on white (contrast 4.5, WCAG 2.1)."""
        red, green, blue = to_rgb(self.colour)
        while 1.05 / (luminance(to_hex((red, green, blue))) + 0.05) < 4.5:
            red, green, blue = 0.95 * red, 0.95 * green, 0.95 * blue
        return to_hex((red, green, blue))


KNOWN = {
    "cnn:scratch": Style("#0072B2", "o", "●"),
    "tutorial-cnn:scratch": Style("#56B4E9", "D", "◆"),
    "mobilenet*:frozen": Style("#D55E00", "s", "■"),
    "mobilenet*:scratch": Style("#CC79A7", "p", "⬟"),
    "vgg16*:frozen": Style("#009E73", "^", "▲"),
    "tiny*:frozen": Style("#E69F00", "v", "▼"),
    # Every strategy on any base: together with mobilenet's two above, the colours were picked for
    # the largest least difference (CIELAB) to normal, deuteranopic, protanopic and tritanopic eyes.
    "*:scratch": Style("#7F7F7F", "h", "⬢"),
    "*:complete": Style("#000000", "P", "✚"),
    "*:probe": Style("#9C755F", "<", "◀"),
    "*:frozen-views": Style("#661100", Path.wedge(-90, 90), "◗"),
    "*:partial*": Style("#008DF9", ">", "▶"),
    "*:full": Style("#01665E", "*", "★"),
    "*:full-hot": Style("#E20134", ARROW, "⬆"),
    "*:discriminative": Style("#7B3294", "X", "✖"),
    "*:lora*": Style("#9400E6", LOWER_LEFT, "◣"),
    "*:qlora@*": Style("#FF6F91", BOW_TIE, "⧓"),
    "*:qlora4@*": Style("#DDCC11", UPPER_RIGHT, "◥"),
    "*:hybrid*": Style("#9E0142", "d", "♦"),
}
OTHERS = (
    Style("#8C510A", (4, 1, 0), "✦"),
    Style("#5D3A9B", LYING, "▬"),
    Style("#A6761D", Path.wedge(90, 270), "◖"),
    Style("#882255", (6, 1, 0), "✶"),
    Style("#117733", "H", "⬣"),
    Style("#332288", Path.wedge(0, 180), "◓"),
    Style("#44AA99", Path.wedge(180, 360), "◒"),
    Style("#999933", STANDING, "▮"),
)

# The variants of a knob by their place in its table: the same colour wherever one is shown.
PLACES = (
    Style("#0072B2", "o", "●"),
    Style("#D55E00", "s", "■"),
    Style("#009E73", "^", "▲"),
    Style("#CC79A7", "p", "⬟"),
    Style("#E69F00", "v", "▼"),
    Style("#56B4E9", "D", "◆"),
    Style("#7F7F7F", "h", "⬢"),
    Style("#000000", "P", "✚"),
)
VARIANTS = {
    variant: style
    for knob in KNOBS.values()
    for variant, style in zip(knob.variants, PLACES, strict=False)
}


def luminance(colour: str) -> float:
    """Relative luminance of a colour, 0 black to 1 white (WCAG 2.1)."""
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def styles(labels: Iterable[str]) -> dict[str, Style]:
    """A style for each arm: the known ones always the same, others by their name.

    Where two want the same style, the first in name order has it and the next takes a free one.
    """
    chosen: dict[str, Style] = {}
    waiting = []
    for label in sorted(set(labels)):
        arm, _, variant = label.partition(" (")
        wanted = VARIANTS.get(variant.partition(",")[0].removesuffix(")"))
        wanted = wanted or next((s for p, s in KNOWN.items() if fnmatchcase(arm, p)), None)
        if wanted is None or wanted in chosen.values():
            waiting.append(label)
        else:
            chosen[label] = wanted
    for label in waiting:
        first = int(digest(label), 16) % len(OTHERS)
        turns = [*OTHERS[first:], *OTHERS[:first], *KNOWN.values()]
        chosen[label] = next((s for s in turns if s not in chosen.values()), turns[0])
    return chosen


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
    for text, y in zip(texts, spread_out(wanted, gap, 0.02, 0.98), strict=True):
        text.set_position((1.03, y))
