"""What a comparison costs outside its runs' own clocks: processes, frameworks, tables, the page."""

from __future__ import annotations

import tempfile

from comparisons.benchmarks.measure import Result, Side, result
from comparisons.benchmarks.training import command

ROUNDS = 3
IMAGES, EPOCHS = 1000, 2
ARM = "cnn:scratch"
LATER = 4  # runs beside the first


def run(rounds: int) -> Result:
    """Commands of one run and of five, from start to page, less the runs' own clocks."""
    outside: dict[int, list[float]] = {1: [], 1 + LATER: []}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(rounds + 1):
            for runs, taken in outside.items():
                records, seconds = command(
                    "--data", "cifar10", "--arms", ARM, "--train-size", str(IMAGES),
                    "--epochs", str(EPOCHS), "--seeds", *map(str, range(runs)),
                    variables={"COMPARISONS_CACHE": cache},
                )  # fmt: skip
                taken.append(seconds - sum(r.seconds.in_all for r in records))
    # The first round filled the cache.
    first, all_of_them = (taken[1:] for taken in outside.values())
    later = [(b - a) / LATER for a, b in zip(first, all_of_them, strict=True)]
    return result(
        "overhead",
        "What do runs cost outside their own clocks?",
        [Side("the first, with frameworks and page", first), Side("each later run", later)],
        [],
    )
