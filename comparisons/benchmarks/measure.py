"""Timing sides in turn, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from comparisons.core.files import write_text
from comparisons.core.machine import ROOT, code_state, cores, cpu_name, versions
from comparisons.core.records import Environment

EVIDENCE = ROOT / "results" / "evidence" / "benchmarks"


class Side(msgspec.Struct):
    """One thing that was timed: seconds of every round, and how much work a round was.

    `amount` counts `unit`s, so that amount / seconds is a rate; `notes` holds what else was seen
    (accuracies, sizes).
    """

    name: str
    seconds: list[float]
    amount: float = 1.0
    unit: str = "run"
    notes: dict[str, Any] = {}

    @property
    def median(self) -> float:
        """The middle of the rounds, in seconds."""
        return statistics.median(self.seconds)

    @property
    def rate(self) -> float:
        """Units in a second, by the median."""
        return self.amount / self.median


class Ratio(msgspec.Struct):
    """How many times the seconds of `fast` those of `slow` are for one unit, round by round.

    `unit` is what both count, where their rounds are not the same amount of it.
    """

    slow: str
    fast: str
    median: float
    lowest: float
    highest: float
    unit: str = ""

    @property
    def sentence(self) -> str:
        """The ratio as people read it."""
        each = f", for one {self.unit}," if self.unit else ""
        return (
            f"{self.slow} takes{each} {self.median:.3g} times as long as {self.fast} "
            f"({self.lowest:.3g} to {self.highest:.3g})"
        )


class Result(msgspec.Struct):
    """A benchmark that was run: what was asked, measured and where."""

    name: str
    question: str
    command: str
    sides: list[Side]
    ratios: list[Ratio]
    environment: Environment


def alternate(
    sides: Mapping[str, Callable[[], float | None]], rounds: int
) -> dict[str, list[float]]:
    """Seconds of each side in each round; every round begins with another side.

    A side is called once for each round; where it returns a number, that is its seconds,
    measured by itself.
    """
    taken: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(rounds):
        turn = number % len(names)
        for name in (*names[turn:], *names[:turn]):
            started = time.perf_counter()
            own = sides[name]()
            taken[name].append(time.perf_counter() - started if own is None else own)
    return taken


def ratio(slow: Side, fast: Side) -> Ratio:
    """The ratio of two sides for one unit of work, from rounds that were neighbours."""
    pairs = [
        (a / slow.amount) / (b / fast.amount)
        for a, b in zip(slow.seconds, fast.seconds, strict=True)
    ]
    unit = "" if slow.amount == fast.amount else slow.unit
    return Ratio(slow.name, fast.name, statistics.median(pairs), min(pairs), max(pairs), unit)


def warmed(work: Callable[[], Any]) -> Callable[[], None]:
    """Something to time, done once before; what it returns is no number of seconds."""
    work()

    def again() -> None:
        work()

    return again


def gained(above: Sequence[float], below: Sequence[float]) -> str:
    """What a note says of accuracies above others, pair by pair, in percentage points."""
    points = [100 * (a - b) for a, b in zip(above, below, strict=True)]
    return f"{statistics.mean(points):+.2f} ({min(points):+.2f} to {max(points):+.2f})"


def within(values: Sequence[float], limit: float) -> str:
    """What a note says of a limit and all that was measured of it."""
    return "kept" if max(values) <= limit else "exceeded"


def result(name: str, question: str, sides: list[Side], ratios: list[Ratio]) -> Result:
    """A benchmark's result with the machine that it was measured on."""
    environment = Environment(device=cpu_name(), cores=cores(), versions=versions(), **code_state())
    return Result(
        name, question, f"python -m comparisons.benchmarks {name}", sides, ratios, environment
    )


def save(found: Result, folder: Path = EVIDENCE) -> Path:
    """Write a result as JSON, atomically. Raises OSError."""
    path = folder / f"{found.name}.json"
    write_text(path, msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n")
    return path


def show(found: Result, console: Console) -> None:
    """Print a result as two tables: the sides, and their ratios."""
    table = Table(title=found.question, title_justify="left")
    for heading in ("side", "median s", "lowest", "highest", "rounds", "per second", "notes"):
        table.add_column(heading, justify="left" if heading in ("side", "notes") else "right")
    for side in found.sides:
        rate = f"{side.rate:,.0f} {side.unit}s" if side.unit != "run" else ""
        notes = ", ".join(f"{key} {value}" for key, value in side.notes.items())
        table.add_row(
            side.name,
            *(f"{s:.3g}" for s in (side.median, min(side.seconds), max(side.seconds))),
            str(len(side.seconds)),
            rate,
            notes,
        )
    console.print(table)
    for one in found.ratios:
        console.print(one.sentence)
