"""Runs a plan: one process per run, records kept as they end, the same command continues."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec

from comparisons import records, runtime
from comparisons.errors import ComparisonError
from comparisons.plan import Run
from comparisons.records import Data, Record

Tell = Callable[[dict[str, Any]], None]
ROOT = Path(__file__).resolve().parent.parent


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


def work(task: dict[str, Any]) -> Generator[dict[str, Any]]:
    """Do a task in a process of its own and yield its answers.

    A process that is killed yields an error event that names the signal. Closing the iterator
    ends the process.
    """
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "comparisons.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=os.environ | {"PYTHONPATH": _python_path()},
            # Ctrl-C is for this process, which then ends the other one.
            start_new_session=True,
        )
        assert process.stdin and process.stdout
        try:
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write(msgspec.json.encode(task))
            ended = False
            for line in process.stdout:
                event = msgspec.json.decode(line)
                ended = event["event"] in ("record", "error", "done")
                yield event
            code = process.wait()
            if not ended:
                yield {"event": "error", "text": _why(code, complaints), "exit_code": 1}
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def cannot_write(path: Path, error: OSError) -> ComparisonError:
    """The error for a folder that cannot be written or a disk that is full."""
    return ComparisonError(
        f"cannot write to {path}: {error.strerror or error}; free some space or name another "
        "folder by --out (finished runs are kept: the same command continues)",
        exit_code=1,
    )


def _why(code: int, complaints: IO[bytes]) -> str:
    """One line on how a process ended: its signal, or the last thing it said."""
    if code < 0:
        hint = " (often too little memory)" if -code == signal.SIGKILL else ""
        return f"the process was ended by {signal.Signals(-code).name}{hint}"
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return f"the process ended with code {code}: {lines[-1][:300] if lines else 'no message'}"


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
        environment={"command": run.command, **runtime.code_state()},
    )


def _python_path() -> str:
    """The search path of the other process: this code first, wherever it was started."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
