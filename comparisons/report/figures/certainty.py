"""Figures of certainty: how often an arm is right when it is so sure, and what silence gains.

The reliability diagram, and risk against coverage (El-Yaniv & Wiener 2010, Journal of Machine
Learning Research 11:1605-1641; Geifman & El-Yaniv 2017, arXiv:1705.08500).
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from comparisons.core.parts import RISK
from comparisons.core.records import Record
from comparisons.findings import certainty, race, text
from comparisons.findings.groups import Group
from comparisons.findings.view import view
from comparisons.report.figures.arm_styles import Style, styles
from comparisons.report.figures.paper import PALE, WIDE, Paper, Sheet, sheet, styled
from comparisons.report.figures.style import (
    End,
    in_lines,
    name_lines,
    one_plot,
    percent_axis,
    where,
)

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
        0.04, 0.95, f"error {before}\nscaled {after}", transform=ax.transAxes, va="top", size=10,
        in_layout=False,
    )  # fmt: skip
    ax.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (ax.xaxis, ax.yaxis):
        percent_axis(axis)
        axis.set_major_locator(FixedLocator([0.0, 0.5, 1.0] if paper.narrow else TICKS))


@styled
def risk(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """The share of wrong answers against the share of images answered, the surest first."""
    seen = view(records)
    arms = certainty.selective(seen)
    note = (
        f"{where(seen, seen.size)}. The surest answers first, certainty scaled; means over seeds. "
        "Large: at the threshold that validation images chose, "
        f"for {text.percent(RISK, 0)} wrong (grey line)."
    )
    names = [seen.name(one.group.label) for one in arms]
    fig, ax = one_plot(certainty.selective_title(records), note, paper, names, 3.6, narrow=2.6)
    chosen = styles(seen.labels)
    ax.axhline(RISK, color=PALE, lw=1, zorder=1)
    ends = []
    for one, name in zip(arms, names, strict=True):
        style = chosen[one.group.label]
        ax.plot(one.coverages, one.risks, color=style.colour, lw=2)
        if one.answered and one.wrong is not None:
            ax.plot(
                one.answered, one.wrong, color=style.colour, marker=style.marker, ms=11, ls="",
                mec="white", mew=0.8, zorder=4, clip_on=False,
            )  # fmt: skip
        ends.append(End(1.0, one.risks[-1], name, text.percent(one.risks[-1]), style))
    ax.set(xlim=(0, 1.0), ylim=(0, None), xlabel="images answered", ylabel="wrong answers")
    for axis in (ax.xaxis, ax.yaxis):
        percent_axis(axis)
    name_lines(fig, [ax], [ends], paper)
    return fig
