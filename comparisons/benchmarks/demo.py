"""`--preset demo` from start to page, with nothing decoded and no features kept."""

from __future__ import annotations

import tempfile

from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result
from comparisons.benchmarks.training import command

ROUNDS = 3


def run(rounds: int) -> Result:
    """The first time, and a second time that finds data and features ready."""
    folders: list[tempfile.TemporaryDirectory[str]] = []

    def process() -> None:
        # Each with results of its own: `--fresh` would extract the features again.
        kept = folders[-1].name
        command("--preset", "demo", variables={"COMPARISONS_CACHE": f"{kept}/cache"})

    def first() -> None:
        folders.append(tempfile.TemporaryDirectory())
        process()

    cold, warm = "the first time", "again"
    taken: dict[str, list[float]] = {cold: [], warm: []}
    for _ in range(rounds):
        # Always in this order: the second needs what the first has kept.
        for name, side in ((cold, first), (warm, process)):
            taken[name] += alternate({name: side}, 1)[name]
    sides = [Side(name, seconds) for name, seconds in taken.items()]
    for folder in folders:
        folder.cleanup()
    return result(
        "demo", "How long does `--preset demo` take, start to page?", sides, [ratio(*sides)]
    )
