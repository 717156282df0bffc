"""The page's tables: which columns there are, what a cell says, and which of them are needed.

A column is there only where it tells something: of one seed there is no interval, of arms that
keep no features no second price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from markupsafe import Markup

from comparisons.core.prices import Prices
from comparisons.core.records import Record
from comparisons.findings import intervals, text
from comparisons.findings.advice import Accuracy, Evidence
from comparisons.findings.choices import Choice
from comparisons.findings.groups import ending
from comparisons.findings.levels import Reached
from comparisons.findings.names import arm_name
from comparisons.report.differences import Difference
from comparisons.report.table import Row

T = TypeVar("T")


@dataclass(frozen=True)
class Column(Generic[T]):
    """A heading, and what a row says under it: None where it has nothing to say.

    `number` columns stand flush right. `needed` says of all rows whether the column is there;
    without it, it is where some row has something to say.
    """

    heading: str
    say: Callable[[T], str | None]
    number: bool = True
    strong: bool = False
    needed: Callable[[Sequence[T]], bool] | None = None


@dataclass(frozen=True)
class Cell:
    """What stands in a table's cell, under which heading, and how."""

    heading: str
    words: str | None
    number: bool
    strong: bool


@dataclass(frozen=True)
class Line(Generic[T]):
    """A row of a table: what it is of, and its cells."""

    of: T
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Grid(Generic[T]):
    """A table as the page shows it."""

    columns: tuple[Column[T], ...]
    lines: tuple[Line[T], ...]


def grid(columns: Sequence[Column[T]], rows: Sequence[T]) -> Grid[T]:
    """The rows under those of the columns that they need."""
    kept = tuple(c for c in columns if _is_needed(c, rows))
    lines = tuple(
        Line(row, tuple(Cell(c.heading, c.say(row), c.number, c.strong) for c in kept))
        for row in rows
    )
    return Grid(kept, lines)


def _is_needed(column: Column[T], rows: Sequence[T]) -> bool:
    if column.needed:
        return column.needed(rows)
    return any(column.say(row) not in (None, "", text.NONE) for row in rows)


def _differ(value: Callable[[T], object]) -> Callable[[Sequence[T]], bool]:
    """Whether a column tells rows apart."""
    return lambda rows: len({value(row) for row in rows}) > 1


def _accuracy(row: Row) -> str:
    if row.accuracy_mean is None:
        aside = row.accuracy_aside
        return text.NONE if aside is None else f"({text.percent(aside)})"
    spread = f" ± {text.points(row.accuracy_spread, sign=False)}" if row.accuracy_spread else ""
    return text.percent(row.accuracy_mean) + spread


def _span(low: float | None, high: float | None, say: Callable[[float | None], str]) -> str | None:
    return None if low is None else f"{say(low)} to {say(high)}"


def _to_level(row: Row) -> str | None:
    if row.seconds_to_level_cold is None:
        return None
    return f"{text.seconds(row.seconds_to_level_cold)} ({text.percent(row.level, 0)})"


def _of(part: int | None, whole: int | None) -> str | None:
    return None if part is None else f"{text.scaled(part)} of{text.SPACE}{text.scaled(whole)}"


def _some(value: float | None, say: Callable[[float], str]) -> str | None:
    """A number in words, and nothing for none and for 0."""
    return say(value) if value else None


IMAGES: Column[Row] = Column("training images", lambda r: text.count(r.train_size))

CERTAINTY: tuple[Column[Row], ...] = (
    Column("calibration error", lambda r: _some(r.calibration_error_mean, text.percent)),
    Column("scaled", lambda r: _some(r.calibration_error_scaled_mean, text.percent)),
)
RESULTS: tuple[Column[Row], ...] = (
    IMAGES,
    Column("seeds", lambda r: str(r.ok) if r.ok == r.runs else f"{r.ok} of {r.runs}"),
    Column("test accuracy", _accuracy, strong=True),
    Column("interval", lambda r: _span(r.accuracy_low, r.accuracy_high, text.percent)),
    Column("macro F1", lambda r: text.decimal(r.macro_f1_mean)),
    Column("test loss", lambda r: text.decimal(r.loss_mean)),
    *CERTAINTY,
    Column("corrupted", lambda r: _some(r.corrupted_accuracy_mean, text.percent)),
    Column("by heart", lambda r: text.points(r.gap_mean)),
    Column("forgotten", lambda r: _some(r.forgotten_mean, lambda v: text.points(v, sign=False))),
    Column("notes", lambda r: r.notes, number=False),
)

