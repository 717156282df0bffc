"""Where the axes of a sheet stand: boxes of one size, each with room for the labels around it.

matplotlib's constrained layout does the same, but measures every label twice, needed or not: that
took a sixth of a page's time.
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import SubFigure
from matplotlib.transforms import Bbox

PADS = (0.08, 0.06)  # inches left free beside labels, and above and below them
MOST_TIMES = 5  # that labels are measured, where words in a box stick out further as it shrinks
LEAST = 0.1  # inches of a box, however long the labels are


def arrange(figure: SubFigure, renderer: RendererAgg, dpi: float) -> None:
    """Place the axes of a grid in a figure, and above its legends.

    Boxes of a column are equally wide; of rows, as high as the grid's ratios say.
    """
    for _ in range(MOST_TIMES):
        if not _placed(figure, renderer, dpi):
            return


def _placed(figure: SubFigure, renderer: RendererAgg, dpi: float) -> bool:
    """Place the axes; whether words in them may now stick out further than was measured."""
    grid = figure.axes[0].get_gridspec()
    assert grid is not None
    foot = sum(legend.get_window_extent(renderer).height for legend in figure.legends)
    before, behind = np.zeros((2, grid.ncols)) + PADS[0] * dpi
    above, below = np.zeros((2, grid.nrows)) + PADS[1] * dpi
    places, widest = [], 0.0
    for ax in figure.axes:
        spec = ax.get_subplotspec()
        assert spec is not None
        row, column = spec.rowspan.start, spec.colspan.start
        places.append((ax, row, column))
        around, box = ax.get_tightbbox(renderer), ax.get_window_extent(renderer)
        if around is None:
            continue
        widest = max(widest, box.width)
        for room, place, need, pad in (
            (before, column, box.x0 - around.x0, PADS[0]),
            (behind, column, around.x1 - box.x1, PADS[0]),
            (above, row, around.y1 - box.y1, PADS[1]),
            (below, row, box.y0 - around.y0, PADS[1]),
        ):
            room[place] = max(room[place], need + pad * dpi)
    whole = figure.bbox
    wide = _shared(whole.width, before + behind, np.ones(grid.ncols), LEAST * dpi)
    ratios = np.array(grid.get_height_ratios() or np.ones(grid.nrows))
    high = _shared(whole.height - foot, above + below, ratios, LEAST * dpi)
    lefts = [0.0, *accumulate(before + wide + behind)]
    tops = [0.0, *accumulate(above + high + below)]
    for ax, row, column in places:
        left, top = lefts[column] + before[column], tops[row] + above[row]
        bottom = whole.height - top - high[row]
        box = Bbox.from_bounds(left, bottom, wide[column], high[row])
        ax.set_position(Bbox(box.get_points() / (whole.width, whole.height)))
    words = any(said.get_in_layout() for ax in figure.axes for said in ax.texts)
    return bool(words and wide.max() < 0.99 * widest)


def _shared(room: float, taken: np.ndarray, ratios: np.ndarray, least: float) -> np.ndarray:
    """What each box gets of the room that labels leave, by ratios."""
    return np.maximum((room - taken.sum()) * ratios / ratios.sum(), least)
