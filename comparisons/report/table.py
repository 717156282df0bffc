"""Records as rows: one for each arm, size and settings; as CSV, JSON and a terminal table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from comparisons.core.files import write_text
from comparisons.core.records import Record, decides, full_name
from comparisons.findings import certainty, intervals, race, robustness, text, verdict
from comparisons.findings.crossings import crossings
from comparisons.findings.groups import Group, data_key, group_runs, mishaps
from comparisons.findings.headline import headline
from comparisons.findings.knobs import gap
from comparisons.findings.levels import levels
from comparisons.findings.names import BETWEEN, MOST_LETTERS, shortened
from comparisons.findings.view import View, accuracy, from_scratch, mean, view
from comparisons.findings.ways import forgotten
from comparisons.report.banner import on_times

WIDTH = 100  # columns of a terminal that the table fits in
FEWEST = 3  # columns that stay however narrow it is
FLOAT32 = 4  # bytes
LEAST = 18  # letters of a line of a name, which take columns' place
FORGOT, SOURCE = "forgot", "source s"  # headings of columns that only some tables have

Column = tuple[str, Callable[["Row"], str]]  # heading, and what a row's cell says


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one arm did at one size, over its seeds.

    Means are over the runs that ended well, `runs` and `seconds_spent` count all. Times are
    seconds: of learning `cold` with source phase and features made afresh, `warm` with them found
    ready; of measuring, of all (learning and measuring) and of processors cold; spent as they
    were, with watching. `name` is the label in words. `accuracy_aside` is that of runs that did not
    end well, where none did. `level` is the highest whole per cent of validation accuracy that the
    headline's two arms at this size both reached; `corrupted_accuracy_mean` that on corrupted test
    images; `gap_mean` is training minus validation accuracy at the end, `forgotten_mean` the
    accuracy lost on the source task; `stored_bytes` what a further task adds on a disk that has the
    base, as float32: what was trained, or all of a network from scratch; `adapted_bytes` the size
    of the weights that adapters sit on; `neighbours` the largest share of the processors that
    others used, `beside` the most runs that shared its machine.
    """

    arm: str
    label: str
    name: str
    data: str
    synthetic: bool
    complete: bool
    train_size: int
    settings: dict[str, Any]
    seeds: list[int]
    runs: int
    ok: int
    diverged: int
    failed: int
    accuracy_mean: float | None
    accuracy_spread: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    accuracy_aside: float | None
    interval: str | None
    macro_f1_mean: float | None
    loss_mean: float | None
    calibration_error_mean: float | None
    calibration_error_scaled_mean: float | None
    loss_scaled_mean: float | None
    corrupted_accuracy_mean: float | None
    gap_mean: float | None
    forgotten_mean: float | None
    seconds_learning_cold: float | None
    seconds_learning_warm: float | None
    seconds_train: float | None
    seconds_source_cold: float | None
    seconds_extract_cold: float | None
    seconds_measuring_cold: float | None
    seconds_watching: float | None
    seconds_total_cold: float | None
    processor_seconds_learning_cold: float | None
    seconds_spent: float
    neighbours: float | None
    beside: int
    level: float | None
    seconds_to_level_cold: float | None
    seconds_to_level_warm: float | None
    images_seen: float | None
    parameters_total: int | None
    parameters_trainable: int | None
    stored_bytes: int | None
    adapted_bytes: int | None
    flops_forward_per_image: int | None
    flops_total: float | None
    peak_memory: int | None
    upstream: str
    engine: str
    device: str
    notes: str


def summarise(records: Sequence[Record]) -> list[Row]:
    """One row for each arm, size and settings: sizes ascending, the most accurate arm first."""
    groups = group_runs(records)
    # Once for each data set and size, not for each row: a view groups its records anew.
    views = {data: View(tuple(r for r in records if data_key(r) == data))
             for data in {g.data for g in groups}}  # fmt: skip
    places = {(g.data, g.train_size) for g in groups}
    levels = {(data, size): race.level(views[data], size) for data, size in places}
    return sorted((_row(g, levels[g.data, g.train_size]) for g in groups), key=_rank)