LEAST_WATCHED = 0.5  # seconds; every run watches for a moment, to write its record

BILL: tuple[Column[Row], ...] = (
    Column("training images", IMAGES.say, needed=_differ(lambda r: r.train_size)),
    Column("learning, cold", lambda r: text.seconds(r.seconds_learning_cold), strong=True),
    Column(
        "learning, warm",
        lambda r: text.seconds(r.seconds_learning_warm),
        needed=lambda rows: any(r.seconds_learning_warm != r.seconds_learning_cold for r in rows),
    ),
    Column("time to a level", _to_level),
    Column("beside other runs", lambda r: str(r.beside) if r.beside else None),
    Column("source phase, cold", lambda r: _some(r.seconds_source_cold, text.seconds)),
    Column(
        "processors, learning",
        lambda r: _some(r.processor_seconds_learning_cold, text.seconds),
    ),
    Column("measuring, cold", lambda r: _some(r.seconds_measuring_cold, text.seconds)),
    Column(
        "watching",
        lambda r: _some(r.seconds_watching, text.seconds),
        needed=lambda rows: any((r.seconds_watching or 0.0) >= LEAST_WATCHED for r in rows),
    ),
    Column("images seen", lambda r: text.count(r.images_seen)),
    Column("trained", lambda r: _of(r.parameters_trainable, r.parameters_total)),
    Column("to store", lambda r: _some(r.stored_bytes, lambda v: text.scaled(v, "B"))),
    Column("adapted weights", lambda r: _some(r.adapted_bytes, lambda v: text.scaled(v, "B"))),
    Column("work", lambda r: text.scaled(r.flops_total, "FLOP")),
    Column("peak memory", lambda r: text.scaled(r.peak_memory, "B")),
    Column("engine", lambda r: r.engine or None, number=False, needed=_differ(lambda r: r.engine)),
    Column("device", lambda r: r.device or None, number=False, needed=_differ(lambda r: r.device)),
    Column(
        "all runs together",
        lambda r: text.seconds(r.seconds_spent),
        needed=lambda rows: any(r.runs > 1 for r in rows),
    ),
)


def bill(prices: Prices) -> tuple[Column[Row], ...]:
    """The columns of the bill, with money and energy behind the seconds that they are made of."""
    more: tuple[Column[Row], ...] = (
        Column("price", lambda r: _some(r.seconds_learning_cold, prices.money)),
        Column("energy", lambda r: _some(r.seconds_learning_cold, prices.energy)),
    )
    after = 2  # the images and the seconds of learning
    return (*BILL[:after], *more, *BILL[after:])


ALSO: tuple[Column[Row], ...] = (
    Column("data", lambda r: r.data, number=False, needed=_differ(lambda r: r.data)),
    *RESULTS[:4],
    *BILL[1:3],
    RESULTS[-1],
)

DIFFERENCES: tuple[Column[Difference], ...] = (
    Column("training images", lambda d: text.count(d.size), needed=_differ(lambda d: d.size)),
    Column("difference", lambda d: text.points(d.gap), strong=True),
    Column("interval", lambda d: _span(d.low, d.high, text.points)),
    Column("p, Holm", lambda d: None if d.p is None else _chance(d.p)),
    Column(
        "each seed",
        lambda d: ", ".join(f"{text.points(gap)} (seed {seed})" for seed, gap in d.each),
        number=False,
        needed=lambda rows: any(len(d.each) > 1 for d in rows),
    ),
    Column("what follows", lambda d: d.says, number=False),
)


