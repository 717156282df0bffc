"""What a set of records says: means, spreads, intervals, paired differences, time to accuracy.

Pure functions on records: nothing is read, written or drawn. Accuracies are fractions, times are
seconds. A number that cannot be had (no run ended well, too few seeds) is None, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from scipy.special import stdtrit

from comparisons.core.records import Record
from comparisons.findings.groups import Group

METHOD = "95 % Student t interval"
CONFIDENCE = 0.95
MIN_SEEDS = 3  # fewer than this, and an interval says more about t than about the arm


@dataclass(frozen=True)
class Summary:
    """The mean of n numbers, how far they spread, and where the true mean may lie.

    `spread` is the sample standard deviation (n >= 2); `low` and `high` bound the interval
    that `method` names (n >= 3). What there are too few numbers for is None.
    """

    n: int
    mean: float | None = None
    spread: float | None = None
    low: float | None = None
    high: float | None = None
    method: str | None = None

    @property
    def includes_zero(self) -> bool | None:
        """Whether the interval includes zero; None where there is no interval."""
        if self.low is None or self.high is None:
            return None
        return self.low <= 0.0 <= self.high


@dataclass(frozen=True)
class Paired:
    """Differences a - b by seed: both runs saw the same split, subset and order of images."""

    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    summary: Summary


def summarise(values: Iterable[float | None]) -> Summary:
    """Mean, sample standard deviation and 95 % interval of the numbers that are not None.

    The interval is mean +- t * s / sqrt(n), t being the 97.5 % quantile of Student's t with
    n - 1 degrees of freedom (Student 1908, "The probable error of a mean", Biometrika 6:1-25).
    It takes the numbers for independent draws from a normal distribution.
    """
    numbers = sorted(v for v in values if v is not None)  # sorted: the order must not matter
    n = len(numbers)
    if n == 0:
        return Summary(0)
    # A mean of equal numbers may round outside them; it must not.
    mean = min(max(math.fsum(numbers) / n, numbers[0]), numbers[-1])
    if n == 1:
        return Summary(1, mean)
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in numbers) / (n - 1))
    if n < MIN_SEEDS:
        return Summary(n, mean, spread)
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * spread / math.sqrt(n)
    return Summary(n, mean, spread, mean - half, mean + half, METHOD)


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of the numbers that are not None; None where there is none."""
    return summarise(values).mean


def accuracy(record: Record) -> float | None:
    """Test accuracy of a run that ended well, as a fraction."""
    return record.test.accuracy if record.test and record.status == "ok" else None


def paired(
    a: Iterable[Record],
    b: Iterable[Record],
    value: Callable[[Record], float | None] = accuracy,
) -> Paired:
    """Differences a - b of `value` for the seeds that both have, and their summary.

    Seeds decide split, subset and order, so part of the luck is common to both runs and
    cancels: the interval of the differences is Student's paired one (1908, section IX).
    """
    left = {r.seed: v for r in a if (v := value(r)) is not None}
    right = {r.seed: v for r in b if (v := value(r)) is not None}
    seeds = tuple(sorted(left.keys() & right.keys()))
    differences = tuple(left[s] - right[s] for s in seeds)
    return Paired(seeds, differences, summarise(differences))


def sampling_noise(p: float, images: int) -> float:
    """How far two accuracies near `p` may differ by the luck of `images` test images alone.

    1.96 standard deviations of a difference of two binomial proportions. Both arms see the same
    images, which makes the true figure smaller: this is a cautious one.
    """
    p = min(max(p, 0.0), 1.0)
    return 1.96 * math.sqrt(2 * p * (1 - p) / images) if images > 0 else math.inf


def start(record: Record, cold: bool = True) -> float:
    """Seconds before the first step on the target: setup, source phase, features, compilation.

    Cold charges what the feature cache cost when it was made, the test images' features
    among it, and what training on a source data set cost; warm charges nothing for either.
    """
    s = record.seconds
    return s.setup + (s.extract_cold + s.source_cold if cold else 0.0) + s.compile


def clock(record: Record, cold: bool = True) -> list[float]:
    """Seconds from the run's start to the end of each epoch, validation apart."""
    return list(accumulate((e.seconds for e in record.history), initial=start(record, cold)))[1:]


def total(record: Record, cold: bool = True) -> float:
    """Seconds of the whole run, with the features made afresh (cold) or found ready (warm)."""
    s = record.seconds
    return s.total - s.extract - s.source + (s.extract_cold + s.source_cold if cold else 0.0)


def time_to_accuracy(record: Record, level: float, cold: bool = True) -> float | None:
    """Seconds until validation accuracy first reached `level`; None if it never did.

    The first crossing at the end of an epoch, as MLPerf's time-to-train has it (Mattson et al.
    2020): no line is drawn between epochs, so a coarse history is never flattered.
    """
    for seconds, epoch in zip(clock(record, cold), record.history, strict=True):
        if epoch.val_accuracy is not None and epoch.val_accuracy >= level:
            return seconds
    return None


def best_validation(record: Record) -> float | None:
    """The highest validation accuracy of a run's history."""
    return max((e.val_accuracy for e in record.history if e.val_accuracy is not None), default=None)


def common_level(groups: Sequence[Group]) -> float | None:
    """The highest whole per cent of validation accuracy that every run that ended well reached.

    None where no run ended well, or one of those has no validation accuracy.
    """
    bests = [best_validation(r) for g in groups for r in g.ok]
    reached = [b for b in bests if b is not None]
    if not reached or len(reached) < len(bests):
        return None
    # 1e-9: 0.29 * 100 is 28.999999999999996 in binary, and is 29 %.
    level = math.floor(min(reached) * 100 + 1e-9) / 100
    return level if level > 0 else None


def curve(records: Sequence[Record], field: str) -> list[float | None]:
    """The mean over runs of one history field, epoch by epoch, as far as all runs go."""
    if not records:
        return []
    length = min(len(r.history) for r in records)
    rows = ([getattr(r.history[i], field) for r in records] for i in range(length))
    return [None if None in row else mean_of(row) for row in rows]


def mean_clock(records: Sequence[Record], cold: bool = True) -> list[float]:
    """The mean over runs of `clock`, epoch by epoch, as far as all runs go."""
    return [math.fsum(t) / len(t) for t in zip(*(clock(r, cold) for r in records), strict=False)]


def mean_confusion(records: Sequence[Record]) -> list[list[float]] | None:
    """The mean over runs of the confusion matrix, each row as fractions of its true class.

    None where no run has one, or they are not squares of the same size.
    """
    matrices = [r.test.confusion for r in records if r.test and r.test.confusion]
    sides = {n for matrix in matrices for n in (len(matrix), *map(len, matrix))}
    if len(sides) != 1:
        return None
    shares = [[_shares(row) for row in matrix] for matrix in matrices]
    return [
        [math.fsum(cells) / len(shares) for cells in zip(*rows, strict=True)]
        for rows in zip(*shares, strict=True)
    ]


def images_tested(records: Iterable[Record]) -> int:
    """How many test images the runs were scored on: the smallest number, to be cautious."""
    return min((sum(map(sum, r.test.confusion)) for r in records if r.test), default=0)


def _shares(row: Sequence[int]) -> list[float]:
    whole = sum(row)
    return [cell / whole if whole else 0.0 for cell in row]
