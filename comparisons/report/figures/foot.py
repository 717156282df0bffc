"""The strip at the foot of a figure over time: how long each arm prepares before it learns."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from comparisons.findings import intervals, text
from comparisons.findings.groups import Group
from comparisons.report.figures.arm_styles import Style
from comparisons.report.figures.paper import EDGE

FOOT = 0.4  # of the curves' height, the most that it may take
BAR = 17  # points from one bar to the next, where each has its seconds
LEAST_BAR = 11  # and fewer leave no room for these


def preparing(ax: Axes, groups: Sequence[Group], chosen: dict[str, Style]) -> float:
    """A bar for each arm, with its seconds, in a strip at the foot; returns where it ends."""
    low, high = ax.get_ylim()
    if not groups:
        return low
    grid = ax.get_gridspec()
    inches = ax.figure.bbox.height / ax.figure.dpi / (grid.nrows if grid else 1)
    point = 1 / (72 * 0.75 * inches)  # of which the axes have three quarters or so
    share = min(BAR * point, FOOT / (len(groups) + 1))
    # The foot is added to the axis, which makes all that stands on it lower.
    told = share / (1 + share * (len(groups) + 1)) > LEAST_BAR * point
    step = share * (high - low)
    ax.set_ylim(low - step * (len(groups) + 1), high)
    ax.axhline(low, color=EDGE, lw=0.8, zorder=1)
    left = ax.get_xlim()[0]
    thick = 3.5 if told else 2.5
    for i, g in enumerate(groups):
        begin = max(left, prepared(g))
        style = chosen[g.label]
        y = low - step * (i + 1)
        ax.plot([left, begin], [y, y], color=style.colour, lw=thick, solid_capstyle="butt")
        ax.plot([begin], [y], color=style.colour, marker=style.marker, ms=thick + 1.5)
        if told:
            _beside(ax, (begin, y), f"prepared after {text.seconds(prepared(g))}", style)
    return low


def _beside(ax: Axes, place: tuple[float, float], words: str, style: Style) -> None:
    """A few words to the right of a place; to the left where the room ends."""
    x = ax.transAxes.inverted().transform(ax.transData.transform(place))[0]
    right = x > 0.6
    ax.annotate(
        words, place, (-8 if right else 8, 0), textcoords="offset points", va="center_baseline",
        ha="right" if right else "left", size=9.5, color=style.ink, zorder=5, in_layout=False,
        bbox={"fc": "white", "ec": "none", "alpha": 0.85, "pad": 0.6},
    )  # fmt: skip


def prepared(g: Group) -> float:
    """Mean seconds before an arm's first training step."""
    return intervals.mean_of(intervals.start(r) for r in g.ok) or 0.0
