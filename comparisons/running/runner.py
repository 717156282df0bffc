"""Runs a plan: one process per run, records kept as they end, the same command continues."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from comparisons.core import events, machine, records
from comparisons.core.events import Event, Listener, Tell
from comparisons.core.files import cannot_write
from comparisons.core.records import Data, Environment, Record
from comparisons.plan.request import has_accelerator
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
    kept = [None if fresh or out is None else finished(run, out) for run in plan]
    todo = [run for run, record in zip(plan, kept, strict=True) if record is None]
    done = []
    with _Workers(todo, out) as workers:
        for number, (run, found) in enumerate(zip(plan, kept, strict=True)):
            tell = partial(_tell, listeners, number)
            tell(events.Start(run.arm))
            record = found or _run(run, data, out, tell, workers)
            tell(events.Record(record, found is not None))
            done.append(record)
    return done


class _Workers:
    """A process for each run of a plan, in turn; some load their frameworks at the same time.

    So that none does so while the clock of another's run is on. On a GPU or TPU, which one
    process may take for itself, each is loaded alone.
    """

    def __init__(self, todo: Sequence[Run], out: Path | None) -> None:
        self._todo = deque(todo)
        self._out = out
        self._ready: deque[process.Worker] = deque()
        self._stack = ExitStack()

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def next(self) -> process.Worker:
        """The process of the next run, ready to begin."""
        if not self._ready:
            alone = has_accelerator(self._todo[0].settings.device)
            for _ in range(min(1 if alone else AT_ONCE, len(self._todo))):
                run = self._todo.popleft()
                task = tasks.Train(run, predictions(run, self._out))
                self._ready.append(self._stack.enter_context(process.Worker(task)))
            for worker in self._ready:
                worker.wait_until_ready()
        return self._ready.popleft()


AT_ONCE = 2  # processes that load a framework: more hold more memory than they save time


def predictions(run: Run, out: Path | None) -> str | None:
    """Where the test logits of a run go, if anywhere."""
    return str(out / "predictions" / f"{run.id}.npy") if out else None


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


def _run(run: Run, data: Data, out: Path | None, tell: Tell, workers: _Workers) -> Record:
    record = None
    error = "the process ended without a result"
    worker = workers.next()
    try:
        for event in worker:
            if isinstance(event, events.Record):
                record = event.record
            elif isinstance(event, events.Error):
                error = event.text
            else:
                tell(event)
    finally:
        worker.close()  # its memory is the next one's
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
