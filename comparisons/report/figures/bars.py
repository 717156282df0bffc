"""Figures of what runs ended with: final accuracy, where the time went, what was confused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from comparisons.core.records import Record
from comparisons.findings import intervals, race, text, titles, verdict
from comparisons.findings.groups import Group
from comparisons.findings.view import View, method, view, warm
from comparisons.findings.view import accuracy as accuracy_of
from comparisons.report.figures.arm_styles import Style, styles
from comparisons.report.figures.paper import INK, WIDE, Paper, Sheet, sheet, styled
from comparisons.report.figures.style import (
    LEAST_SPAN,
    MANY,
    in_lines,
    percent_axis,
    where,
)

# Of three kinds, each light to dark in reading order; none is an arm's colour. Learning is solid,
# measuring hatched, watching empty: they stay apart in grey.
PART_COLOURS = {
    "reading data": "#f0e6c8",
    "setting up": "#d6c39c",
    "the source phase": "#96654e",
    "compiling": "#8c8c8c",
    "passing training images through the frozen base": "#c9b458",
    "training": "#35506b",
    "passing validation and test images through the frozen base": "#efe3a8",
    "validating": "#b7c9d9",
    "testing": "#8fa9bf",
    "testing on corrupted images": "#8a6480",
    "watching": "#ffffff",
}
# The kinds of a bill: what each is called, its parts, its bar's height and its hatching.
KINDS = (
    ("learning", titles.LEARNING, 0.40, ""),
    ("measuring", titles.MEASURING, 0.20, "////"),
    ("watching", titles.WATCHING, 0.20, "...."),
)
KEYED = 36  # letters of a line of the key
LEAST_SHOWN = 0.004  # of the longest bar
LINE = 1.25 / 72  # inches of a line of a name, for each point of its letters
# Letters of a line of a name: beside bars, and above a matrix that has a third of the width.
BESIDE, ABOVE = 30, 24
BESIDE_NARROW = 20
MOST_MATRICES = 6
MOST_CLASSES = 12  # beyond this, names and numbers in a confusion matrix cannot be read


@styled
def final(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Test accuracy at the main size, a row for each arm, every seed a point."""
    seen = view(records)
    groups = seen.ranked(seen.size)
    height = 1.0 + max(1, len(groups)) * _row(seen, groups, paper)
    few = all(accuracy_of(g).low is None for g in groups)
    bar = "too few seeds for an interval" if few else f"line: {method(seen)}"
    mean = ", upright mark: their mean" if any(len(g.ok) > 1 for g in groups) else ""
    note = f"{where(seen, seen.size)}. Point: a seed{mean}; {bar}."
    fig, (ax,) = sheet(titles.final(records), note, paper, height)
    chosen = styles(seen.labels)
    for i, g in enumerate(groups):
        if g.ok:
            _seeds(ax, g, i, chosen[g.label])
        else:
            _aside(ax, g, i, chosen[g.label])
    _arm_axis(ax, seen, groups, chosen, paper)
    low, high = ax.get_xlim()
    span = max(high - low, LEAST_SPAN)  # a small gap must not look like a large one
    low = (low + high - span) / 2
    ax.set_xlim(low - 0.05 * span, low + (1.3 if paper.narrow else 1.15) * span)
    ax.set_xlabel("test accuracy")
    percent_axis(ax.xaxis)
    ax.locator_params(axis="x", nbins=4 if paper.narrow else 7)
    ax.grid(False, axis="y")
    return fig


