"""Many comparisons at once: which of them stand when all are allowed for, and how many more runs.

The family is declared by rule, before anything is measured: every arm against every one from
scratch, at one size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from scipy.special import stdtrit

from comparisons.findings import intervals
from comparisons.findings.view import View, from_scratch

ALPHA = 1 - intervals.CONFIDENCE
POWER = 0.8
MOST_SEEDS = 100
TIE = 0.01  # accuracies within a point of each other are as good as equal


def holm(chances: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Each p multiplied so that the chance of any false finding among them stays below 5 %.

    The smallest by their number, the next by one less, and none below one before it (Holm 1979, "A
    simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics
    6:65-70).
    """
    adjusted, least = {}, 0.0
    for place, (pair, p) in enumerate(sorted(chances.items(), key=lambda item: item[1])):
        least = max(least, min((len(chances) - place) * p, 1.0))
        adjusted[pair] = least
    return adjusted


def family(seen: View, size: int) -> dict[tuple[str, str], float]:
    """The adjusted p of every arm against every one from scratch at a size; by their labels.

    Empty with fewer than three seeds in common. A pair of two arms from scratch is there once.
    """
    groups = [g for g in seen.at(size) if g.ok]
    chances = {}
    for own in filter(from_scratch, groups):
        for other in groups:
            pair = (other.label, own.label)
            if other is own or pair[::-1] in chances:
                continue
            p = intervals.paired(other.ok, own.ok).summary.p
            if p is not None:
                chances[pair] = p
    return holm(chances)


def seeds_needed(
    spread: float, gap: float, overlap: float = 0.0, of_images: float = 0.0
) -> float | None:
    """How many seeds would show a difference of `gap` in four of five experiments.

    For differences by seed that spread so far (their standard deviation), at 95 % confidence:
    n with t(0.975) + t(0.8) <= gap / sqrt(spread² / n), both of n - 1 degrees of freedom (Student
    1908). What no number of seeds averages out comes on top of that variance: spread² * `overlap`
    where splits overlap (intervals.overlap), and `of_images`, by the draw of the test images. From
    three on, which an interval takes; infinite where none would do, None above a hundred.
    """

    def shown(n: float, freedom: float) -> bool:
        wanted = stdtrit(freedom, 1 - ALPHA / 2) + stdtrit(freedom, POWER)
        return bool(wanted * math.sqrt(spread**2 * (1 / n + overlap) + of_images) <= abs(gap))

    if not shown(math.inf, math.inf):
        return math.inf
    enough = range(intervals.MIN_SEEDS, MOST_SEEDS + 1)
    return next((n for n in enough if shown(n, n - 1)), None)


def tied(found: intervals.Summary) -> bool:
    """Whether the interval of a difference lies within a point of zero, on both sides."""
    low, high = found.low, found.high
    return low is not None and high is not None and low >= -TIE and high <= TIE
