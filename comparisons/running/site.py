"""What a worker of a cluster does: a run as one machine alone would, in a process of its own."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec
from distributed import WorkerPlugin, get_worker

from comparisons.core import events
from comparisons.core.errors import ComparisonError
from comparisons.core.events import Error, Event
from comparisons.plan import arms, bases
from comparisons.plan.runs import Run
from comparisons.running import process, runner, supplies, tasks


class Site(WorkerPlugin):
    """What a worker keeps for the runs of one plan: processes that have loaded the framework."""

    def __init__(self, name: str) -> None:
        self.name = name

    def setup(self, worker: object) -> None:
        """Begin."""
        self._free: SimpleQueue[runner.Processes] = SimpleQueue()
        self._stack = ExitStack()
        self._at_work: set[process.Worker] = set()

    @contextmanager
    def doing(self, task: tasks.Train) -> Iterator[process.Worker]:
        """A run in a process of its own, beside others where this worker has several threads."""
        try:
            processes = self._free.get_nowait()
        except Empty:
            processes = self._stack.enter_context(runner.Processes())
            processes.load(task.run.settings.device)
        try:
            with process.Worker(task, processes.start) as at_work:
                self._at_work.add(at_work)
                yield at_work
                self._at_work.remove(at_work)
        finally:
            self._free.put(processes)

    def teardown(self, worker: object) -> None:
        """End, with what is still at work."""
        for at_work in list(self._at_work):
            at_work.kill()
        self._stack.close()


def work(run: Run, number: int, fingerprint: str, topic: str) -> tuple[Event, bytes | None]:
    """Do a run; its record or an error, and the file of its test logits.

    `number` is its place in the plan, `fingerprint` that of the images there; `topic` is where what
    happens is told, and the name of this worker's site.
    """
    here, host = get_worker(), platform.node()

    def tell(event: Event) -> None:
        here.log_event(topic, (number, host, msgspec.json.encode(event)))

    tell(events.Start(run.arm))
    try:
        _must_be_had(run, fingerprint, lambda text: tell(events.Stage(text)))
        tell(events.Stage("loading the framework"))
        with tempfile.TemporaryDirectory() as folder:
            logits = Path(folder, "logits.npy")
            with here.plugins[topic].doing(tasks.Train(run, str(logits))) as at_work:
                for event in at_work:
                    if isinstance(event, process.LAST):
                        break
                    tell(event)
            return event, logits.read_bytes() if logits.exists() else None
    except ComparisonError as error:
        return Error(f"on {host}: {error}"), None
    finally:
        # Not known by its result, which may arrive after the start of what follows here.
        tell(events.Done())


def _must_be_had(run: Run, fingerprint: str, say: Callable[[str], None]) -> None:
    """Have ready on this machine what a run needs, the same as where its plan was made.

    Raises ComparisonError for what cannot be had, and for other images or another base.
    """
    data_dir, size = Path(run.data_dir) if run.data_dir else None, run.settings.image_size
    wanted = [(run.data, size, run.classes, fingerprint)]
    if source := run.settings.source:
        wanted.append((source.data, None, [], source.fingerprint))
    for name, side, classes, planned in wanted:
        found = supplies.dataset(name, data_dir, say, side)[1].only(classes)
        if found.fingerprint != planned:
            raise ComparisonError(
                f"{found.name} has other images or labels here than where the plan was made "
                f"(fingerprint {found.fingerprint}, there {planned})"
            )
    arm = arms.parse(run.written)
    if arm.model.place and bases.identity(arm.model) != run.settings.base:
        raise ComparisonError(f"{arm.model_name} is another base here than where the plan was made")
    supplies.weights([arm], True, say)
