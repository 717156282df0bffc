"""What it costs to follow advice: tried on tasks that it was not made from.

A whole family of data sets (CIFAR-10 with its pairs of classes) is left out at a time, or what is
known of it would leak. On each of its tasks, sizes and times the regret of a rule is how much less
accurate the arm is that it names than the best arm that fits the time.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from comparisons.findings.advice import Task, rank
from comparisons.findings.experience import Point

BUDGETS = (10.0, 30.0, 120.0, math.inf)  # seconds of learning
THRESHOLD = 1_000  # images, of the fixed rule that looks at nothing else

# A rule: a task, the arms that were measured on it, all points of other families -> an arm.
Rule = Callable[[Task, Sequence[Point], Sequence[Point]], str]


class Regret(msgspec.Struct, frozen=True):
    """What following a rule costs, in accuracy: over so many cases, the mean and the worst."""

    rule: str
    mean: float
    worst: float
    cases: int


def regrets(points: Sequence[Point], rules: dict[str, Rule] | None = None) -> list[Regret]:
    """The regret of advice and of fixed rules, the smallest first. Empty with one family."""
    rules = RULES if rules is None else rules
    lost: dict[str, list[float]] = defaultdict(list)
    for task, fitting, measured, others in _cases(points):
        best = max(p.accuracy for p in fitting)
        for name, rule in rules.items():
            arm = rule(task, measured, others)
            # What does not fit is stopped; then the quickest is what there is time for.
            own = next((p for p in fitting if p.arm == arm), None)
            taken = own or min(fitting, key=lambda p: p.seconds)
            lost[name].append(best - taken.accuracy)
    found = [Regret(name, sum(v) / len(v), max(v), len(v)) for name, v in lost.items()]
    return sorted(found, key=lambda r: r.mean)


def _cases(
    points: Sequence[Point],
) -> Iterable[tuple[Task, Sequence[Point], Sequence[Point], Sequence[Point]]]:
    """Each task with each time that leaves another choice, of two arms or more.

    With it the points of the arms that fit, of all that were measured on it, and of other families.
    """
    tasks: dict[tuple[str, str, int, int], list[Point]] = defaultdict(list)
    for p in points:
        tasks[p.family, p.data, p.classes, p.images].append(p)
    for (family, _, classes, images), measured in sorted(tasks.items()):
        others = [p for p in points if p.family != family]
        choices = 1
        for seconds in BUDGETS:
            fitting = [p for p in measured if p.seconds <= seconds]
            if others and len(fitting) > choices:
                choices = len(fitting)
                first = measured[0]
                task = Task(images, classes, seconds, None, first.photographs, first.side)
                yield task, fitting, measured, others


def _advised(task: Task, measured: Sequence[Point], others: Sequence[Point]) -> str:
    arms = {p.arm for p in measured}
    ranked = rank(task, [p for p in others if p.arm in arms])
    return ranked[0].arm if ranked else ""


def _always(strategy: str) -> Rule:
    def rule(task: Task, measured: Sequence[Point], others: Sequence[Point]) -> str:
        return _of(strategy, measured)

    return rule


def _by_images(task: Task, measured: Sequence[Point], others: Sequence[Point]) -> str:
    return _of("full" if task.images < THRESHOLD else "scratch", measured)


def _by_kind(task: Task, measured: Sequence[Point], others: Sequence[Point]) -> str:
    return _of("full" if task.photographs else "scratch", measured)


def _of(strategy: str, measured: Sequence[Point]) -> str:
    return next((p.arm for p in measured if p.arm.endswith(f":{strategy}")), "")


ADVISE, BY_KIND = "advise", "full for photographs, else scratch"
RULES: dict[str, Rule] = {
    ADVISE: _advised,
    "always frozen": _always("frozen"),
    "always full": _always("full"),
    "always scratch": _always("scratch"),
    f"full below {THRESHOLD:,} images, else scratch": _by_images,
    BY_KIND: _by_kind,
}
