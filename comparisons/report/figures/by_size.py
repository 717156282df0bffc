"""The figure over training-set sizes: what each arm reaches with how many images."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from comparisons.core.records import Record
from comparisons.findings import crossings, intervals, text
from comparisons.findings.view import View, accuracy, view
from comparisons.report.figures.arm_styles import Style, styles
from comparisons.report.figures.paper import PALE, WIDE, Paper, Sheet, styled
from comparisons.report.figures.style import End, name_lines, one_plot, percent_axis, where

# Of the axis, that lie at least between two sizes which are named at it.
NEAR, NEAR_NARROW = 0.095, 0.2
MARGIN = 1.15  # times the smallest and the largest size that the axis goes beyond them


@styled
def accuracy_by_images(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Test accuracy against the number of training images, and where the headline's arms cross."""
    seen = view(records)
    found = crossings.leading(seen)
    crosses = found if found and found.outcome == "between" else None
    labels = [seen.name(label) for label in seen.labels]
    note = _note(seen, bool(crosses))
    fig, ax = one_plot(crossings.title(found, seen), note, paper, labels, 4.8)
    chosen = styles(seen.labels)
    ends = [end for label in seen.labels if (end := _line(ax, seen, label, chosen[label]))]
    ax.set_xscale("log")
    if seen.sizes:
        ax.set_xlim(seen.sizes[0] / MARGIN, seen.sizes[-1] * MARGIN)
    share = NEAR_NARROW if paper.narrow else NEAR
    ax.xaxis.set_major_locator(FixedLocator(_apart(seen.sizes, share)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: text.count(n)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("training images (log scale)")
    ax.set_ylabel("test accuracy")
    percent_axis(ax.yaxis)
    if crosses:
        _mark(ax, crosses)
    name_lines(fig, [ax], [ends], paper)
    return fig


def _note(seen: View, crosses: bool) -> str:
    bars = any(accuracy(g).low is not None for g in seen.groups)
    spans = f" Upright bars: {intervals.METHOD} of the mean." if bars else ""
    shade = " Shade: where the two may be even." if bars and crosses else ""
    return f"{where(seen, None)}. Small points: seeds; lines: their means.{spans}{shade}"


def _line(ax: Axes, seen: View, label: str, style: Style) -> End | None:
    """One arm: a point for each run, a line through the means; where that ends."""
    means = []
    for g in seen.by_arm.get(label, {}).values():
        runs = [value for r in g.ok if (value := intervals.accuracy(r)) is not None]
        ax.plot([g.train_size] * len(runs), runs, ls="", marker=style.marker, ms=4.5, alpha=0.5,
                color=style.colour, mec="white", mew=0.3)  # fmt: skip
        s = accuracy(g)
        if s.mean is not None:
            means.append((g.train_size, s.mean))
        if s.low is not None and s.high is not None:
            ax.plot([g.train_size] * 2, [s.low, s.high], color=style.colour, lw=1.2, alpha=0.8)
    if not means:
        return None
    xs, ys = zip(*means, strict=True)
    ax.plot(xs, ys, color=style.colour, lw=2, marker=style.marker, ms=7, mec="white", zorder=4)
    return End(xs[-1], ys[-1], seen.name(label), text.percent(ys[-1]), style)


def _mark(ax: Axes, found: crossings.Crossing) -> None:
    """Where the two cross: a line at the estimate, a shade over its interval."""
    images = found.images
    assert images.estimate is not None
    if images.low or images.high:
        ax.axvspan(
            images.low or found.measured[0],
            images.high or found.measured[1],
            color="#000",
            alpha=0.06,
            lw=0,
        )
    ax.axvline(images.estimate, color=PALE, lw=1.2, ls=(0, (4, 3)), zorder=1)
    ax.annotate(
        f"even at about\n{text.about(images.estimate)} images",
        (images.estimate, 0.02),
        xycoords=("data", "axes fraction"),
        ha="center",
        va="bottom",
        size=10.5,
        color=PALE,
        bbox={"fc": "white", "ec": "none", "pad": 1},
    )


def _apart(sizes: Sequence[int], share: float) -> list[int]:
    """The sizes that have a tick: each that share of the axis after the one before."""
    kept: list[int] = []
    least = (sizes[-1] / sizes[0] * MARGIN**2) ** share if len(sizes) else 1.0
    for size in sizes:
        if not kept or size >= least * kept[-1]:
            kept.append(size)
    return kept
