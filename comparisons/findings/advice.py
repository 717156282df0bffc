"""Which arm to choose for a task, by what was measured on others like it.

Each arm's accuracy is read off its points by a weighted local line in the logarithm of the number
of images: near sizes and near numbers of classes count most (Cleveland 1979, "Robust locally
weighted regression", Journal of the American Statistical Association 74:829-836). Accuracies are
taken as shares of the way from chance to perfect, less what these change with the number of
classes, so that tasks of few and many classes compare.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from scipy.special import stdtrit

from comparisons.findings import intervals, text
from comparisons.findings.experience import Point
from comparisons.findings.names import arm_name
from models.pixels import looked_at

NEAR_IMAGES = math.log(2.5)  # how far in images a point counts for most of its weight
NEAR_CLASSES = math.log(3.0)
REACH = 2.0  # times beyond the measured images or classes where evidence is said not to reach
FAR = 2.5  # away is the nearest evidence where it does not reach either: 1 is near
LEVEL = 0.05  # squared logarithms that draw a line to level
LEAST_SPREAD = 0.03  # of the way to perfect, on data that was measured itself
# And on other data, as long as fewer families than this were measured: tasks of as many images and
# classes lie that far apart, and nothing here tells how far. On its own data too, where neither
# sizes nor seeds are enough to tell.
UNKNOWN_SPREAD, FEWEST_FAMILIES = 0.25, 3
MOST_EVIDENCE = 3
# Times the images, or the minutes, that are tried: the nearest first.
LESS, MORE = (0.7, 0.5, 0.3, 0.2, 0.1), (1.5, 2.0, 3.0, 5.0, 10.0)


@dataclass(frozen=True)
class Task:
    """What is asked about: images to train on, classes, seconds that learning may take.

    `data` names the data set where it is one that was measured; `photographs` says whether its
    images are some, or drawings, digits and the like; None where nobody knows. `side` is how many
    pixels a side they have; 0 where nobody knows.
    """

    images: int
    classes: int
    seconds: float = math.inf
    data: str | None = None
    photographs: bool | None = None
    side: int = 0


class Accuracy(msgspec.Struct, frozen=True):
    """An expected accuracy and the 95 % interval of it for a task like those measured."""

    mean: float
    low: float
    high: float


class Learning(msgspec.Struct, frozen=True):
    """Expected seconds of learning on this machine, with an empty cache."""

    learning: float


class Evidence(msgspec.Struct, frozen=True):
    """A point that the advice rests on; `distance` is 0 for the very task, 1 for a near one."""

    data: str
    images: int
    records: tuple[str, ...]
    distance: float


class Expected(msgspec.Struct, frozen=True):
    """What is expected of an arm on a task."""

    arm: str
    accuracy: Accuracy
    seconds: Learning


class Advice(msgspec.Struct, frozen=True):
    """The arm to choose, what to expect of it, by which evidence, and what would change it.

    `reaches` is false where the evidence does not reach the task, or no arm fits the time.
    """

    arm: str
    accuracy: Accuracy
    seconds: Learning
    runner_up: Expected | None
    evidence: list[Evidence]
    reaches: bool
    would_change: list[str]
    notes: list[str] = []


def advise(task: Task, points: Sequence[Point]) -> Advice | None:
    """The arm with the highest expected accuracy among those that fit the time.

    The seconds of all points are taken to be those of one machine, on which the arm is to learn
    (`experience.scaled`). None without points.
    """
    ranked = rank(task, points)
    if not ranked:
        return None
    best = ranked[0]
    notes = []
    if not _alike(task, points):
        kind = "photographs" if task.photographs else "drawings"
        notes = [f"Nothing was measured on {kind}: what follows may not hold for them."]
    points = _alike(task, points) or points
    fits = best.seconds.learning <= task.seconds
    evidence = nearest(task, [p for p in points if p.arm == best.arm])
    notes += _beyond(task, [p for p in points if p.arm == best.arm])
    if not fits:
        given = text.seconds(task.seconds)
        notes.append(f"No arm is expected to learn within {given}: this is the quickest.")
    return Advice(
        arm=best.arm,
        accuracy=best.accuracy,
        seconds=best.seconds,
        runner_up=ranked[1] if len(ranked) > 1 else None,
        evidence=evidence,
        reaches=not notes,
        would_change=changes([task], points, best.arm),
        notes=notes,
    )


def rank(task: Task, points: Sequence[Point]) -> list[Expected]:
    """What is expected of each arm: first those that fit the time, the most accurate first.

    Those that do not fit follow, the quickest first. Arms that were measured with far more or far
    fewer images only are left out, where there are others; so is what was measured on drawings
    for photographs, and the other way round: a base of photographs is worth much less there.
    """
    points = _alike(task, points) or points
    by_arm: dict[str, list[Point]] = defaultdict(list)
    for p in points:
        by_arm[p.arm].append(p)
    reach = {arm: some for arm, some in by_arm.items() if not _beyond(task, some)}
    if not reach and by_arm:
        apart = {arm: min(_distance(task, p) for p in some) for arm, some in by_arm.items()}
        reach = {arm: by_arm[arm] for arm in apart if apart[arm] <= min(apart.values()) + 1}
    slope = _by_classes(task, by_arm.values())
    found = [_expected(task, arm, some, slope) for arm, some in sorted(reach.items())]
    fitting = [e for e in found if e.seconds.learning <= task.seconds]
    others = [e for e in found if e.seconds.learning > task.seconds]
    return [
        *sorted(fitting, key=lambda e: (-e.accuracy.mean, e.seconds.learning)),
        *sorted(others, key=lambda e: e.seconds.learning),
    ]


def nearest(task: Task, points: Sequence[Point]) -> list[Evidence]:
    """The points nearest to a task."""
    apart = sorted(points, key=lambda p: (_distance(task, p), p.data, p.images))
    return [
        Evidence(p.data, p.images, p.records, round(_distance(task, p), 2))
        for p in apart[:MOST_EVIDENCE]
    ]


def _alike(task: Task, points: Sequence[Point]) -> list[Point]:
    """The points of images of the same kind."""
    return [p for p in points if task.photographs in (None, p.photographs)]


def _expected(task: Task, arm: str, points: Sequence[Point], slope: float) -> Expected:
    """`slope` is what the share changes with the logarithm of the number of classes."""
    shares = [_share(p.accuracy, p.classes) - slope * _more_classes(task, p) for p in points]
    share, spread = _local(task, points, shares)
    seconds = [max(p.seconds * _times(task, p), 1e-3) for p in points]
    log_seconds, _ = _local(task, points, [math.log(s) for s in seconds])
    near = min(points, key=lambda p: _distance(task, p))
    known = any(p.data == task.data for p in points)
    few = len({p.family for p in points}) < FEWEST_FAMILIES
    # Of a point or two nothing is known but what their seeds and test images say.
    unsure = spread is None and (near.seeds < intervals.MIN_SEEDS or not near.tested)
    least = UNKNOWN_SPREAD if unsure or (few and not known) else LEAST_SPREAD
    half = max(spread or 0.0, least)
    low, mean, high = (
        min(max(_accuracy(share + side * half, task.classes), 0.0), 1.0) for side in (-1, 0, 1)
    )
    if near.tested:
        lucky = intervals.wilson(mean, near.tested)
        low, high = min(low, lucky[0]), max(high, lucky[1])
    return Expected(arm, Accuracy(mean, low, high), Learning(math.exp(log_seconds)))


def _times(task: Task, point: Point) -> float:
    """How many times as long the images of a task take as those of a point, by their pixels.

    Once where nobody knows: of networks with a size of their own, and of the same data.
    """
    model, _, _ = point.arm.rpartition(":")
    here, there = looked_at(model, task.side), looked_at(model, point.side)
    return here / there if here and there and point.data != task.data else 1.0


def _more_classes(task: Task, point: Point) -> float:
    return math.log(point.classes / task.classes)


def _by_classes(task: Task, arms: Iterable[Sequence[Point]]) -> float:
    """What the share changes with the logarithm of the number of classes, the same for all arms.

    Within each arm, beside what it changes with images, so that an arm which was tried on few
    classes alone has no lead over one that was tried on many.
    """
    both = squares = 0.0
    for points in arms:
        # Not in shares of all: an arm counts by how much of what was measured on it is near.
        near = _nearness(task, points)
        _, shares = _line(task, points, near, [_share(p.accuracy, p.classes) for p in points])
        _, classes = _line(task, points, near, [_more_classes(task, p) for p in points])
        both += float(near @ (shares * classes))
        squares += float(near @ classes**2)
    return both / (squares + LEVEL)


def _nearness(task: Task, points: Sequence[Point]) -> np.ndarray:
    """How much each point counts, from 1 for the very task down to hardly anything."""
    near = [math.exp(-0.5 * _distance(task, p) ** 2) for p in points]
    return np.maximum(near, 1e-9)


def _line(
    task: Task, points: Sequence[Point], near: np.ndarray, values: Sequence[float]
) -> tuple[float, np.ndarray]:
    """A line through values by images, weighted by `near`: at the task, and each point's residual.

    A little drawn to level: a single size must not decide how steep it is. Beyond what was measured
    it goes on level.
    """
    x = np.array([math.log(p.images / task.images) for p in points])
    y = np.array(values)
    weights = near / near.sum()
    centre, level = float(weights @ x), float(weights @ y)
    across = x - centre
    steep = float(weights @ (across * (y - level))) / (float(weights @ across**2) + LEVEL)
    value = level + steep * (float(np.clip(0.0, x.min(), x.max())) - centre)
    return value, y - (level + steep * across)


def _local(
    task: Task, points: Sequence[Point], values: Sequence[float]
) -> tuple[float, float | None]:
    """The value of a weighted line at a task, and half of the 95 % interval of one more like it.

    None where so few points count that they say nothing of how far apart they lie.
    """
    near = _nearness(task, points)
    value, residuals = _line(task, points, near, values)
    weights = near / near.sum()
    effective = 1 / float((weights**2).sum())
    if effective <= 2:
        return value, None
    variance = float(weights @ residuals**2) * effective / (effective - 1)
    return value, float(stdtrit(effective - 1, 0.975)) * math.sqrt(variance * (1 + 1 / effective))


def _distance(task: Task, point: Point) -> float:
    """How far a point is from a task, 1 being near; less where it is of the same data set."""
    images = math.log(point.images / task.images) / NEAR_IMAGES
    classes = math.log(point.classes / task.classes) / NEAR_CLASSES
    other = 0.0 if task.data in (None, point.data) else 1.0
    return math.hypot(images, classes, other)


def _share(accuracy: float, classes: int) -> float:
    """How far an accuracy is on the way from chance to perfect."""
    chance = 1 / classes
    return (accuracy - chance) / (1 - chance)


def _accuracy(share: float, classes: int) -> float:
    chance = 1 / classes
    return chance + share * (1 - chance)


def _beyond(task: Task, points: Sequence[Point]) -> list[str]:
    """Sentences on where the evidence does not reach a task."""
    notes = []
    for what, asked, known in (
        ("images", task.images, [p.images for p in points]),
        ("classes", task.classes, [p.classes for p in points]),
    ):
        low, high = min(known), max(known)
        if not low / REACH <= asked <= high * REACH:
            span = text.count(low) + (f" to {text.count(high)}" if high > low else "")
            notes.append(f"The evidence has {span} {what}: it does not reach {text.count(asked)}.")
    anywhere = replace(task, data=None)
    near = min(points, key=lambda p: _distance(anywhere, p))
    if not notes and _distance(anywhere, near) > FAR:
        notes.append(
            f"The nearest evidence, {text.count(near.images)} images of "
            f"{text.count(near.classes)} classes, is far from that."
        )
    return notes


def changes(tasks: Sequence[Task], points: Sequence[Point], arm: str) -> list[str]:
    """What would change an advice that is the same for tasks which differ in their time alone.

    Other numbers of images, and other times: each arm once for either, with the nearest number.
    """
    known = [p.images for p in points]
    low, high = min(known) / REACH, max(known) * REACH
    said = []
    for sweep in (LESS, MORE):
        for task in tasks:
            images = (text.two_digits(task.images * t) for t in sweep)
            tried = [replace(task, images=n) for n in images if n >= 2 and low <= n <= high]
            said += _first(task, tried, points, arm)
            if math.isfinite(task.seconds):
                tried = [replace(task, seconds=task.seconds * t) for t in sweep]
                said += _first(task, tried, points, arm)
    nearest: dict[tuple[bool, str], Change] = {}
    for one in said:
        place = (one.of_time, one.arm)
        if place not in nearest or one.far < nearest[place].far:
            nearest[place] = one
    return [one.says for one in sorted(nearest.values(), key=lambda one: one.of_time)]


@dataclass(frozen=True)
class Change:
    """Another arm that would be advised: how far from the task, and in a sentence."""

    arm: str
    of_time: bool
    far: float
    says: str


def _first(task: Task, tried: Iterable[Task], points: Sequence[Point], arm: str) -> list[Change]:
    """The first of other tasks for which the advice would be another arm, if there is one."""
    for other in tried:
        best = rank(other, points)[0]
        if best.arm == arm or best.seconds.learning > other.seconds:
            continue
        of_time = other.images == task.images
        if of_time:
            far, what = other.seconds / task.seconds, f"{text.seconds(other.seconds)} of learning"
        else:
            far, what = other.images / task.images, f"{text.count(other.images)} images"
        says = f"With {what} it would be {arm_name(best.arm)}."
        return [Change(best.arm, of_time, abs(math.log(far)), says)]
    return []
