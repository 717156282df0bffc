"""What a set of records says: means, spreads, intervals, paired differences, time to accuracy.

Pure functions on records: nothing is read, written or drawn. Accuracies are fractions, times are
seconds. A number that cannot be had (no run ended well, too few seeds) is None, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from scipy.special import stdtr, stdtrit

from comparisons.core.records import Record
from comparisons.findings.groups import Group

METHOD = "95 % Student t interval"
# Of what: another draw of the seeds and of the test images, or of the seeds alone.
ANY_IMAGES = f"{METHOD} over seeds and test images"
THESE_IMAGES = f"{METHOD} over seeds, on this test set"
# Where each seed draws its own test set from the same images.
DRAWN = f"{METHOD} over splits, widened because they overlap (Nadeau and Bengio 2003)"
CONFIDENCE, Z = 0.95, 1.96
MIN_SEEDS = 3  # fewer than this, and an interval says more about t than about the arm


@dataclass(frozen=True)
class Summary:
    """The mean of n numbers, how far they spread, and where the true mean may lie.

    `spread` is the sample standard deviation (n >= 2); `low` and `high` bound the interval
    that `method` names, and `p` is the two-sided one for a true mean of zero (n >= 3). What there
    are too few numbers for is None. `overlap` is what runs on the same images in other splits
    have in common, and `of_images` the variance by the draw of the test images: no number of runs
    averages these out.
    """

    n: int
    mean: float | None = None
    spread: float | None = None
    low: float | None = None
    high: float | None = None
    method: str | None = None
    p: float | None = None
    overlap: float = 0.0
    of_images: float = 0.0

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


@dataclass(frozen=True)
class Luck:
    """What the draw of the test images adds to the variance of a mean, by `images` of them."""

    variance: float
    images: int


def summarise(
    values: Iterable[float | None], luck: Luck | None = None, overlap: float = 0.0
) -> Summary:
    """Mean, sample standard deviation and 95 % interval of the numbers that are not None.

    The interval is mean +- t * SE, t being the 97.5 % quantile of Student's t (1908, "The
    probable error of a mean", Biometrika 6:1-25). SE² = s² / n with n - 1 degrees of freedom; with
    `luck`, s² / n + its variance, with those of Satterthwaite (1946, "An approximate distribution
    of estimates of variance components", Biometrics Bulletin 2:110-114). It takes the numbers for
    independent draws from a normal distribution; with seeds whose luck was as skewed as an
    exponential one it held the true difference in 93 to 95 of 100 simulated comparisons of 3, 5 and
    10 seeds (tests/findings/test_intervals.py).
    """
    numbers = sorted(v for v in values if v is not None)  # sorted: the order must not matter
    n = len(numbers)
    if n == 0:
        return Summary(0)
    mean = _middle(numbers)
    if n == 1:
        return Summary(1, mean)
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in numbers) / (n - 1))
    if n < MIN_SEEDS:
        return Summary(n, mean, spread)
    variance = spread**2 * (1 / n + overlap)
    half = half_width(variance, n - 1, luck)
    p = chance(mean, variance, n - 1, luck)
    of_images = luck.variance if luck else 0.0
    return Summary(n, mean, spread, mean - half, mean + half, METHOD, p, overlap, of_images)


def half_width(variance: float, freedom: float, luck: Luck | None = None) -> float:
    """Half of the 95 % interval of a mean with this variance, and that of the test images."""
    error, freedom = _error(variance, freedom, luck)
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error


def chance(mean: float, variance: float, freedom: float, luck: Luck | None = None) -> float:
    """The two-sided p of such a mean, or one further from zero, where the true one is zero."""
    error, freedom = _error(variance, freedom, luck)
    if not error:
        return float(mean == 0)
    return 2 * float(stdtr(freedom, -abs(mean) / error))


def _error(variance: float, freedom: float, luck: Luck | None) -> tuple[float, float]:
    """The standard error with that of the test images, and its degrees of freedom."""
    of_images = luck.variance if luck else 0.0
    both = variance + of_images
    if luck and of_images:
        freedom = both**2 / (variance**2 / freedom + of_images**2 / (luck.images - 1))
    return math.sqrt(both), float(freedom)


def of_images(answers: Sequence[np.ndarray]) -> Luck:
    """The luck of the test images, by what runs answered: rows of numbers, one for each image.

    The variance over images of the mean over runs, over the number of images. What of it is the
    runs' own is in their spread as well, so that the sum is a little cautious, as the crossed
    bootstrap is (Owen & Eckles 2012, arXiv:1106.2125).
    """
    table = np.array(answers, float)
    images = table.shape[1]
    return Luck(float(table.mean(axis=0).var(ddof=1)) / images if images > 1 else 0.0, images)


def overlap(records: Sequence[Record]) -> float:
    """What to add to 1 / n for runs whose test sets are drawn from the same images; 0 for others.

    Images tested on over those left to learn from (Nadeau & Bengio 2003, "Inference for the
    generalization error", Machine Learning 52:239-281, section 3): splits share images, so the
    spread of what they reach says too little of how far the mean may be off.
    """
    shares = [
        tested / (r.data.drawn_from - tested)
        for r in records
        if (tested := r.data.sizes.test or 0) < r.data.drawn_from
    ]
    return max(shares, default=0.0)


def answers(record: Record) -> np.ndarray | None:
    """For each test image 1.0 where the run named it rightly, else 0.0; None where unknown.

    None as well where each seed has a test set of its own: those cannot be laid side by side.
    """
    right = None if record.data.drawn_from else named_rightly(record)
    return None if right is None else right.astype(float)


def named_rightly(record: Record) -> np.ndarray | None:
    """For each test image of a run whether it was named rightly, bool [n]; None where unknown."""
    if record.test is None or not record.test.right:
        return None
    images = sum(map(sum, record.test.confusion))
    bits = np.unpackbits(np.frombuffer(record.test.right, np.uint8))
    return bits[:images].astype(bool) if 0 <= len(bits) - images < 8 else None


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of the numbers that are not None; None where there is none."""
    numbers = sorted(v for v in values if v is not None)
    return _middle(numbers) if numbers else None


def _middle(numbers: Sequence[float]) -> float:
    """The mean of numbers in ascending order; of equal ones it must not round outside them."""
    return min(max(math.fsum(numbers) / len(numbers), numbers[0]), numbers[-1])


def accuracy(record: Record) -> float | None:
    """Test accuracy of a run that ended well, as a fraction."""
    return record.test.accuracy if record.test and record.status == "ok" else None


def accuracies(runs: Iterable[Record]) -> Summary:
    """Test accuracy of runs that ended well, with both kinds of luck where it is known."""
    ended = [r for r in runs if accuracy(r) is not None]
    each = [answers(r) for r in ended]
    return _of_accuracy([accuracy(r) for r in ended], each, overlap(ended), least=0.0)


def paired(
    a: Iterable[Record],
    b: Iterable[Record],
    value: Callable[[Record], float | None] = accuracy,
) -> Paired:
    """Differences a - b of `value` for the seeds that both have, and their summary.

    Seeds decide split, subset and order, so part of the luck is common to both runs and
    cancels: the interval of the differences is Student's paired one (1908, section IX). Of
    accuracies it allows for the draw of the test images as well, where it is known which each run
    named rightly.
    """
    left = {r.seed: (r, v) for r in a if (v := value(r)) is not None}
    right = {r.seed: (r, v) for r in b if (v := value(r)) is not None}
    seeds = tuple(sorted(left.keys() & right.keys()))
    differences = tuple(left[s][1] - right[s][1] for s in seeds)
    if value is not accuracy:
        return Paired(seeds, differences, summarise(differences))
    shared = overlap([left[s][0] for s in seeds])
    each = [(answers(left[s][0]), answers(right[s][0])) for s in seeds]
    known = [None if x is None or y is None or len(x) != len(y) else x - y for x, y in each]
    return Paired(seeds, differences, _of_accuracy(differences, known, shared, least=-1.0))


def _of_accuracy(
    values: Sequence[float | None],
    each: Sequence[np.ndarray | None],
    shared: float,
    least: float,
) -> Summary:
    """A summary of accuracies or their differences, and of what each run answered.

    Its interval ends at `least` and at 1, beyond which no such number can be; Student's t, which
    takes them for normal, does not know that.
    """
    known = [a for a in each if a is not None]
    whole = len(known) == len(each) > 0 and len({len(a) for a in known}) == 1
    found = summarise(values, of_images(known) if whole else None, shared)
    if found.low is None or found.high is None:
        return found
    method = DRAWN if shared else ANY_IMAGES if whole else THESE_IMAGES
    return replace(found, method=method, low=max(found.low, least), high=min(found.high, 1.0))


def sampling_noise(p: float, images: int) -> float:
    """How far two accuracies near `p` may differ by the luck of `images` test images alone.

    1.96 standard deviations of a difference of two binomial proportions. Both arms see the same
    images, which makes the true figure smaller: this is a cautious one.
    """
    p = min(max(p, 0.0), 1.0)
    return 1.96 * math.sqrt(2) * luck_of_images(p, images) if images > 0 else math.inf


def luck_of_images(p: float, images: int) -> float:
    """The standard deviation of an accuracy near `p` by the draw of so many test images alone."""
    return math.sqrt(p * (1 - p) / images)


def wilson(share: float, images: int) -> tuple[float, float]:
    """The 95 % interval of a share of so many images that are right, by their number alone.

    Wilson 1927, "Probable inference, the law of succession, and statistical inference", Journal
    of the American Statistical Association 22:209-212.
    """
    z2 = Z * Z / images
    middle = (share + z2 / 2) / (1 + z2)
    half = math.sqrt(z2 * share * (1 - share) + z2 * z2 / 4) / (1 + z2)
    # Of all or none right it must not round to leave out what was seen.
    return min(middle - half, share), max(middle + half, share)


def tested_in_all(records: Sequence[Record]) -> int:
    """How many test images the runs have between them, at most: seeds may have their own."""
    each = {r.seed: images_tested([r]) for r in records if r.test}
    drawn = max((r.data.drawn_from for r in records), default=0)
    return min(sum(each.values()), drawn) if drawn else min(each.values(), default=0)


def learning(record: Record, cold: bool = True) -> float:
    """Seconds that the trained network cost; warm with features, engine and base at hand.

    Warm leaves out what reading kept features takes, a few per cent of what is left; where they
    were found ready, `seconds.learning` has it.
    """
    return record.seconds.learning_cold - (0.0 if cold else _ready(record))


def _ready(record: Record) -> float:
    """Seconds of learning that a cache can save."""
    s = record.seconds
    return min(s.engine_cold + s.source_cold + s.extract_train_cold, s.learning_cold)


def start(record: Record) -> float:
    """Seconds of learning before the first step on the target; a later phase compiles after it."""
    if not record.history:
        return learning(record)
    first = record.history[0]
    return max(first.elapsed_cold - first.seconds, 0.0)


def clock(record: Record, cold: bool = True) -> list[float]:
    """Seconds of learning from the run's start to the end of each epoch.

    Warm charges all that is no epoch before the first one, what later phases compile as well.
    """
    if cold or not _ready(record):
        return [e.elapsed_cold for e in record.history]
    before = learning(record, cold) - record.seconds.train
    return list(accumulate((e.seconds for e in record.history), initial=before))[1:]


def time_to_accuracy(record: Record, level: float, cold: bool = True) -> float | None:
    """Seconds of learning until validation accuracy first reached `level`; None if it never did.

    The first crossing at the end of an epoch, as MLPerf's time-to-train has it (Mattson et al.
    2020): no line is drawn between epochs, so a coarse history is never flattered.
    """
    at = first_at(record, level)
    return None if at is None else clock(record, cold)[at]


def first_at(record: Record, level: float) -> int | None:
    """The place in a history of the first epoch with such a validation accuracy; None for none."""
    looks = (e.val_accuracy for e in record.history)
    return next((i for i, seen in enumerate(looks) if seen is not None and seen >= level), None)


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
