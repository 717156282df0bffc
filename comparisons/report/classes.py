"""Each class by itself: how many of its test images each arm names rightly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from comparisons.findings import intervals, text
from comparisons.findings.names import shortened
from comparisons.findings.view import View
from comparisons.report.tables import Column, Grid, grid

MOST = 12  # classes that have room
MOST_LETTERS = 20  # of a class's name


@dataclass(frozen=True)
class ByClass:
    """An arm, and its accuracy on each class: the mean over seeds."""

    label: str
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Classes:
    """The table, and how many classes it has of how many."""

    table: Grid[ByClass]
    shown: int
    all: int


def classes(seen: View) -> Classes | None:
    """Accuracy by class at the main size; of many classes those that arms differ on most.

    None where no confusion was noted.
    """
    rows = []
    for g in seen.best_first(seen.size):
        if matrix := intervals.mean_confusion(g.ok):
            rows.append(ByClass(g.label, tuple(row[i] for i, row in enumerate(matrix))))
    names = seen.records[0].data.classes
    rows = [row for row in rows if len(row.shares) == len(names)]
    if not rows:
        return None
    each = list(zip(*(row.shares for row in rows), strict=True))
    apart = sorted(range(len(names)), key=lambda i: min(each[i]) - max(each[i]))
    kept = sorted(apart[:MOST])
    columns = [Column(shortened(names[i], MOST_LETTERS), partial(_share, place=i)) for i in kept]
    return Classes(grid(columns, rows), len(kept), len(names))


def _share(row: ByClass, place: int) -> str:
    return text.percent(row.shares[place])