def _rank(r: Row) -> tuple[str, int, bool, float, str]:
    return r.data, r.train_size, r.accuracy_mean is None, -(r.accuracy_mean or 0), r.label


def beside(records: Sequence[Record], led: Collection[str]) -> list[Row]:
    """The rows of runs whose IDs are not in `led`, told apart from those that are."""
    rows = [_row(g, None) for g in group_runs(records) if not any(r.id in led for r in g.records)]
    return sorted(rows, key=_rank)


def upstream(runs: Sequence[Record]) -> str:
    """What the base's pretraining cost, in words; `none` for random weights."""
    weights = next((r.weights for r in runs if r.weights), None)
    if any(r.source for r in runs):
        return "none: its source phase is part of the bill"
    if weights is None:
        return "not recorded"
    if weights.origin == "random":
        return "none"
    known = {k.replace("_", " "): v for k, v in weights.upstream.items() if v is not None}
    return "; ".join(f"{k}: {text.flat(v)}" for k, v in known.items()) or "not known"


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """Write rows as CSV; what is not known is empty. Raises OSError."""
    file = io.StringIO()
    writer = csv.DictWriter(file, Row.__struct_fields__, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = msgspec.to_builtins(row)
        cells["settings"] = msgspec.json.encode(row.settings, order="sorted").decode()
        cells["seeds"] = " ".join(map(str, row.seeds))
        writer.writerow(cells)
    write_text(path, text.clean(file.getvalue()))


def write_json(rows: Iterable[Row], seen: View, path: Path) -> None:
    """Write headline, rows, where arms cross and when they got where as JSON. Raises OSError."""
    content = msgspec.json.encode(
        {
            "headline": headline(seen.records),
            "rows": list(rows),
            "crossings": crossings(seen),
            "levels": levels(seen, seen.sizes),
        }
    )
    write_text(path, msgspec.json.format(content, indent=1).decode() + "\n")


def print_findings(records: Sequence[Record], console: Console | None = None) -> None:
    """Print what records say, in sentences and then as a table."""
    console = console or Console()
    for i, line in enumerate(headline(records)):
        console.print(
            Text(text.clean(line), style="" if i else "bold"), width=min(WIDTH, console.width)
        )
    print_table(summarise(records), console)
    for line in on_times(records):
        console.print(Text(line, style="yellow"), width=min(WIDTH, console.width))


def print_table(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print rows as a table that fits in 100 columns, and what its columns mean."""
    console = console or Console()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    width = min(WIDTH, console.width)
    columns = _columns(rows)
    if width < WIDTH:
        columns.pop()  # the last is the least missed
        while len(columns) > FEWEST and _room(rows, columns, width) < LEAST:
            columns.pop()
    else:
        columns += _extras(rows, columns)
    table.add_column(Text("arm"), overflow="fold")
    for heading, _ in columns:
        table.add_column(Text(heading), justify="right", no_wrap=True)
    room = _room(rows, columns, width)
    known: set[str] = set()
    for row in rows:
        name = _name(row, room, typed=row.label not in known)
        table.add_row(name, *(Text(say(row)) for _, say in columns))
        known.add(row.label)
    console.print(table, width=width)
    shown = [heading for heading, _ in columns]
    console.print(Text(_legend(rows, shown), style="dim"), width=width)


def _columns(rows: Sequence[Row]) -> list[Column]:
    """Heading and cell of each column of the terminal table after the arm's."""
    levels = {r.level for r in rows if r.level is not None}
    single = f"to {100 * levels.pop():.0f} %" if len(levels) == 1 else ""
    return [
        ("images", lambda r: text.count(r.train_size)),
        ("seeds", lambda r: str(r.ok) if r.ok == r.runs else f"{r.ok}/{r.runs}"),
        ("accuracy %", _accuracy_cell),
        ("learn s", lambda r: _marked(r, _seconds_cell(r.seconds_learning_cold))),
        ("warm s", lambda r: _marked(r, _seconds_cell(r.seconds_learning_warm))),
        (single or "to level", lambda r: _marked(r, _level_cell(r, bool(single)))),
        ("trained", lambda r: text.scaled(r.parameters_trainable).replace(text.SPACE, "")),
    ]


def _extras(rows: Sequence[Row], columns: Sequence[Column]) -> list[Column]:
    """Columns of what only some rows have, as far as they leave room for names."""
    room = _room(rows, columns, WIDTH)
    wanted: list[Column] = []
    if any(r.forgotten_mean is not None for r in rows):
        wanted.append((FORGOT, lambda r: text.points(r.forgotten_mean, sign=False)))
    if any(r.seconds_source_cold for r in rows):
        wanted.append((SOURCE, lambda r: _seconds_cell(r.seconds_source_cold or None)))
    extras = []
    for column in wanted:
        room -= _wide(column, rows)
        if room >= LEAST:
            extras.append(column)
    return extras


def _wide(column: Column, rows: Sequence[Row]) -> int:
    """Letters that a column takes, with the space between two."""
    heading, say = column
    return 2 + max([len(heading), *(len(say(row)) for row in rows)])


def _room(rows: Sequence[Row], columns: Sequence[Column], width: int) -> int:
    """Letters that are left for names, between the margins."""
    return width - 2 - sum(_wide(column, rows) for column in columns)


def _name(row: Row, room: int, typed: bool = True) -> Text:
    """The arm in words, where need be in two lines; below it as it is typed, and mishaps."""
    name = row.name
    if len(name) > room:
        name = name.replace(BETWEEN, f"\n{BETWEEN.lstrip()}", 1)
    exact = shortened(row.label, MOST_LETTERS)
    below = f"\n{exact}" if typed and exact != row.name else ""
    return Text.assemble(name, (below, "dim"), (f"\n{row.notes}" if row.notes else "", "bold red"))


def _accuracy_cell(row: Row) -> str:
    if row.accuracy_mean is None:
        aside = row.accuracy_aside
        return text.NONE if aside is None else f"({100 * aside:.1f})"
    spread = "" if row.accuracy_spread is None else f" ± {100 * row.accuracy_spread:.1f}"
    return f"{100 * row.accuracy_mean:.1f}{spread}"


def _seconds_cell(value: float | None) -> str:
    if value is None:
        return text.NONE
    return text.count(value) if value >= 10 else text.decimal(value, 1)


def _marked(row: Row, cell: str) -> str:
    """A time, and a mark where runs shared a machine."""
    return f"{cell}*" if row.beside and cell != text.NONE else cell


def _level_cell(row: Row, single: bool) -> str:
    seconds = _seconds_cell(row.seconds_to_level_cold)
    if single or row.level is None or seconds == text.NONE:
        return seconds
    return f"{seconds} @{100 * row.level:.0f} %"


def _legend(rows: Sequence[Row], shown: Sequence[str]) -> str:
    """What the columns mean, only as far as they are there."""
    words = ["Accuracy: test images, mean over seeds"]
    if any(r.accuracy_spread is not None for r in rows):
        words[0] += " ± standard deviation"
    if any(r.accuracy_aside is not None for r in rows):
        words[0] += " (in brackets: of runs that did not end well)"
    ready = "source phases and features" if SOURCE in shown else "features"
    words.append(
        "learn: seconds from reading data to the trained network, with an empty cache; warm: "
        f"{ready} found ready"
    )
    if any(r.level is not None for r in rows):
        words.append("to N %: of these, until N % of the validation images were right")
    if any(r.beside for r in rows):
        words.append("*: beside other runs on the same machine")
    if FORGOT in shown:
        words.append(f"{FORGOT}: points of accuracy lost on the source task")
    if SOURCE in shown:
        words.append(f"{SOURCE}: seconds of learning the source data set, part of learn")
    return "; ".join(words) + "."


def _to_level(group: Group, level: float | None, cold: bool) -> float | None:
    """None unless every run got there: those that did alone would be the quick ones."""
    if level is None:
        return None
    times = [intervals.time_to_accuracy(r, level, cold) for r in group.ok]
    return None if None in times else intervals.mean_of(times)


def _largest(values: Iterable[int | None]) -> int | None:
    return max((v for v in values if v is not None), default=None)


def _row(g: Group, level: float | None) -> Row:
    s, first, counts = accuracy(g), g.records[0], g.counts()
    error, error_scaled = certainty.errors(g)
    return Row(
        arm=g.arm,
        label=g.label,
        name=g.name,
        data=first.data.name,
        synthetic=first.data.synthetic,
        complete=all(r.data.complete for r in g.records),
        train_size=g.train_size,
        settings=decides(first.settings, first.phases),
        seeds=[r.seed for r in g.records],
        runs=len(g.records),
        ok=counts["ok"],
        diverged=counts["diverged"],
        failed=counts["failed"],
        accuracy_mean=s.mean,
        accuracy_spread=s.spread,
        accuracy_low=s.low,
        accuracy_high=s.high,
        accuracy_aside=intervals.mean_of(r.test.accuracy for r in g.aside if r.test),
        interval=s.method,
        macro_f1_mean=mean(g, lambda r: r.test.macro_f1 if r.test else None),
        loss_mean=mean(g, lambda r: r.test.loss if r.test else None),
        calibration_error_mean=error,
        calibration_error_scaled_mean=error_scaled,
        loss_scaled_mean=intervals.mean_of(one.loss_scaled for one in certainty.known(g)),
        corrupted_accuracy_mean=mean(g, robustness.corrupted),
        gap_mean=mean(g, gap),
        forgotten_mean=mean(g, forgotten),
        seconds_learning_cold=mean(g, intervals.learning),
        seconds_learning_warm=mean(g, lambda r: intervals.learning(r, cold=False)),
        seconds_train=mean(g, lambda r: r.seconds.train),
        seconds_source_cold=mean(g, lambda r: r.seconds.source_cold),
        seconds_extract_cold=mean(g, lambda r: r.seconds.extract_train_cold),
        seconds_measuring_cold=mean(g, lambda r: r.seconds.measuring_cold),
        seconds_watching=mean(g, lambda r: r.seconds.watch),
        seconds_total_cold=mean(g, lambda r: r.seconds.total_cold),
        processor_seconds_learning_cold=mean(g, lambda r: r.processor_seconds.learning_cold),
        seconds_spent=sum(r.seconds.in_all for r in g.records),
        neighbours=max((r.neighbours.share for r in g.records), default=None),
        beside=max(r.neighbours.runs for r in g.records),
        level=level,
        seconds_to_level_cold=_to_level(g, level, cold=True),
        seconds_to_level_warm=_to_level(g, level, cold=False),
        images_seen=mean(g, lambda r: r.images_seen),
        parameters_total=_largest(r.parameters.total or None for r in g.records),
        parameters_trainable=_largest(r.parameters.trainable or None for r in g.records),
        stored_bytes=_stored(g),
        adapted_bytes=_largest(r.adapters.bytes if r.adapters else None for r in g.records),
        flops_forward_per_image=_largest(r.flops.forward_per_image or None for r in g.records),
        flops_total=mean(g, lambda r: r.flops.total or None),
        peak_memory=_largest(r.peak_memory for r in g.records),
        upstream=upstream(g.records),
        engine=", ".join(text.unique(r.engine for r in g.records)),
        device=", ".join(text.unique(r.environment.device for r in g.records)),
        notes=", ".join(filter(None, (verdict.notes(g), verdict.stopped_early(g)))),
    )


def _stored(g: Group) -> int | None:
    """The bytes of what is one task's own; None where its numbers were not counted."""
    whole = from_scratch(g)
    counts = [r.parameters.total if whole else r.parameters.trainable for r in g.records]
    return FLOAT32 * max(counts) or None


def describe(records: Sequence[Record]) -> str:
    """The totals in a sentence: how many runs, how they ended, how long they took together."""
    seen = view(records)
    spent = sum(r.seconds.in_all for r in records)
    bad = [f"{n} {how}" for n, how in mishaps(records)]
    endings = f", {text.listing(bad)}" if bad else ""
    arms = text.plural(len({full_name(r.arm, r.settings.variant) for r in seen.records}), "arm")
    return (
        f"{text.plural(len(records), 'run')} of {arms}{endings}; {text.seconds(spent)} altogether."
    )
