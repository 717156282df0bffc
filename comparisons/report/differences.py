"""Pairs of arms: by how much they differ, and in a word what follows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from comparisons.findings import text, verdict
from comparisons.findings.view import View


@dataclass(frozen=True)
class Difference:
    """Two arms at one size, the more accurate first; fractions, by seed in `each`."""

    size: int
    first: str
    second: str
    gap: float
    each: tuple[tuple[int, float], ...]
    low: float | None
    high: float | None
    says: str


def differences(seen: View) -> list[Difference]:
    """Every pair of arms at every size: what their seeds say, and in a word what follows."""
    return [
        _difference(verdict.verdict(a, b), size)
        for size in seen.sizes
        for a, b in combinations(seen.best_first(size), 2)
    ]


def _difference(found: verdict.Verdict, size: int) -> Difference:
    s = found.paired.summary
    if s.low is not None:
        says = (
            "not told apart: the interval includes zero"
            if s.includes_zero
            else f"{found.first.name} is more accurate on these seeds"
        )
    elif s.n == 0:
        says = "no seed in common: a difference of means"
    else:
        says = f"{text.plural(s.n, 'seed')}: no interval"
        if abs(found.gap) < found.noise:
            says += "; no larger than the luck of drawing the test images"
    each = tuple(zip(found.paired.seeds, found.paired.differences, strict=True))
    return Difference(
        size, found.first.label, found.second.label, found.gap, each, s.low, s.high, says
    )
