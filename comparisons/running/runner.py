"""Runs a plan: one process per run, records kept as they end, the same command continues."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from comparisons.core import events, machine, records
from comparisons.core.events import Event, Listener, Tell
from comparisons.core.files import cannot_write
from comparisons.core.records import Data, Environment, Record
from comparisons.plan.runs import Run
from comparisons.running import process, tasks


def run_all(
    plan: list[Run],
    data: Data,
    out: Path | None,
    fresh: bool,
    listeners: Sequence[Listener] = (),
) -> list[Record]:
    """Do what is not yet done of a plan; the records of all its runs, in its order.

    `data` describes the data set in the records of runs that fail before they can. Finished
    runs under `out` are kept unless `fresh`. `listeners` hear each event with its run's place.
    Raises ComparisonError when a record cannot be written.
    """
    done = []
    for number, run in enumerate(plan):
        tell = partial(_tell, listeners, number)
        kept = None if fresh or out is None else finished(run, out)
        tell(events.Start(run.arm))
        record = kept or _run(run, data, out, tell)
        tell(events.Record(record, kept is not None))
        done.append(record)
    return done


def _tell(listeners: Sequence[Listener], number: int, event: Event) -> None:
    for listener in listeners:
        listener(number, event)


def finished(run: Run, out: Path) -> Record | None:
    """The kept record of a run; None when there is none, a damaged or a failed one."""
    try:
        record = records.load(out / "runs" / f"{run.id}.json")
    except (OSError, records.DamagedRecord):
        return None
    return None if record.status == "failed" else record


def _run(run: Run, data: Data, out: Path | None, tell: Tell) -> Record:
    predictions = str(out / "predictions" / f"{run.id}.npy") if out else None
    record = None
    error = "the process ended without a result"
    with process.Worker(tasks.Train(run, predictions)) as worker:
        for event in worker:
            if isinstance(event, events.Record):
                record = event.record
            elif isinstance(event, events.Error):
                error = event.text
            else:
                tell(event)
    if record is None:
        record = _failed(run, data, error)
    if out:
        try:
            records.save(record, out)
        except OSError as problem:
            raise cannot_write(out, problem) from None
    return record


def _failed(run: Run, data: Data, error: str) -> Record:
    model, _, strategy = run.arm.rpartition(":")
    return Record(
        schema=records.SCHEMA,
        id=run.id,
        arm=run.arm,
        model=model,
        strategy=strategy,
        seed=run.seed,
        train_size=run.train_size,
        settings=run.settings,
        status="failed",
        error=error,
        notices=run.notices,
        data=data,
        phases=run.phases,
        environment=Environment(command=run.command, **machine.code_state()),
    )
