"""Two arms over training-set sizes: where one overtakes the other, and how sure that is.

Between two sizes that were measured the difference in accuracy is taken as linear in the
logarithm of the number of images. Nothing is said of sizes beyond those that were measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np

from comparisons.core.records import Record
from comparisons.findings import intervals
from comparisons.findings.intervals import Summary

# Of the number of images at which two arms are even: it lies between two sizes, above all that
# were measured, below them, or these runs do not say.
Outcome = Literal["between", "above", "below", "not resolved"]

STEPS = 48  # looks between two sizes: how fine the ends of an interval are found before halving
HALVINGS = 30


class Images(msgspec.Struct, frozen=True):
    """A number of training images and its 95 % interval; an open end is null."""

    estimate: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """A difference in accuracy at several sizes, ascending: by seed, and by test image.

    `by_seed` [sizes, seeds]; `by_image` [sizes, images] is the mean over seeds, None where it is
    not known what each run named rightly. `overlap` is what the splits of seeds have in common
    (intervals.overlap).
    """

    sizes: tuple[int, ...]
    by_seed: np.ndarray
    by_image: np.ndarray | None = None
    overlap: float = 0.0

    @property
    def ends(self) -> tuple[int, int]:
        """The first and the last size: nothing is said beyond."""
        return self.sizes[0], self.sizes[-1]

    def at(self, images: float) -> Summary:
        """The difference with so many images, from the first size to the last."""
        logs = np.log(self.sizes)
        place = int(np.clip(np.searchsorted(self.sizes, images) - 1, 0, len(self.sizes) - 2))
        share = (math.log(images) - logs[place]) / (logs[place + 1] - logs[place])
        weights = np.zeros(len(self.sizes))
        weights[place : place + 2] = 1 - share, share
        luck = None if self.by_image is None else intervals.of_images([weights @ self.by_image])
        return intervals.summarise((weights @ self.by_seed).tolist(), luck, self.overlap)

    def turned(self) -> Curve:
        """The same with the arms exchanged."""
        images = None if self.by_image is None else -self.by_image
        return Curve(self.sizes, -self.by_seed, images, self.overlap)


def difference(
    a: Mapping[int, Sequence[Record]], b: Mapping[int, Sequence[Record]]
) -> Curve | None:
    """Accuracy a - b of two arms, whose runs come by size, at the sizes that both have.

    Over the seeds that ended well everywhere. A size with too few seeds for an interval is left
    out where two others have enough: a single run that failed would cost all of them theirs. None
    with fewer than two sizes or without a seed.
    """
    ended = [{n: {r.seed: r for r in some if intervals.accuracy(r) is not None}
              for n, some in arm.items() if n > 0} for arm in (a, b)]  # fmt: skip
    shared = {n: ended[0][n].keys() & ended[1][n].keys() for n in ended[0].keys() & ended[1].keys()}
    enough = [n for n, seeds in shared.items() if len(seeds) >= intervals.MIN_SEEDS]
    sizes = tuple(sorted(enough if len(enough) > 1 else (n for n in shared if shared[n])))
    seeds = sorted(set.intersection(*(set(shared[n]) for n in sizes))) if sizes else []
    if len(sizes) < 2 or not seeds:
        return None
    runs = [[[arm[n][s] for s in seeds] for n in sizes] for arm in ended]
    reached = np.array([[[_accuracy(r) for r in row] for row in arm] for arm in runs])
    gaps = reached[0] - reached[1]
    overlap = intervals.overlap([r for arm in runs for row in arm for r in row])
    left, right = map(_by_image, runs)
    if left is None or right is None or left.shape != right.shape:
        return Curve(sizes, gaps, overlap=overlap)
    return Curve(sizes, gaps, left - right, overlap)


def _accuracy(record: Record) -> float:
    return intervals.accuracy(record) or 0.0


def _by_image(runs: Sequence[Sequence[Record]]) -> np.ndarray | None:
    """How often each test image was named rightly, [sizes, images], by runs [sizes, seeds]."""
    every = [[intervals.answers(record) for record in row] for row in runs]
    known = [[one for one in row if one is not None] for row in every]
    lengths = {len(one) for row in known for one in row}
    if len(lengths) != 1 or any(len(a) < len(b) for a, b in zip(known, every, strict=True)):
        return None
    return np.array([np.mean(row, axis=0) for row in known])


def crossing(curve: Curve) -> tuple[Outcome, Images]:
    """Where a difference that grows with the number of images changes its sign.

    The interval holds the numbers of images at which the interval of the difference includes
    zero, as Fieller's does for a ratio (1954, "Some problems in interval estimation", Journal of
    the Royal Statistical Society B 16:175-185). `curve` is one that was `oriented`.
    """
    first, last = map(curve.at, curve.ends)
    known = first.low is not None  # the ends of an interval are told where there is one
    signs = [_sign(curve.at(n)) for n in curve.sizes]
    estimate = next(iter(_roots(curve, lambda s: s.mean or 0.0)), None)
    if 1 in signs and -1 in signs[signs.index(1) :]:
        return "not resolved", Images()  # it turns more than once
    if estimate is not None and (signs[0] > 0 or signs[-1] < 0):
        return "not resolved", Images()  # whoever should be behind at that end leads there clearly
    open_below, open_above = signs[0] >= 0, signs[-1] <= 0
    # From the first number that may be even to the last, should there be others in between.
    low = None if open_below else next(iter(_roots(curve, _upper)), None)
    high = None if open_above else next(reversed(_roots(curve, _lower)), None)
    if not any(signs) or (open_below and open_above and estimate is None):
        return "not resolved", Images()
    if estimate is not None:
        return "between", Images(estimate, low, high) if known else Images(estimate)
    if signs[-1] <= 0 and (last.mean or 0.0) < 0:
        return "above", Images(low=low or curve.ends[1]) if known else Images()
    return "below", Images(high=high or curve.ends[0]) if known else Images()


def oriented(curve: Curve, gains: bool = False) -> Curve:
    """The curve, or with the arms exchanged, so that its first arm is the one that gains on images.

    `gains` says that the first is known to, and only fails to show it where one of them leads
    everywhere.
    """
    first, last = (float(curve.by_seed[i].mean()) for i in (0, -1))
    return curve if last >= first or (gains and first * last > 0) else curve.turned()


def _sign(found: Summary) -> int:
    """1 or -1 where the difference is that, 0 where its interval includes zero."""
    low, high = _lower(found), _upper(found)
    return 1 if low > 0 else -1 if high < 0 else 0


def _lower(found: Summary) -> float:
    return (found.mean or 0.0) if found.low is None else found.low


def _upper(found: Summary) -> float:
    return (found.mean or 0.0) if found.high is None else found.high


def _roots(curve: Curve, value: Callable[[Summary], float]) -> list[float]:
    """The numbers of images, ascending, from which on a value is no longer negative.

    Empty where it is negative nowhere or everywhere.
    """
    logs = np.log(curve.sizes)
    grid = [
        math.exp(x) for a, b in pairwise(logs) for x in np.linspace(a, b, STEPS, endpoint=False)
    ] + [float(curve.sizes[-1])]
    signs = [value(curve.at(images)) < 0 for images in grid]
    return [
        _halved(grid[i], grid[i + 1], lambda n: value(curve.at(n)))
        for i, (before, after) in enumerate(pairwise(signs))
        if before and not after
    ]


def _halved(low: float, high: float, value: Callable[[float], float]) -> float:
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if value(middle) < 0 else (low, middle)
    return high
