"""Runs a plan: one process per run, records kept as they end, the same command continues."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from comparisons.core import events, machine, predictions, records
from comparisons.core.events import Event, Listener, Tell
from comparisons.core.files import cannot_write
from comparisons.core.records import Data, Environment, Record
from comparisons.plan.request import has_accelerator
from comparisons.plan.runs import Run
from comparisons.running import kept, process, tasks
from comparisons.running.fork_server import ForkServer, Gone
from comparisons.running.remote import Remote


def run_all(
    plan: list[Run],
    data: Data,
    out: Path | None,
    fresh: bool,
    listeners: Sequence[Listener] = (),
    meanwhile: Callable[[], object] = lambda: None,
    remote: Remote | None = None,
    ready: Processes | None = None,
) -> list[Record]:
    """Do what is not yet done of a plan; the records of all its runs, in its order.

    `data` describes the data set in the records of runs that fail before they can. Finished
    runs under `out` are kept unless `fresh`. `listeners` hear each event with its run's place;
    `meanwhile` is called while the framework is being loaded, when no clock runs yet; `remote` may
    hold runs up between epochs; `ready` are processes that have the framework loaded, or are about
    to. Raises comparisons.running.remote.Stopped when `remote` ends them, and ComparisonError when
    a record cannot be written.
    """
    found = [None if fresh or out is None else kept.finished(run, out) for run in plan]
    todo = [run for run, record in zip(plan, found, strict=True) if record is None]
    done = []
    with ExitStack() as stack:
        processes = ready or stack.enter_context(Processes())
        if todo:
            processes.load(todo[0].settings.device)
        if remote:
            remote.loading(processes.end)
        meanwhile()
        for number, (run, before) in enumerate(zip(plan, found, strict=True)):
            tell = partial(tell_all, listeners, number)
            tell(events.Start(run.arm))
            if out and (before or fresh):
                kept.forget(run, out)
            record = before or _run(run, data, out, tell, processes.start, remote)
            tell(events.Record(record, before is not None))
            done.append(record)
    return done


class Processes:
    """Where the process of each run comes from: forked by a server, else started anew.

    One run at a time. Used in a `with` block, whose end is the end of the server.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._server: ForkServer | None = None

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server."""
        self._stack.close()

    def load(self, device: str) -> None:
        """Have a server load what runs on a device need, unless it does or has done so.

        Nothing where forking what is loaded would not be safe.
        """
        # A GPU or TPU is not measured: there each process loads its framework itself.
        if sys.platform != "linux" or has_accelerator(device):
            return
        if self._server is None or not self._server.runs:
            self._stack.close()  # of one that was ended
            self._server = self._stack.enter_context(ForkServer(device))

    def end(self) -> None:
        """End what is still loading, by another thread: who waits for it need not any more."""
        if self._server:
            self._server.kill()

    def start(self, stdin: int, stdout: int, stderr: int) -> process.Process:
        """The process of the next run, which the one before it has ended for."""
        if self._server:
            try:
                return self._server.fork(stdin, stdout, stderr)
            except Gone:
                self._server = None  # the runs that are left do without
        return process.spawn(stdin, stdout, stderr)


def tell_all(listeners: Sequence[Listener], number: int, event: Event) -> None:
    """Tell every listener of an event of the run at a place of the plan."""
    for listener in listeners:
        listener(number, event)


def _run(
    run: Run,
    data: Data,
    out: Path | None,
    tell: Tell,
    start: process.Start,
    remote: Remote | None,
) -> Record:
    record = None
    error = "the process ended without a result"
    tell(events.Stage("loading the framework"))
    with process.Worker(_task(run, out), start) as worker:
        for event in remote.over(worker) if remote else worker:
            if isinstance(event, events.Record):
                record = event.record
            elif isinstance(event, events.Error):
                error = event.text
            else:
                tell(event)
    record = record or failed(run, data, error)
    keep(run, record, out)
    return record


def keep(run: Run, record: Record, out: Path | None) -> None:
    """Write the record of a run that has ended. Raises ComparisonError when it cannot be."""
    if out:
        try:
            records.save(record, out)
        except OSError as problem:
            raise cannot_write(out, problem) from None
        if record.status != "failed":
            kept.forget(run, out)


def _task(run: Run, out: Path | None) -> tasks.Train:
    if out is None:
        return tasks.Train(run)
    answers, checkpoint = predictions.file(out, run.id), kept.checkpoint(run, out)
    return tasks.Train(run, str(answers), str(checkpoint), kept.every())


def failed(run: Run, data: Data, error: str) -> Record:
    """The record of a run that gave none."""
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
