"""A rehearsal: every network of a plan is built once, before any of them trains.

What a base does not allow (a block that is not there, a rank too large, weights of another
network) is then one line at once, instead of a failed run after an hour of others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from comparisons.core.errors import ComparisonError
from comparisons.core.events import Error
from comparisons.data.dataset import Dataset
from comparisons.plan import arms
from comparisons.plan.arms import Arm
from comparisons.plan.runs import Run
from comparisons.running import process, tasks
from models.catalog import OWN

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
    task = tasks.Rehearse(list(doubtful), dataset.image_shape, len(dataset.classes))
    with process.Worker(task) as worker:
        for event in worker:
            if isinstance(event, Error):
                raise ComparisonError(event.text, event.exit_code)


def _doubtful(arm: Arm) -> bool:
    usual = arm.strategy.option
    if usual is None:
        return arm.model.name not in OWN
    return arm.model.name not in SURE or arm.value != usual[1]
