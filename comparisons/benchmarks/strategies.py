"""Every strategy in one small lesson, from start to page, with nothing drawn or kept before."""

from __future__ import annotations

import tempfile

from comparisons.benchmarks.measure import Result, Side, alternate, result, within
from comparisons.benchmarks.training import command
from comparisons.core.records import Record
from comparisons.plan.strategies import STRATEGIES

ROUNDS = 2
LIMIT = 240
FLAGS = ("--data", "shapes", "--preset", "demo")


def run(rounds: int) -> Result:
    """The whole command, and within it the run of each strategy.

    They share features: who needs some first pays for them.
    """
    found: list[list[Record]] = []

    def lesson() -> float:
        with tempfile.TemporaryDirectory() as cache:
            arms = [f"tiny:{name}" for name in STRATEGIES]
            records, seconds = command(
                *FLAGS, "--arms", *arms, variables={"COMPARISONS_CACHE": cache}
            )
        found.append(records)
        return seconds

    whole = f"all {len(STRATEGIES)} strategies, start to page"
    (taken,) = alternate({whole: lesson}, rounds).values()
    sides = [Side(whole, taken, notes={f"limit {LIMIT} s": within(taken, LIMIT)})]
    sides += [
        Side(runs[0].arm, [run.seconds.total for run in runs]) for runs in zip(*found, strict=True)
    ]
    question = "How long do all strategies take with `tiny`, on drawn shapes?"
    return result("strategies", question, sides, [])
