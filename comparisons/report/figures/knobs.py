"""Figures of knobs: the curve of a range test, and signals and gradients before training."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from comparisons.core.records import RangeTest, Record
from comparisons.findings import knobs as said_of_knobs
from comparisons.findings.names import shortened
from comparisons.findings.view import View, view
from comparisons.report.figures.arm_styles import styles
from comparisons.report.figures.paper import INK, PALE, WIDE, Paper, Sheet, sheet, styled
from comparisons.report.figures.style import BESIDE_LETTERS, End, key_height, name_lines, where

CURVE = "#0072B2"
ROOM = 1.5  # times the loss at the start, the most that the axis of losses shows
PARTS = (
    ("weights", "weights"),
    ("activations", "what comes out"),
    ("gradients", "gradients of the weights"),
)


@styled
def range_test(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Loss against the learning rate of a range test, and the rate that it chose."""
    seen = view(records)
    tests = said_of_knobs.tests_of(seen)
    each = ", one for each seed" if len(tests) > 1 else ""
    note = (
        f"{where(seen, seen.size)}. Rates rise step by step, then all is taken back. Thin: the "
        f"loss of each step; thick: their moving average{each}. Dotted: the rates trained at."
    )
    fig, (ax,) = sheet(
        said_of_knobs.range_title(records), note, paper, 3.4 if paper.narrow else 4.6
    )
    for _, test in tests:
        _curve(ax, test)
    _limits(ax, [test for _, test in tests])
    for test in {test.chosen: test for _, test in tests}.values():
        _chosen(ax, test)
    _used(ax, seen, paper)
    ax.set_xscale("log")
    powers(ax.xaxis, 6 if paper.narrow else 10)
    ax.set_xlabel("learning rate (log scale)")
    ax.set_ylabel("loss (lower is better)")
    return fig


@styled
def at_start(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Spread of weights, outputs and gradients of every layer before training, a line a variant."""
    seen = view(records)
    found = said_of_knobs.starts(seen)
    names = [seen.name(label) for label in found]
    note = (
        f"{where(seen, seen.size)}. Standard deviations in the untrained network, layer by layer "
        "from the input (log scale). A line that falls or rises evenly changes by the same factor "
        "in every layer."
    )
    height = 2.5 * len(PARTS) if paper.narrow else 3.6
    grid = (len(PARTS), 1) if paper.narrow else (1, len(PARTS))
    height += key_height(names, paper)
    fig, axes = sheet(said_of_knobs.start_title(records), note, paper, height, grid)
    chosen = styles(seen.labels)
    ends: list[list[End]] = []
    for ax, (field, heading) in zip(axes, PARTS, strict=True):
        ends.append([])
        for label, layers in found.items():
            style = chosen[label]
            values = [getattr(layer, field) for layer in layers]
            line = [(i, v) for i, v in enumerate(values, start=1) if v]
            ax.plot(
                [x for x, _ in line], [y for _, y in line], color=style.colour, lw=2.2,
                marker=style.marker, ms=5.5, mec="white", mew=0.6, markevery=2,
            )  # fmt: skip
            if line:
                ends[-1].append(End(*line[-1], seen.name(label), "", style))
        ax.set_title(heading, color=PALE)
        ax.set_yscale("log")
        powers(ax.yaxis, 7)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        ax.set_xlabel("layer")
    name_lines(fig, axes, ends, paper)
    return fig


def powers(axis: Axis, most: int) -> None:
    """Ticks at powers of ten, written without math text, at most so many."""
    axis.set_major_locator(LogLocator(numticks=most))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(
        FuncFormatter(lambda v, _: f"10{str(round(math.log10(v))).translate(said_of_knobs.RAISED)}")
    )


def _curve(ax: Axes, test: RangeTest) -> None:
    for values, look in (
        (test.losses, {"lw": 0.8, "alpha": 0.4}),
        (test.smoothed, {"lw": 2.6}),
    ):
        line = [(x, y) for x, y in zip(test.rates, values, strict=True) if y is not None]
        ax.plot([x for x, _ in line], [y for _, y in line], color=CURVE, **look)  # type: ignore[arg-type]


def _limits(ax: Axes, tests: Sequence[RangeTest]) -> None:
    """Room for the start and the bottom: where the loss breaks out it may leave the picture."""
    known = [v for test in tests for v in test.smoothed if v is not None]
    if known:
        first = max(v for test in tests for v in test.smoothed[:1] if v is not None)
        raw = [v for test in tests for v in test.losses if v is not None]
        low, high = min(known + raw), min(max(known), ROOM * first)
        margin = 0.08 * (high - low) or 0.05
        ax.set_ylim(low - margin, high + 2 * margin)


def _chosen(ax: Axes, test: RangeTest) -> None:
    """The chosen rate, and the bottom that it follows from."""
    step = said_of_knobs.bottom(test)
    lowest = test.smoothed[step]
    assert lowest is not None
    ax.axvline(test.chosen, color=INK, lw=1.6)
    ax.plot([test.rates[step]], [lowest], marker="v", ms=9, color=INK, zorder=5)
    for x, y, words, place in (
        (test.chosen, 0.03, f"chosen {test.chosen:.2g}", "axes fraction"),
        (test.rates[step], lowest, "lowest", "data"),
    ):
        ax.annotate(
            words, (x, y), (5, 0) if place != "data" else (8, 3), xycoords=("data", place),
            textcoords="offset points", weight="bold", size=10.5,
        )  # fmt: skip


def _used(ax: Axes, seen: View, paper: Paper) -> None:
    """The rates that the variants trained at, dotted, each in its colour."""
    chosen = styles(seen.labels)
    for g in seen.at(seen.size):
        known = [r for r in g.records if r.history and r.range_test]
        if not known:
            continue
        style, rates = chosen[g.label], [r.history[0].learning_rate for r in known]
        # The chosen rate has a line already.
        if not math.isclose(rates[0], known[0].range_test.chosen, rel_tol=1e-3):  # type: ignore[union-attr]
            ax.axvline(rates[0], color=style.colour, lw=1.6, ls=":")
        ax.annotate(
            shortened(seen.name(g.label), BESIDE_LETTERS), (rates[0], 0.97), (4, 0),
            xycoords=("data", "axes fraction"), textcoords="offset points", va="top",
            color=style.ink, size=10 if paper.narrow else 11,
        )  # fmt: skip
