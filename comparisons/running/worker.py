"""The process of one task: read as a line of JSON from standard input, answered in events.

One process per run keeps the memory of one from the next, makes its peak memory its own, and
lets a run that is killed fail alone. Called by comparisons.running.process, never by hand.
"""

from __future__ import annotations

import _thread
import io
import json
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from comparisons.core import children, control, predictions
from comparisons.core.clock import CHECKPOINT, Clock
from comparisons.core.control import Control
from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.events import Device, Done, Error, Event, Record, Stage, Tell
from comparisons.core.interrupts import EXIT_CODE
from comparisons.core.machine import before_loading
from comparisons.running import tasks

if TYPE_CHECKING:
    from comparisons.data import Dataset
    from comparisons.plan.runs import Run


def main() -> None:
    """Do the task on standard input; the last line says how it ended."""
    children.end_with(os.getppid())
    answers = _take_standard_output()
    prepare_to_load()

    def tell(event: Event) -> None:
        answers.write(msgspec.json.encode(event) + b"\n")
        answers.flush()

    try:
        task = msgspec.convert(json.loads(sys.stdin.buffer.readline()), type=tasks.Task)
        held = Control()
        threading.Thread(target=_listen, args=(held,), daemon=True).start()
        TASKS[type(task)](task, tell, held)
    except ComparisonError as error:
        tell(Error(str(error), error.exit_code))
    except KeyboardInterrupt:
        tell(Error("stopped", EXIT_CODE))
    except MemoryError:
        tell(Error("not enough memory"))
    except Exception as error:
        import traceback

        traceback.print_exc()
        tell(Error(f"{type(error).__name__}: {first_line(error)}"))
    # All is said and written: taking a framework apart would cost most of a second.
    sys.stderr.flush()
    os._exit(0)


def prepare_data(task: tasks.Prepare, tell: Tell, held: Control) -> None:
    """Decode or fetch a data set into the cache."""
    from comparisons.data import prepare

    data_dir = Path(task.data_dir) if task.data_dir else None
    prepare(task.name, data_dir, lambda text: tell(Stage(text)), task.image_size)
    tell(Done())


def fetch_weights(task: tasks.Fetch, tell: Tell, held: Control) -> None:
    """Download the published weights of an arm's base."""
    from comparisons.plan import arms
    from models import fetching

    try:
        fetching.fetch(arms.parse(task.written).model)
    except OSError as error:
        said = f"it cannot be kept ({error.strerror})" if error.strerror else first_line(error)
        raise ComparisonError(said) from None
    tell(Done())


def rehearse(task: tasks.Rehearse, tell: Tell, held: Control) -> None:
    """Find the device and build the networks of arms, to see whether they can be."""
    from comparisons.training.device import start

    start(task.device, 0, False)
    from comparisons.training import building

    building.rehearse(task.written, task.image_shape, task.classes)
    tell(Done())


def train(task: tasks.Train, tell: Tell, held: Control) -> None:
    """Do one run; the record is in the last answer, the test logits in a file."""
    import numpy as np

    from comparisons.training.device import start

    run = task.run
    runtime = start(run.settings.device, run.seed, run.settings.deterministic)
    from comparisons.training import extraction
    from comparisons.training import run as training
    from comparisons.training.checkpoint import Checkpoint, key

    if any(phase.trainable in extraction.AFTER_FROZEN for phase in run.target_phases):
        extraction.load(run.settings.engine, runtime)
    tell(Stage("reading the data"))
    clock = Clock()
    with clock.charge(CHECKPOINT):
        path = Path(task.checkpoint) if task.checkpoint else None
        checkpoint = Checkpoint(path, task.every, lambda: key(run, runtime), tell)
    with clock.charge("read"):
        dataset = _data_of(run)
    tell(Device(runtime.kind, runtime.name, runtime.count))
    record, logits = training.run(run, dataset, runtime, tell, clock, held, checkpoint)
    if logits is not None and task.predictions:
        content = io.BytesIO()
        np.save(content, logits)
        predictions.keep(record, Path(task.predictions), content.getvalue())
    tell(Record(record))


def export(task: tasks.Export, tell: Tell, held: Control) -> None:
    """Export a kept model, and try each export on the test pictures of its run."""
    from comparisons.training.device import start

    run = task.run
    start("cpu", run.seed, False)
    from comparisons.training import exports

    dataset = _data_of(run).tested_on(run.settings.test_on)
    exports.export(Path(task.folder), dataset.x_test, dataset.test_files, task.formats, tell)
    tell(Done())


def look(task: tasks.Look, tell: Tell, held: Control) -> None:
    """Keep where a kept model looked in some test images of its run."""
    from comparisons.training.device import start

    run = task.run
    start("cpu", run.seed, False)
    from comparisons.training import looking

    dataset = _data_of(run).tested_on(run.settings.test_on)
    looking.keep(Path(task.folder), dataset.x_test, task.rows, Path(task.out))
    tell(Done())


def answer(task: tasks.Answer, tell: Tell, held: Control) -> None:
    """Say what kept networks see in pictures, until nobody asks any more."""
    from comparisons.training.device import start

    start("auto", 0, False)
    from comparisons.training import looking

    looking.answer([Path(path) for path in task.networks], Path(task.pictures), tell, held)


def _data_of(run: Run) -> Dataset:
    """The images of a run, as its seed deals them."""
    from comparisons.data import prepare

    data_dir = Path(run.data_dir) if run.data_dir else None
    dataset = prepare(run.data, data_dir, image_size=run.settings.image_size)
    return dataset.only(run.classes).dealt(run.tested)


TASKS: dict[type[tasks.Task], Callable[[Any, Tell, Control], None]] = {
    tasks.Prepare: prepare_data,
    tasks.Fetch: fetch_weights,
    tasks.Rehearse: rehearse,
    tasks.Train: train,
    tasks.Export: export,
    tasks.Look: look,
    tasks.Answer: answer,
}


def _listen(held: Control) -> None:
    """Hear what is asked of the run; the end of it is the end of whoever asked."""
    for line in sys.stdin.buffer:
        message = msgspec.json.decode(line, type=control.Message)
        if isinstance(message, control.Stop):
            _thread.interrupt_main()
        else:
            held.hear(message)
    os._exit(EXIT_CODE)


def prepare_to_load(device: str = "auto") -> None:
    """What must be settled before anything loads a framework."""
    warnings.simplefilter("ignore")
    before_loading(device)
    # Keras would load it with itself, a third of a second in every run; a run draws nothing.
    sys.modules["matplotlib"] = None  # type: ignore[assignment]


def _take_standard_output() -> IO[bytes]:
    """Keep standard output for answers; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers
