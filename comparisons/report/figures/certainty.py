"""The reliability diagram: how often an arm is right among the images it is equally sure of."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from comparisons.core.records import Record
from comparisons.findings import certainty, race, text
from comparisons.findings.groups import Group
from comparisons.findings.view import view
from comparisons.report.figures.arm_styles import Style, styles
from comparisons.report.figures.paper import PALE, WIDE, Paper, Sheet, sheet, styled
from comparisons.report.figures.style import in_lines, percent_axis, where

MOST = 6  # panels
TICKS = [0.0, 0.25, 0.5, 0.75, 1.0]
LEAST = 5.0  # inches that two panels need
ABOVE = 34  # letters of a line of a name above a panel


@styled
def reliability(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Accuracy against certainty, a panel for each arm: solid as it is, dashed after scaling."""
    seen = view(records)
    groups = certainty.shown(seen)[:MOST]
    if paper.height:  # room for two
        groups = [*(race.rivals(groups) or groups)]
    most = 1 if paper.width < LEAST else 2 if paper.narrow or len(groups) == 4 else 3
    columns = min(max(len(groups), 1), most)
    rows = max(1, -(-len(groups) // columns))
    note = (
        f"{where(seen, seen.size)}. Solid: as the network says; dashed: scaled by a temperature. "
        "On the grey line certainty is right; error: mean distance from it over images."
    )
    side = 2.1 if paper.narrow else 2.9
    fig, axes = sheet(certainty.title(records), note, paper, rows * side, (rows, columns))
    chosen = styles(seen.labels)
    for i, (ax, g) in enumerate(zip(axes, groups, strict=False)):
        _panel(ax, g, seen.name(g.label), chosen[g.label], paper)
        if i % columns == 0:
            ax.set_ylabel("accuracy")
        if i + columns >= len(groups):
            ax.set_xlabel("certainty")
    for ax in axes[len(groups) :]:
        ax.set_axis_off()
    return fig


def _panel(ax: Axes, g: Group, name: str, style: Style, paper: Paper) -> None:
    noted = certainty.known(g)
    ax.plot([0, 1], [0, 1], color=PALE, lw=1, zorder=1)
    for bins, dash in ((certainty.pooled([one.bins for one in noted]), "-"),
                       (certainty.pooled([one.bins_scaled for one in noted]), "--")):  # fmt: skip
        ax.plot(
            [b.certainty for b in bins], [b.accuracy for b in bins], ls=dash, lw=2,
            color=style.colour, marker=style.marker if dash == "-" else "", ms=5,
            alpha=1.0 if dash == "-" else 0.8,
        )  # fmt: skip
    before, after = (text.percent(value) for value in certainty.errors(g))
    ax.set_title(in_lines(name, ABOVE), color=style.ink, size=11)
    ax.text(
        0.04, 0.95, f"error {before}\nscaled {after}", transform=ax.transAxes, va="top", size=10
    )
    ax.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (ax.xaxis, ax.yaxis):
        percent_axis(axis)
        axis.set_major_locator(FixedLocator([0.0, 0.5, 1.0] if paper.narrow else TICKS))