@styled
def split(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """Where the seconds of a run went, one stacked bar for each arm."""
    seen = view(records)
    groups = seen.ranked(seen.size)
    kinds = [kind for kind in KINDS if any(_spent(g, kind) for g in groups)]
    rows = 1.3 * len(groups) * _row(seen, groups, paper)
    height = 2.0 + rows + (1.2 if paper.narrow else 0.3)
    afresh = "source phases and features" if any(map(_has_source, groups)) else "features"
    note = (
        f"{where(seen, seen.size)}. Mean over seeds; {afresh} made afresh (cold). Learning is paid "
        "for the trained network, measuring to know how good it is"
    )
    note += ", watching for neither." if KINDS[-1] in kinds else "."
    fig, (ax,) = sheet(titles.split(records), note, paper, height)
    chosen = styles(seen.labels)
    used: dict[str, str] = {}
    longest = max((_spent(g, kind) for g in groups for kind in kinds), default=0.0) or 1.0
    for i, g in enumerate(groups):
        top = i - sum(high for _, _, high, _ in kinds) / 2
        for kind, parts, high, hatch in kinds:
            middle, left = top + high / 2, 0.0
            for name, seconds in titles.bill(g, parts).items():
                if seconds > LEAST_SHOWN * longest:
                    used[name] = hatch
                    ax.barh(
                        middle, seconds, left=left, height=0.85 * high, color=PART_COLOURS[name],
                        ec="#777777", hatch=hatch, lw=0.8,
                    )  # fmt: skip
                left += seconds
            if g.ok and left > LEAST_SHOWN * longest:
                _total(ax, g, kind, middle, left, paper)
            top += high
    _arm_axis(ax, seen, groups, chosen, paper)
    ax.set_xlim(0, longest * (1.7 if paper.narrow else 1.3))
    ax.set_xlabel("seconds")
    ax.grid(False, axis="y")
    handles = [
        Patch(fc=colour, ec="#777777", hatch=used[name], label=fill(name, KEYED), lw=0.8)
        for name, colour in PART_COLOURS.items()
        if name in used
    ]
    if handles:
        ax.figure.legend(
            handles=handles, loc="lower left", ncols=1 if paper.narrow else 2,
            frameon=False, columnspacing=1.2, handlelength=1.6, borderaxespad=0.2,
        )  # fmt: skip
    return fig


def _spent(g: Group, kind: tuple[str, dict[str, titles.Fields], float, str]) -> float:
    return sum(titles.bill(g, kind[1]).values())


def _has_source(g: Group) -> bool:
    return any(r.seconds.source_cold for r in g.ok)


@styled
def confusion(records: Sequence[Record], paper: Paper = WIDE) -> Sheet:
    """What is taken for what, a matrix for each arm; each row adds up to 100 %."""
    seen = view(records)
    every = [g for g in seen.best_first(seen.size) if intervals.mean_confusion(g.ok)]
    groups = every[:MOST_MATRICES]
    if paper.height:  # room for two
        groups = [*(race.rivals(every) or groups)]
    columns = 1 if paper.narrow else 2 if len(groups) == 4 else min(max(1, len(groups)), 3)
    rows = max(1, -(-len(groups) // columns))
    note = (
        f"{where(seen, seen.size)}. A row is a true class, a column what it was called; "
        "numbers are per cent of the row, mean over seeds."
    )
    if len(groups) < len(every):
        note += f" The {len(groups)} most accurate of {len(every)} arms."
    side = 3.9 if paper.narrow else 9.0 / max(columns, 2)
    fig, axes = sheet(titles.confusion(records), note, paper, rows * side, (rows, columns))
    chosen = styles(seen.labels)
    for ax, g in zip(axes, groups, strict=False):
        _matrix(ax, g, seen.name(g.label), chosen[g.label], columns)
    for ax in axes[len(groups) :]:
        ax.set_axis_off()
    return fig


def _row(seen: View, groups: Sequence[Group], paper: Paper) -> float:
    """Inches from one arm to the next, where the highest two names side by side have room."""
    lines = [_beside(seen, g, paper).count("\n") + 1 for g in groups]
    most = max((a + b for a, b in pairwise(lines)), default=2) / 2
    few = len(groups) <= MANY
    least = (0.75 if few else 0.6) if paper.narrow else 0.66 if few else 0.46
    return max(least, LINE * paper.size * most)


def _seeds(ax: Axes, g: Group, row: int, style: Style) -> None:
    """Every seed of an arm as a point, their mean, and their interval where there is one."""
    s = accuracy_of(g)
    values = [r.test.accuracy for r in g.ok if r.test]
    step = 0.22 / len(values)
    heights = [row + step * (k - (len(values) - 1) / 2) for k in range(len(values))]
    if s.low is not None and s.high is not None:
        ax.plot([s.low, s.high], [row, row], color=style.colour, lw=5, alpha=0.35)
    ax.plot(
        values, heights, ls="", marker=style.marker, ms=9, color=style.colour, mec="white", mew=0.6
    )
    if len(values) > 1:
        ax.plot([s.mean or 0.0], [row], marker="|", ms=26, mew=2.5, color=INK)
    ax.annotate(
        text.percent(s.mean), (max([*values, s.high or 0.0]), row), (12, 0),
        textcoords="offset points", va="center", weight="bold", color=style.ink,
    )  # fmt: skip


def _aside(ax: Axes, g: Group, row: int, style: Style) -> None:
    """What runs reached that did not end well: hollow points, their mean in brackets."""
    values = [r.test.accuracy for r in g.aside if r.test]
    if not values:
        return
    ax.plot(values, [row] * len(values), ls="", marker=style.marker, ms=9, mfc="none",
            mec=style.colour)  # fmt: skip
    ax.annotate(
        f"({text.percent(intervals.mean_of(values))})", (max(values), row), (12, 0),
        textcoords="offset points", va="center", color=style.ink,
    )  # fmt: skip


def _arm_axis(
    ax: Axes, seen: View, groups: Sequence[Group], chosen: dict[str, Style], paper: Paper
) -> None:
    """The arms from top to bottom, each in its colour; what did not end well stands under it."""
    ax.set_yticks(range(len(groups)), labels=[_beside(seen, g, paper) for g in groups])
    for tick, g in zip(ax.get_yticklabels(), groups, strict=True):
        tick.set_color(chosen[g.label].ink)
    ax.set_ylim(max(0.6, len(groups) - 0.4), -0.6)
    ax.tick_params(axis="y", length=0)


def _beside(seen: View, g: Group, paper: Paper) -> str:
    """An arm's name beside its row, and under it what did not end well."""
    name = in_lines(seen.name(g.label), BESIDE_NARROW if paper.narrow else BESIDE)
    return f"{name}\n{verdict.notes(g)}" if verdict.notes(g) else name


def _total(ax: Axes, g: Group, kind: str, height: float, right: float, paper: Paper) -> None:
    """What a bar is, and its seconds; of learning also what it takes with features found ready."""
    words = f"{kind} {text.seconds(right)}"
    if kind == "learning" and (fast := warm(g)) is not None and fast < 0.95 * right:
        words += f"{chr(10) if paper.narrow else ' '}({text.seconds(fast)} warm)"
    ax.annotate(
        words, (right, height), (6, 0), textcoords="offset points", va="center",
        weight="bold" if kind == "learning" else "normal",
    )  # fmt: skip


def _matrix(ax: Axes, g: Group, name: str, style: Style, columns: int) -> None:
    matrix = intervals.mean_confusion(g.ok) or []
    ax.imshow(matrix, cmap="Blues", vmin=0, vmax=1, aspect="equal", interpolation="nearest")
    ax.set_title(
        in_lines(name, ABOVE if columns > 2 else 2 * ABOVE),
        color=style.ink,
        weight="bold",
        size=10 if columns > 2 else 11,
    )
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    if len(matrix) > MOST_CLASSES:
        ax.set_xticks([])
        ax.set_yticks([])
        return
    size = 8.5 if columns > 2 else 9.5
    names = [text.clean(n)[:11] for n in g.records[0].data.classes]
    names += [str(i) for i in range(len(names), len(matrix))]
    names = names[: len(matrix)]
    ax.set_xticks(range(len(matrix)), labels=names, rotation=90, size=size)
    ax.set_yticks(range(len(matrix)), labels=names, size=size)
    for i, row in enumerate(matrix):
        for j, share in enumerate(row):
            if i == j or share >= 0.05:
                colour = "white" if share > 0.5 else INK
                ax.text(j, i, f"{100 * share:.0f}", ha="center", va="center", color=colour,
                        size=size, in_layout=False)  # fmt: skip
