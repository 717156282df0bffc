"""What figures are drawn on: a wide or a narrow page or a slide; and how they become files.

Figures are made without pyplot: no window, no state between two of them.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from comparisons.findings.names import brief
from comparisons.findings.text import clean
from comparisons.report.figures.boxes import arrange
from comparisons.report.figures.compact import compact

INK = "#222222"
PALE = "#666666"
GRID = "#e4e4e4"
EDGE = "#999999"
MOST_LETTERS = 400  # of a title or a note, whatever the names in it
CUTS = ("; ", ": ", ", and ")  # where a title may end early, the best place first
SMALLEST = 10.5  # points of a title of one line


@dataclass(frozen=True)
class Paper:
    """Inches and points of a sheet, and how many letters its heading's lines hold.

    Without a `height` a sheet is as high as what is on it needs, and its title may take several
    lines; with one it has that height, and its title one line, in smaller letters if need be.
    """

    width: float
    size: float
    title: float
    note: float
    title_letters: int
    note_letters: int
    height: float | None = None
    dpi: int = 160

    @property
    def narrow(self) -> bool:
        """Whether there is no room for names beside the lines."""
        return self.width < 7


WIDE = Paper(9.0, size=12, title=15, note=11, title_letters=70, note_letters=108)
# For half of a wide page.
HALF = Paper(6.2, size=11.5, title=13, note=10, title_letters=54, note_letters=82)
# For a page of 400 pixels.
NARROW = Paper(4.0, size=10, title=11.5, note=9.5, title_letters=38, note_letters=46)
# 16:9, 1,920 x 1,080 pixels: the letters of the wide sheet on half of its area.
SLIDE = Paper(
    8.0, size=12, title=17, note=9.5, title_letters=86, note_letters=108, height=4.5, dpi=240
)


class Sheet(Figure):
    """A figure that a notebook shows as a picture, with its finding for who cannot see it."""

    alt = ""
    pixels = 760  # its width in a notebook
    frozen = False

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
        return {"image/png": png(self)}, {"image/png": {"width": self.pixels, "alt": self.alt}}


def rc(paper: Paper) -> Any:
    """Settings of matplotlib for one figure; sizes in points."""
    return {
        "font.size": paper.size,
        "font.family": ["DejaVu Sans"],
        "axes.labelsize": paper.size,
        "axes.titlesize": paper.size,
        "axes.titlelocation": "left",
        "axes.edgecolor": EDGE,
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


Shown = TypeVar("Shown")  # records; or a model's card


def styled(draw: Callable[[Shown, Paper], Sheet]) -> Callable[..., Sheet]:
    """Let a drawing function run under our settings, whatever matplotlib's are outside."""

    @wraps(draw)
    def wrapped(shown: Shown, paper: Paper = WIDE) -> Sheet:
        with _calm(), matplotlib.rc_context(rc(paper)):
            figure = draw(shown, paper)
            freeze(figure)
            return figure

    return wrapped


def sheet(
    title: str,
    note: str,
    paper: Paper,
    height: float,
    grid: tuple[int, int] = (1, 1),
    **axes: Any,
) -> tuple[Sheet, list[Axes]]:
    """A figure with the finding above, a note below it in grey, and its axes in reading order.

    `height` is that of the axes in inches, where the paper leaves it free; the lines of the
    heading come on top of it.
    """
    head = _balanced(title, paper.title_letters)
    if paper.height:
        head = [_one_line(title, paper.title_letters)]
    foot = _wrap(note, paper.note_letters)
    above = (1.25 * paper.title * len(head) + 1.2 * (paper.note + 1) * len(foot)) / 72 + 0.1
    tall = paper.height or height + above
    fig = Sheet(figsize=(paper.width, tall), dpi=paper.dpi, facecolor="white")
    FigureCanvasAgg(fig)
    fig.alt = clean(title)
    top, bottom = fig.subfigures(
        2, 1, height_ratios=[above, tall - above], squeeze=False, facecolor="none"
    ).ravel()
    y = 1.0 - 0.08 / above
    said = top.text(
        0.01, y, "\n".join(head), size=paper.title, weight="bold", va="top", linespacing=1.2
    )
    if paper.height:
        size = paper.title
        while size > SMALLEST and said.get_window_extent().x1 > fig.bbox.width:
            said.set_size(size := size - 0.25)
    y -= 1.25 * paper.title / 72 / above * len(head) + 0.02 / above
    top.text(0.01, y, "\n".join(foot), size=paper.note, color=PALE, va="top")
    made = bottom.subplots(*grid, squeeze=False, **axes)
    return fig, list(made.ravel())


def freeze(figure: Sheet) -> None:
    """Place the axes, once: what is drawn afterwards may count on where they are."""
    if not figure.frozen:
        canvas = figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)
        arrange(figure.subfigs[-1], canvas.get_renderer(), figure.dpi)
        figure.frozen = True


def svg(figure: Figure) -> bytes:
    """A figure as SVG, letters as outlines; the same figure gives the same bytes."""
    file = io.StringIO()
    canvas, dpi = figure.canvas, figure.dpi
    with _calm():
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None, "Creator": None})
    figure.set_canvas(canvas)
    figure.dpi = dpi
    return compact(file.getvalue()).encode()


def png(figure: Sheet) -> bytes:
    """A figure as PNG of 256 colours, which is a third of the bytes of one of all colours."""
    file = io.BytesIO()
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    with _calm():
        canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    _few_colours(pixels).save(file, "png", dpi=(figure.dpi, figure.dpi))
    return file.getvalue()


def _few_colours(pixels: np.ndarray) -> Image.Image:
    """An image of 256 colours. White is one, so that only what is drawn need be looked at."""
    drawn = pixels.min(axis=-1) < 255
    rest = Image.fromarray(pixels[drawn][None]).quantize(255, dither=Image.Dither.NONE)
    places = np.full(drawn.shape, 255, np.uint8)
    places[drawn] = np.asarray(rest)[0]
    image = Image.fromarray(places)
    palette = rest.getpalette() or []
    image.putpalette(palette + [255] * (3 * 256 - len(palette)))
    return image


# print_svg and draw, not savefig: that would lay out and draw a second time for each file.
@contextmanager
def _calm() -> Iterator[None]:
    """Our settings, and no complaint about a letter that the font does not have."""
    with matplotlib.rc_context(rc(WIDE)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def _wrap(words: str, width: int) -> list[str]:
    words = clean(words[: MOST_LETTERS + 1])
    if len(words) > MOST_LETTERS:
        words = f"{words[:MOST_LETTERS]}…"
    return textwrap.wrap(words, width, break_on_hyphens=False) or [""]


def _balanced(words: str, width: int) -> list[str]:
    """Lines of at most `width` letters, and the last one no shorter than need be."""
    lines = _wrap(words, width)
    for narrower in range(width - 1, width // 2, -1):
        tighter = _wrap(words, narrower)
        if len(tighter) > len(lines):
            break
        lines = tighter
    return lines


def _one_line(words: str, most: int) -> str:
    """As much of a title as one line holds: whole clauses where there are any, else with dots."""
    words = " ".join(_wrap(words, MOST_LETTERS + 1))
    if len(words) > most:
        words = brief(words)
    if len(words) <= most:
        return words
    for cut in CUTS:
        parts = words.split(cut)
        for n in range(len(parts) - 1, 0, -1):
            if most // 3 <= len(kept := cut.join(parts[:n])) <= most:
                return kept
    return textwrap.shorten(words, most, placeholder=" …", break_on_hyphens=False)
