"""The figure of robustness: accuracy as test images are corrupted more and more."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from comparisons.core.records import Record
from comparisons.findings import robustness, text
from comparisons.findings.groups import Group
from comparisons.findings.view import View, view
from comparisons.report.figures.arm_styles import Style, styles
from comparisons.report.figures.paper import PALE, WIDE, Paper, Sheet, sheet, styled
from comparisons.report.figures.style import End, key_height, name_lines, percent_axis, where


@styled
def by_severity(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Accuracy against severity, a panel for each corruption and one for the mean of all."""
    seen = view(records)
    groups = robustness.shown(seen)
    panels = [*robustness.corruptions(groups), None]
    columns = 2 if paper.narrow else 3
    rows = -(-len(panels) // columns)
    note = (
        f"{where(seen, seen.size)}. {text.count(robustness.images(groups))} test images, the same "
        "for all; 0 is as they are, 1 hardly seen, 5 worst; means over seeds."
    )
    names = [seen.name(g.label) for g in groups]
    height = rows * (1.75 if paper.narrow else 2.3) + key_height(names, paper)
    fig, axes = sheet(
        robustness.title(records), note, paper, height, (rows, columns), sharex=True, sharey=True
    )
    chosen = styles(seen.labels)
    ends = []
    for i, (ax, name) in enumerate(zip(axes, panels, strict=False)):
        ax.set_title(name or "mean of all", color=PALE)
        ends.append([_line(ax, seen, g, name, chosen[g.label]) for g in groups])
        if i % columns == 0:
            ax.set_ylabel("accuracy")
        if i + columns >= len(panels):
            ax.set_xlabel("severity")
            ax.tick_params(labelbottom=True)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    percent_axis(axes[0].yaxis)
    name_lines(fig, axes[: len(panels)], ends, paper)
    return fig


def _line(ax: Axes, seen: View, g: Group, corruption: str | None, style: Style) -> End:
    """One arm's mean at each severity; where the line ends."""
    course = robustness.course(g, corruption)
    xs, ys = zip(*course, strict=True)
    ax.plot(xs, ys, color=style.colour, lw=2, marker=style.marker, ms=6, mec="white",
            mew=0.5)  # fmt: skip
    ax.xaxis.set_major_locator(FixedLocator(xs))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0f}"))
    return End(xs[-1], ys[-1], seen.name(g.label), text.percent(ys[-1]), style)
