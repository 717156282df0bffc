"""What more labels would bring: an arm's error as its training images grow in number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from comparisons.core.records import Record
from comparisons.findings import intervals, text
from comparisons.findings.intervals import Luck, Summary
from comparisons.findings.view import View

FEWEST_SIZES, FEWEST_TO_CHECK = 3, 2  # the second where the largest is hidden
PARAMETERS = 2  # of the fit
FURTHEST = 2.0  # times the largest size that was measured: nothing is said beyond


@dataclass(frozen=True)
class Hidden:
    """What the fit says that is measured at the largest size when that is hidden, and what was."""

    expected: Summary
    measured: float

    @property
    def held(self) -> bool:
        """Whether the interval holds what was measured."""
        low, high = self.expected.low, self.expected.high
        return low is not None and high is not None and low <= self.measured <= high


@dataclass(frozen=True)
class Outlook:
    """The accuracy expected of an arm with `images`, more than the `size` it was measured with."""

    label: str
    size: int
    images: int
    reached: float
    expected: Summary
    hidden: Hidden | None

    @property
    def gain(self) -> float:
        """By how much the accuracy grows."""
        return (self.expected.mean or 0.0) - self.reached


def expected(runs: Mapping[int, Sequence[Record]], images: int) -> Summary | None:
    """Test accuracy with so many images, by the runs of an arm at three sizes or more.

    The error is taken as e(n) = e_N + (sqrt(N / n) - 1) * b_N, N being the largest size (Hoiem et
    al. 2021, "Learning Curves for Analysis of Deep Networks", arXiv:2010.11029), fitted to all runs
    by least squares weighted by n, for their variance falls about as 1 / n. The 95 % interval is
    Student's t of that fit, and allows for the draw of the test images, and for splits that
    overlap, as `intervals.summarise` does. None for fewer sizes, or for more than twice the
    largest.
    """
    return _expected(runs, images) if images <= FURTHEST * max(runs, default=0) else None


def _expected(
    runs: Mapping[int, Sequence[Record]],
    images: int,
    fewest: int = FEWEST_SIZES,
    measured: float = math.inf,
) -> Summary | None:
    """The same, however far from what was measured; of the mean of so many runs `measured`."""
    known = [
        (n, reached)
        for n, some in sorted(runs.items())
        if n > 0
        for r in some
        if (reached := intervals.accuracy(r)) is not None
    ]
    if len({n for n, _ in known}) < fewest or len(known) <= PARAMETERS:
        return None
    sizes, accuracies = (np.array(column, float) for column in zip(*known, strict=True))
    overlap = intervals.overlap([r for some in runs.values() for r in some])
    return fitted(sizes, accuracies, images, _luck(runs[max(runs)]), overlap, measured)


def fitted(
    n: np.ndarray,
    reached: np.ndarray,
    images: float,
    luck: Luck | None,
    overlap: float = 0.0,
    measured: float = math.inf,
) -> Summary:
    """The same for accuracies `reached` [runs] with `n` [runs] training images.

    `overlap` is what their splits have in common (intervals.overlap). The interval holds the mean
    of so many runs `measured` with `images`, without any number of them the true one.
    """
    largest = n.max()
    design = np.stack([np.ones(len(n)), np.sqrt(largest / n) - 1], axis=1)
    weights = n / largest
    inverse = np.linalg.inv(design.T @ (weights[:, None] * design))
    at = np.array([1.0, math.sqrt(largest / images) - 1])
    solved = inverse @ design.T @ (weights * reached)
    freedom = len(n) - PARAMETERS
    noise = float(weights @ (reached - design @ solved) ** 2) / freedom
    variance = noise * (float(at @ inverse @ at) + overlap + largest / images / measured)
    half = intervals.half_width(variance, freedom, luck)
    mean = min(max(float(at @ solved), 0.0), 1.0)
    method = intervals.ANY_IMAGES if luck else intervals.THESE_IMAGES
    if overlap:
        method = intervals.DRAWN
    low, high = max(mean - half, 0.0), min(mean + half, 1.0)
    return Summary(len(n), mean, None, low, high, method)


def outlooks(seen: View) -> list[Outlook]:
    """What twice the images would bring each arm that was measured at three sizes or more."""
    found = []
    for label, by_size in seen.by_arm.items():
        runs = {size: g.ok for size, g in by_size.items()}
        size = max(runs)
        more = expected(runs, int(FURTHEST * size))
        if more:
            reached = intervals.mean_of(map(intervals.accuracy, runs[size])) or 0.0
            fewer = {n: some for n, some in runs.items() if n != size}
            before = _expected(fewer, size, FEWEST_TO_CHECK, len(runs[size]))
            hidden = Hidden(before, reached) if before else None
            found.append(Outlook(label, size, int(FURTHEST * size), reached, more, hidden))
    return found


def say(found: Outlook, name: str) -> str:
    """An outlook in a sentence; that there is none where the hidden size refutes the fit."""
    largest, hidden = text.count(found.size), found.hidden
    alone = "too few sizes and seeds to check that by hiding one."
    if hidden:
        alone = (
            f"by the sizes below {largest} alone it would have been expected to reach "
            f"{_spanned(hidden.expected)} there, and reached {text.percent(hidden.measured)}."
        )
        if not hidden.held:
            return f"What more images would bring {name} cannot be told by this: {alone}"
    said = (
        f"With {text.count(found.images)} images {name} is expected to reach "
        f"{_spanned(found.expected)}, {text.points(found.gain)} points over what it reaches with "
        f"{largest}"
    )
    return f"{said}; {alone}"


def _spanned(e: Summary) -> str:
    span = f"{text.percent(e.low)} to {text.percent(e.high)}"
    return f"{text.percent(e.mean)} ({e.method} {span})"


def _luck(runs: Sequence[Record]) -> Luck | None:
    """What the draw of the test images adds, by the runs at the largest size."""
    answers = [one for r in runs if (one := intervals.answers(r)) is not None]
    if not answers or len({len(one) for one in answers}) != 1:
        return None
    return intervals.of_images(answers)
