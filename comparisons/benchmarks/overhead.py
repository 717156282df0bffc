"""What a comparison costs outside its runs' own clocks: processes, frameworks, tables, the page."""

from __future__ import annotations

import tempfile
from pathlib import Path

from comparisons.benchmarks.measure import Result, Side, result, within
from comparisons.benchmarks.training import command, most_memory
from comparisons.core.records import Record

ROUNDS = 3
IMAGES, EPOCHS = 1000, 2
ARM = "cnn:scratch"
LATER = 4  # runs beside the first
LIMIT = 1.5  # seconds for each of them
MOST = 300  # MB in memory of the command itself, beside the processes that it starts


def run(rounds: int) -> Result:
    """Commands of one run, from start to page, and of five, from one record to the next.

    Less the runs' own clocks.
    """
    first: list[float] = []
    later: list[float] = []
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(rounds + 1):
            records, seconds, _ = _done(1, cache)
            first.append(seconds - records[0].seconds.in_all)
            with most_memory(memory):
                records, _, written = _done(1 + LATER, cache)
            own = sum(record.seconds.in_all for record in records[1:])
            later.append((written[-1] - written[0] - own) / LATER)
    # The first round filled the cache.
    sides = [Side("the first, with frameworks and page", first[1:])]
    note = {
        f"limit {LIMIT} s": within(later[1:], LIMIT),
        "the command itself, MB in memory": round(max(memory)),
        f"limit {MOST} MB": within(memory, MOST),
    }
    sides.append(Side("each later run", later[1:], notes=note))
    return result("overhead", "What do runs cost outside their own clocks?", sides, [])


def _done(runs: int, cache: str) -> tuple[list[Record], float, list[float]]:
    """A command of so many runs: records, its seconds, and when each record was written."""
    with tempfile.TemporaryDirectory() as out:
        records, seconds = command(
            "--data", "cifar10", "--arms", ARM, "--train-size", str(IMAGES),
            "--epochs", str(EPOCHS), "--seeds", *map(str, range(runs)),
            variables={"COMPARISONS_CACHE": cache}, out=out,
        )  # fmt: skip
        written = sorted(path.stat().st_mtime for path in Path(out).glob("runs/*.json"))
    return records, seconds, written