def _expected(a: Accuracy) -> str:
    return f"{text.percent(a.mean)} ({_span(a.low, a.high, lambda v: text.percent(v, 0))})"


def _runner_up(c: Choice) -> str | None:
    found = c.advice.runner_up
    if found is None:
        return None
    mean, learning = found.accuracy.mean, found.seconds.learning
    late = " (too long)" if learning > 60 * c.minutes[0] else ""
    return f"{arm_name(found.arm)}, {text.percent(mean)} in {text.seconds(learning)}{late}"


def _nearest(e: Evidence) -> str:
    return f"{text.plural(len(e.records), 'run')} with {text.count(e.images)} images"


@dataclass(frozen=True)
class Way:
    """An arm with what it took to each level that it reached."""

    label: str
    to: dict[float, Reached]


def ways(found: Sequence[Reached]) -> Grid[Way]:
    """A row for each arm, a column for each level: seconds of learning, cold, images and FLOP."""
    labels = dict.fromkeys(one.label for one in found)
    rows = [Way(label, {r.level: r for r in found if r.label == label}) for label in labels]
    columns = [
        Column(text.percent(level, 0), partial(_took, level))
        for level in sorted({one.level for one in found})
    ]
    return grid(columns, rows)


def _took(level: float, way: Way) -> str:
    if (one := way.to.get(level)) is None:
        return text.NONE
    work = f" · {text.scaled(one.flops, 'FLOP')}" if one.flops else ""
    return f"{text.seconds(one.seconds_cold)} · {text.about(one.images)}{work}"


CHOICES: tuple[Column[Choice], ...] = (
    Column("training images", lambda c: text.count(c.size)),
    Column("minutes to learn", lambda c: ", ".join(map(str, c.minutes))),
    Column("expected accuracy", lambda c: _expected(c.advice.accuracy), strong=True),
    Column("learning, cold", lambda c: text.seconds(c.advice.seconds.learning)),
    Column("runner-up", _runner_up, number=False),
    Column("nearest evidence", lambda c: _nearest(c.advice.evidence[0]), number=False),
    Column("what would change it", lambda c: " ".join(c.changes), number=False),
    Column("notes", lambda c: " ".join(c.advice.notes), number=False),
)


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else text.decimal(p)


@dataclass(frozen=True)
class Told:
    """A run, and the label and name of its arm."""

    label: str
    name: str
    run: Record


def _file(told: Told) -> str:
    folder = "failed" if told.run.status == "failed" else "runs"
    return f"{folder}/{told.run.id}.json"


RUNS: tuple[Column[Told], ...] = (
    Column(
        "data", lambda t: t.run.data.name, number=False, needed=_differ(lambda t: t.run.data.name)
    ),
    Column("training images", lambda t: text.count(t.run.train_size)),
    Column("seed", lambda t: str(t.run.seed)),
    Column("ended", lambda t: ending(t.run), number=False),
    Column("test accuracy", lambda t: text.percent(t.run.test.accuracy) if t.run.test else None),
    Column("learning, cold", lambda t: text.seconds(intervals.learning(t.run))),
    Column("measuring, cold", lambda t: text.seconds(t.run.seconds.measuring_cold)),
    Column("spent in all", lambda t: text.seconds(t.run.seconds.in_all)),
    Column("beside runs", lambda t: _some(t.run.neighbours.runs, str)),
    Column("machine", lambda t: t.run.environment.host or None, number=False),
    Column("used by others", lambda t: text.percent(t.run.neighbours.share, 0)),
    Column("continued", lambda t: str(t.run.continued) if t.run.continued else None),
    Column("epochs", lambda t: str(len(t.run.history))),
    Column("record", _file, number=False),
)


def breaking(words: str) -> Markup:
    """Text, escaped, that a narrow column may break before a bracket, a colon or an option."""
    parts = text.clean(words).replace("@", "\0@").replace(":", "\0:").replace("(", "\0(")
    return Markup("<wbr/>").join(parts.split("\0"))
