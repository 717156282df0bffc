"""What advice rests on, the tasks that it is tried on, and what following it costs there.

Data sets, and pairs and triples of CIFAR-10's classes that a seed drew, each compared by the
preset `curve`; their records lie in `results/evidence/tasks`.
"""

from __future__ import annotations

import random
from functools import cache
from itertools import combinations

import msgspec

from comparisons.benchmarks import summary
from comparisons.benchmarks.speed import COPY, PRODUCT
from comparisons.core.probe import Speed
from comparisons.core.records import Record, load_all
from comparisons.findings import text
from comparisons.findings.experience import Experience, on_processors, points
from comparisons.findings.regret import ADVISE, BY_KIND, Regret, regrets
from comparisons.readme import evidence

# Folders of evidence that advice rests on as well.
RUN_ANYWAY = ("cifar10", "curves/cifar10", "strategies", "hymenoptera", "mnist")
FOLDER = evidence.EVIDENCE / "tasks"
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
PAIRS, TRIPLES = 8, 4
# Of accuracy lost at most, and of what the best rule loses that knows the number of images at most.
GOAL, SHARE = 0.01, 0.5


def tasks() -> dict[str, str]:
    """By its folder's name, each task as flags of `python -m comparisons.cifar`."""
    draw = random.Random(0)
    some = [
        *draw.sample(list(combinations(CLASSES, 2)), PAIRS),
        *draw.sample(list(combinations(CLASSES, 3)), TRIPLES),
    ]
    whole = {name: f"--data {name}" for name in ("cifar10", "cifar100", "mnist", "shapes")}
    parts = {"-".join(names): f"--data cifar10 --classes {' '.join(names)}" for names in some}
    return whole | parts


@cache
def records() -> tuple[Record, ...]:
    """The records of every task that was measured: two pages and what is packaged need them."""
    return tuple(record for name in tasks() for record in load_all(FOLDER / name)[0])


@cache
def _regrets() -> list[Regret]:
    return regrets(points(on_processors(records())))


def experience() -> str:
    """What comes with the package for advice: a point for each arm, data set and size."""
    runs = [r for name in RUN_ANYWAY for r in load_all(evidence.EVIDENCE / name)[0]]
    speed = summary.result("speed")
    rates = {side.name: side.rate for side in speed.sides}
    speeds = {speed.environment.device: Speed(*map(rates.__getitem__, (PRODUCT, COPY)))}
    packaged = Experience(tuple(points(on_processors([*runs, *records()]))), speeds)
    return msgspec.json.format(msgspec.json.encode(packaged), indent=1).decode() + "\n"


def regret() -> str:
    """What following each rule cost on tasks whose family it knew nothing of."""
    runs = records()
    found = _regrets()
    if not found:
        return evidence.AGAIN
    rows = [
        (one.rule, text.points(one.mean, sign=False), text.points(one.worst, sign=False))
        for one in found
    ]
    head = ("rule", "points lost to the best arm, mean", "at worst")
    measured = sorted({r.data.name for r in runs})
    return "\n\n".join(
        (
            text.markdown(head, rows),
            f"{_verdict(found)} {text.count(found[0].cases)} cases on "
            f"{text.count(len(measured))} tasks: every size and budget of learning time that "
            "leaves another choice of arms, a family left out at a time. Meanwhile "
            f"{evidence.contended(runs)}.",
        )
    )


def advised() -> str:
    """The same in a line, for the first page: in the mean, and at worst."""
    found = _regrets()
    if not found:
        return evidence.AGAIN
    lost = [
        f"{text.points(one.mean, sign=False)} ({text.points(one.worst, sign=False)})"
        for one in found
    ]
    head = ("rule", *(one.rule for one in found))
    return text.markdown(head, [("points lost, mean (worst)", *lost)])


def _verdict(found: list[Regret]) -> str:
    lost = {one.rule: one.mean for one in found}
    fixed = min((rule for rule in lost if rule not in (ADVISE, BY_KIND)), key=lost.__getitem__)
    reached = lost[ADVISE] <= min(GOAL, SHARE * lost[fixed])
    said = {rule: text.points(mean, sign=False) for rule, mean in lost.items()}
    return (
        f"The goal, at most {text.points(GOAL, sign=False)} point and half of what the best rule "
        "loses that looks at the number of images at most, is "
        f"{'reached' if reached else 'not reached'}: {said[ADVISE]} against {said[fixed]} "
        f"({fixed}). A rule that knows, as advice does, whether images are photographs loses "
        f"{said[BY_KIND]} ({BY_KIND})."
    )
