"""What the headline's two arms disagree on: how often, and of which test images both are sure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from comparisons.core import predictions
from comparisons.findings import intervals, race
from comparisons.findings.groups import Group
from comparisons.findings.view import View

SHOWN = 10  # images on which two arms disagree


@dataclass(frozen=True)
class Disputes:
    """Test images that two arms answer differently, by the seed that both have answers of.

    `rows` int64 [n] are all of them, those first that both are sure of; `images` how many test
    images there are.
    """

    pair: tuple[Group, Group]
    seed: int
    rows: np.ndarray
    images: int

    @property
    def records(self) -> list[str]:
        """The IDs of the two runs, in the order of the pair."""
        return [r.id for g in self.pair for r in g.ok if r.seed == self.seed]


def own_test_set(seen: View) -> int | None:
    """The seed whose test images are shown, where each seed has some of its own."""
    drawn = seen.records and seen.records[0].data.drawn_from
    return min(r.seed for r in seen.records) if drawn else None


def disputes(folder: Path, seen: View) -> Disputes | None:
    """What the headline's two arms answered differently; None where their answers are not kept."""
    pair = race.rivals(seen.best_first(seen.size))
    if pair is None:
        return None
    first, second = ({r.seed: r for r in g.ok} for g in pair)
    only = own_test_set(seen)
    for seed in sorted(first.keys() & second.keys() & ({only} if only is not None else {*first})):
        one, other = (predictions.shares(folder, runs[seed]) for runs in (first, second))
        if one is not None and other is not None:
            return Disputes(pair, seed, surest(one, other), len(one))
    return None


def surest(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Rows that two arms answer differently, by their certainties [n, classes].

    Those first of which the less certain of the two is most certain.
    """
    differ = np.flatnonzero(one.argmax(axis=1) != other.argmax(axis=1))
    both = np.minimum(one.max(axis=1), other.max(axis=1))[differ]
    return differ[np.argsort(-both, kind="stable")]


def shares_right(seen: View) -> tuple[float, float, float, float] | None:
    """Shares of the test images that both of the headline's arms name rightly, one alone, neither.

    The first is the more accurate; means over the seeds that both have. None where it was not
    noted which images each named rightly.
    """
    pair = race.rivals(seen.best_first(seen.size))
    if pair is None:
        return None
    first, second = ({r.seed: intervals.answers(r) for r in g.ok} for g in pair)
    each = []
    for seed in first.keys() & second.keys():
        a, b = first[seed], second[seed]
        if a is not None and b is not None and len(a) == len(b):
            x, y = a.astype(bool), b.astype(bool)
            each.append([(x & y).mean(), (x & ~y).mean(), (~x & y).mean(), (~x & ~y).mean()])
    if not each:
        return None
    both, one, other, neither = np.mean(each, axis=0).tolist()
    return both, one, other, neither
