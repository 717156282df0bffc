"""Pairs of arms: by how much they differ, and in a word what follows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from comparisons.findings import family, text, verdict
from comparisons.findings.view import View


@dataclass(frozen=True)
class Difference:
    """Two arms at one size, the more accurate first; fractions, by seed in `each`.

    `p` is that of findings.family, adjusted for all comparisons with training from scratch.
    """

    size: int
    first: str
    second: str
    gap: float
    each: tuple[tuple[int, float], ...]
    low: float | None
    high: float | None
    p: float | None
    says: str


def differences(seen: View) -> list[Difference]:
    """Every pair of arms at every size: what their seeds say, and in a word what follows."""
    found = []
    for size in seen.sizes:
        chances = family.family(seen, size)
        for a, b in combinations(seen.best_first(size), 2):
            p = chances.get((a.label, b.label), chances.get((b.label, a.label)))
            found.append(_difference(verdict.verdict(a, b), size, p))
    return found


def _difference(found: verdict.Verdict, size: int, p: float | None) -> Difference:
    s = found.paired.summary
    if s.low is not None:
        if found.tie:
            says = "a tie: the interval lies within a point of zero"
        elif s.includes_zero:
            says = "not told apart: the interval includes zero"
        else:
            says = f"{found.first.name} is more accurate on these seeds"
            if p is not None and p > family.ALPHA:
                says += ", but not when all comparisons with scratch are allowed for"
    elif s.n == 0:
        says = "no seed in common: a difference of means"
    else:
        says = f"{text.plural(s.n, 'seed')}: no interval"
        if abs(found.gap) < found.noise:
            says += "; no larger than the luck of drawing the test images"
    each = tuple(zip(found.paired.seeds, found.paired.differences, strict=True))
    return Difference(
        size, found.first.label, found.second.label, found.gap, each, s.low, s.high, p, says
    )
