"""Training steps: how fast they are beside what the machine can do, and what else a run takes."""

from __future__ import annotations

from functools import partial
from statistics import mean
from typing import Any

from comparisons.benchmarks import machine
from comparisons.benchmarks.measure import Result, Side, alternate, result
from comparisons.benchmarks.training import trained
from comparisons.core.records import Epoch, Record

ROUNDS = 3
# What is run: the first as it is by its recipe, the second for an epoch of the head and one of all.
ARMS: dict[str, dict[str, Any]] = {
    "cnn:scratch": {},
    "mobilenet@0.25x160:full": {"epochs": 2, "images": 2048},
}


def run(rounds: int) -> Result:
    """Steps are the epochs of the last phase, each with its fresh views, without validation."""
    from models.flops import TRAINING_FACTOR

    records: dict[str, list[Record]] = {arm: [] for arm in ARMS}

    def steps(arm: str) -> float:
        records[arm].append(trained(arm, **ARMS[arm]))
        return sum(epoch.seconds for epoch in last_phase(records[arm][-1]))

    taken = alternate({**machine.able(), **{arm: partial(steps, arm) for arm in ARMS}}, rounds)
    of_machine = product, _ = machine.sides(taken)
    made = []
    for arm, found in records.items():
        images = sum(epoch.images_seen for epoch in last_phase(found[0]))
        side = Side(arm, taken[arm], images, "image")
        flop = TRAINING_FACTOR * found[0].flops.forward_per_image
        side.notes = {
            "GFLOP/s": f"{flop * side.rate / 1e9:.1f}",
            "of the product": machine.share(flop, side, product),
            "of the run": ", ".join(f"{name} {part:.0%}" for name, part in shares(found).items()),
        }
        made.append(side)
    question = "How fast are training steps, and what share of a run are they?"
    return result("steps", question, [*of_machine, *made], [])


def last_phase(record: Record) -> list[Epoch]:
    """The epochs of the phase that a run ends with."""
    return [epoch for epoch in record.history if epoch.phase == record.phases[-1].name]


def shares(records: list[Record]) -> dict[str, float]:
    """What share of their whole runs each kind of work took, by the mean of the records."""
    kinds = {
        "data and setup": ("read", "setup"),
        "features": ("extract_train", "extract_validation", "extract_test"),
        "compilation": ("compile",),
        "training": ("train",),
        "evaluation": ("validate", "test"),
    }
    found = {
        name: mean(
            sum(getattr(record.seconds, field) for field in fields) / record.seconds.total
            for record in records
        )
        for name, fields in kinds.items()
    }
    return {name: share for name, share in found.items() if share >= 0.005}
