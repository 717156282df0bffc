"""A rehearsal: every network of a plan is built once, before any of them trains.

What a base does not allow (a block that is not there, a rank too large, weights of another
network) is then one line at once, instead of a failed run after an hour of others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from comparisons import arms, runner
from comparisons.arms import Arm
from comparisons.data.dataset import Dataset
from comparisons.errors import ComparisonError
from comparisons.plan import Run
from models.catalog import OWN, weights_file

# Bases that allow every strategy with its usual option (a test builds them all).
SURE = ("tiny", "mobilenet")


def rehearse(planned: Sequence[Run], dataset: Dataset, say: Callable[[str], None]) -> None:
    """Build the networks of a plan in a process of its own. Raises ComparisonError.

    The usual arms cannot fail like this, and are left out: a start without others takes no
    longer.
    """
    doubtful = {run.written: run.arm for run in planned if _doubtful(arms.parse(run.written))}
    if not doubtful:
        return
    say(f"checking {', '.join(doubtful.values())}")
    task = {
        "task": "rehearse",
        "written": list(doubtful),
        "image_shape": dataset.image_shape,
        "classes": len(dataset.classes),
    }
    with contextlib.closing(runner.work(task)) as events:
        for event in events:
            if event["event"] == "error":
                raise ComparisonError(event["text"], event["exit_code"])


def build(written: list[str], image_shape: list[int], classes: int) -> None:
    """Build each network as its run would. Raises ComparisonError, which names the arm."""
    from comparisons.runtime import start

    start("cpu", 0, False)
    import keras

    for text in written:
        arm = arms.parse(text)
        try:
            _build(arm, tuple(image_shape), classes)
        except (ImportError, OSError, ValueError) as error:
            raise ComparisonError(f"{arm.name}: {_first_line(error)}") from None
        keras.backend.clear_session()


def _build(arm: Arm, image_shape: Any, classes: int) -> None:
    from comparisons.training import change_of
    from models import adapt

    options = dict(arm.options)
    weights = weights_file(arm.model, options) if arm.strategy.pretrained else None
    network = adapt.build(arm.model, options, image_shape, classes, weights, change_of(arm, []))
    for phase in arm.strategy.phases:
        count = arm.value or 0
        adapt.set_trainable(network, phase.trainable, count)
        adapt.halves(network, phase.trainable, count)


def _doubtful(arm: Arm) -> bool:
    usual = arm.strategy.option
    if usual is None:
        return arm.model.name not in OWN
    return arm.model.name not in SURE or arm.value != usual[1]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]
