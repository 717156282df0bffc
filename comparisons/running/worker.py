"""The process of one run: reads a task as JSON from standard input, answers in JSON lines.

One process per run keeps the memory of one from the next, makes its peak memory its own, and
lets a run that is killed fail alone. Called by comparisons.running.runner, never by hand.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import msgspec

from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.machine import before_loading


def main() -> None:
    """Do the task on standard input; the last line says how it ended."""
    answers = _take_standard_output()
    warnings.simplefilter("ignore")
    before_loading()
    # Keras would load it with itself, a third of a second in every run; a run draws nothing.
    sys.modules["matplotlib"] = None  # type: ignore[assignment]

    def tell(event: dict[str, Any]) -> None:
        answers.write(msgspec.json.encode(event) + b"\n")
        answers.flush()

    try:
        task = msgspec.json.decode(sys.stdin.buffer.read())
        TASKS[task.pop("task")](tell, **task)
    except ComparisonError as error:
        tell({"event": "error", "text": str(error), "exit_code": error.exit_code})
    except MemoryError:
        tell({"event": "error", "text": "not enough memory", "exit_code": 1})
    except Exception as error:
        import traceback

        traceback.print_exc()
        text = f"{type(error).__name__}: {first_line(error)}"
        tell({"event": "error", "text": text, "exit_code": 1})
    # All is said and written: taking a framework apart would cost most of a second.
    sys.stderr.flush()
    os._exit(0)


def prepare_data(tell: Any, name: str, data_dir: str | None) -> None:
    """Decode or fetch a data set into the cache."""
    from comparisons.data import prepare

    prepare(name, Path(data_dir) if data_dir else None, lambda text: _stage(tell, text))
    tell({"event": "done"})


def fetch_weights(tell: Any, written: str) -> None:
    """Download the published weights of an arm's base."""
    from comparisons.plan import arms
    from models import backbones

    arm = arms.parse(written)
    backbones.fetch(arm.model)
    tell({"event": "done"})


def rehearse(tell: Any, written: list[str], image_shape: list[int], classes: int) -> None:
    """Build the networks of arms, to see whether they can be."""
    from comparisons.training.device import start

    start("cpu", 0, False)
    from comparisons.training import building

    height, width, channels = image_shape
    building.rehearse(written, (height, width, channels), classes)
    tell({"event": "done"})


def train(tell: Any, run: dict[str, Any], predictions: str | None) -> None:
    """Do one run; the record is in the last answer, the test logits in a file."""
    import numpy as np

    from comparisons.core.files import write_with
    from comparisons.data import prepare
    from comparisons.plan.runs import Run
    from comparisons.training.device import start

    plan = msgspec.convert(run, Run)
    _stage(tell, "loading the framework")
    runtime = start(plan.settings.device, plan.seed, plan.settings.deterministic)
    from comparisons.training import run as training

    _stage(tell, "reading the data")
    started = time.perf_counter()
    dataset = prepare(plan.data, Path(plan.data_dir) if plan.data_dir else None)
    tell({"event": "device", "kind": runtime.kind, "name": runtime.name, "count": runtime.count})
    record, logits = training.run(plan, dataset, runtime, tell, started)
    if logits is not None and predictions:
        write_with(Path(predictions), lambda file: np.save(file, logits))
    tell({"event": "record", "record": msgspec.to_builtins(record)})


TASKS: dict[str, Callable[..., None]] = {
    "data": prepare_data,
    "weights": fetch_weights,
    "rehearse": rehearse,
    "train": train,
}


def _take_standard_output() -> IO[bytes]:
    """Keep standard output for answers; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _stage(tell: Any, text: str) -> None:
    tell({"event": "stage", "text": text})


if __name__ == "__main__":
    main()
