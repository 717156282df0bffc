"""A rehearsal: what a plan needs is tried once, before any of it trains.

A device that is not there, or a network that cannot be built (a block that is not there, a rank
too large, a file that its weights cannot be read from) is then one line at once, instead of a
failed run after an hour of others.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence

from comparisons.core import cache
from comparisons.core.errors import ComparisonError
from comparisons.core.events import Error
from comparisons.core.files import digest, write_text
from comparisons.data.dataset import Dataset
from comparisons.plan import arms
from comparisons.plan.arms import Arm
from comparisons.plan.runs import Run
from comparisons.running import process, tasks
from models.catalog import OWN, weights_file

# Bases that allow every strategy with its usual option (a test builds them all).
SURE = ("tiny", "mobilenet")
# Devices that may not be there; without a name, what is there is taken.
DOUBTFUL_DEVICES = ("gpu", "tpu")
GOOD = "good"  # the file that marks weights which a network was built with


def rehearse(
    planned: Sequence[Run], dataset: Dataset, say: Callable[[str], None], here: bool = True
) -> None:
    """Try the device and the networks of a plan in a process of its own. Raises ComparisonError.

    The networks alone where the runs will not be done `here`.

    The usual arms cannot fail, once their weights were seen to be good, and are left out: a
    start without others takes no longer.
    """
    wanted = {run.written: arms.parse(run.written) for run in planned}
    marks = {written: mark for written, arm in wanted.items() if (mark := _mark(arm))}
    unseen = {written for written, mark in marks.items() if not (mark.folder / GOOD).exists()}
    doubtful = [w for w, arm in wanted.items() if w in unseen or _doubtful(arm)]
    device = planned[0].settings.device if planned and here else "auto"
    if not doubtful and device not in DOUBTFUL_DEVICES:
        return
    say(f"checking {', '.join(wanted[written].name for written in doubtful) or device}")
    where = device if device in DOUBTFUL_DEVICES else "cpu"
    task = tasks.Rehearse(where, doubtful, dataset.image_shape, len(dataset.classes))
    with process.Worker(task) as worker:
        for event in worker:
            if isinstance(event, Error):
                raise ComparisonError(event.text, event.exit_code)
    for mark in {marks[written] for written in unseen}:
        with contextlib.suppress(OSError), mark.alone():  # else they are only checked again
            write_text(mark.folder / GOOD, "")


def _doubtful(arm: Arm) -> bool:
    usual = arm.strategy.option
    if usual is None:
        return arm.model.name not in OWN
    return arm.model.name not in SURE or arm.value != usual[1]


def _mark(arm: Arm) -> cache.Entry | None:
    """What is in the cache once a network was built with the very weights of an arm.

    None for an arm without, or whose weights come with this package.
    """
    application = arm.model.application
    if not arm.strategy.pretrained or application is None:
        return None
    try:
        content = digest(weights_file(arm.model))
    except OSError:
        content = "unreadable"  # as building the network will say
    decides = f"{application.function} {arm.model.option('alpha')} {content}"
    key = hashlib.sha256(decides.encode()).hexdigest()[:12]
    return cache.entry("weights", f"{application.function}-{key}")
