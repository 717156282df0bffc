"""What a comparison costs outside its runs' own clocks: processes, frameworks, tables, the page."""

from __future__ import annotations

import tempfile

from comparisons.benchmarks.measure import Result, Side, ratio, result
from comparisons.benchmarks.training import command

ROUNDS = 3
IMAGES, EPOCHS = 1000, 4
ARMS = ("mobilenet:frozen", "cnn:scratch")


def run(rounds: int) -> Result:
    """Two short runs, features found ready: from start to page, and by their own clocks."""
    whole, charged = [], []
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(rounds + 1):
            records, seconds = command(
                "--data", "cifar10", "--arms", *ARMS, "--train-size", str(IMAGES),
                "--epochs", str(EPOCHS), variables={"COMPARISONS_CACHE": cache},
            )  # fmt: skip
            whole.append(seconds)
            charged.append(sum(r.seconds.in_all for r in records))
    # The first round filled the cache.
    start_to_page = Side("start to page", whole[1:])
    clocks = Side("by the runs' own clocks", charged[1:])
    outside = Side("outside of them", [a - b for a, b in zip(whole[1:], charged[1:], strict=True)])
    return result(
        "overhead",
        f"What do two runs of {IMAGES:,} images cost outside their own clocks?",
        [start_to_page, clocks, outside],
        [ratio(start_to_page, clocks)],
    )
