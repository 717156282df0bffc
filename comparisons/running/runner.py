"""Runs a plan: one process per run, records kept as they end, the same command continues."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from comparisons.core import machine, records
from comparisons.core.events import Tell
from comparisons.core.files import cannot_write
from comparisons.core.records import Data, Environment, Record
from comparisons.plan.runs import Run
from comparisons.running.process import work


def run_all(
    plan: list[Run],
    data: Data,
    out: Path | None,
    fresh: bool,
    tell: Tell,
) -> list[Record]:
    """Do what is not yet done of a plan; the records of all its runs, in its order.

    `data` describes the data set in the records of runs that fail before they can. Finished
    runs under `out` are kept unless `fresh`. `tell` hears each event with its run's place.
    Raises ComparisonError when a record cannot be written.
    """
    done = []
    for number, run in enumerate(plan):
        kept = None if fresh or out is None else finished(run, out)
        tell({"event": "start", "number": number, "arm": run.arm, "kept": kept is not None})
        record = kept or _run(run, data, out, partial(_numbered, tell, number))
        tell({"event": "end", "number": number, "record": record})
        done.append(record)
    return done


def _numbered(tell: Tell, number: int, event: dict[str, Any]) -> None:
    tell(event | {"number": number})


def finished(run: Run, out: Path) -> Record | None:
    """The kept record of a run; None when there is none, a damaged or a failed one."""
    try:
        record = records.load(out / "runs" / f"{run.id}.json")
    except (OSError, records.DamagedRecord):
        return None
    return None if record.status == "failed" else record


def _run(run: Run, data: Data, out: Path | None, tell: Tell) -> Record:
    predictions = str(out / "predictions" / f"{run.id}.npy") if out else None
    task = {"task": "train", "run": msgspec.to_builtins(run), "predictions": predictions}
    record = None
    error = "the process ended without a result"
    with contextlib.closing(work(task)) as events:
        for event in events:
            if event["event"] == "record":
                record = msgspec.convert(event["record"], Record)
            elif event["event"] == "error":
                error = event["text"]
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
