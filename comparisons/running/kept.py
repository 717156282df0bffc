"""What a run has under `--out`: its record, its predictions, and a checkpoint while it is long."""

from __future__ import annotations

import itertools
import math
import os
from contextlib import suppress
from pathlib import Path

from comparisons.core import files, records
from comparisons.core.errors import ComparisonError
from comparisons.core.records import Record
from comparisons.plan.runs import Run

CHECKPOINTS = ".checkpoints"
ASIDE = "aside"
# The folders that are written, relative to `--out`.
FOLDERS = (".", "runs", "failed", "predictions", "images", "figures", "figures/slides", CHECKPOINTS)


def finished(run: Run, out: Path) -> Record | None:
    """The kept record of a run; None when there is none, a damaged or a failed one."""
    try:
        record = records.load(_record(run, out))
    except (OSError, records.DamagedRecord):
        return None
    return None if record.status == "failed" else record


def checkpoint(run: Run, out: Path) -> Path:
    """Where a run that takes long keeps where it is."""
    return out / CHECKPOINTS / f"{run.id}.checkpoint"


def every() -> float:
    """Seconds from checkpoint to checkpoint: COMPARISONS_CHECKPOINT_MINUTES, else five minutes.

    Raises ComparisonError when the variable is not a number of minutes.
    """
    text = os.environ.get("COMPARISONS_CHECKPOINT_MINUTES") or "5"
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not minutes >= 0:
        raise ComparisonError(
            f"COMPARISONS_CHECKPOINT_MINUTES={text}: give a number of minutes, such as 5"
        )
    return minutes * 60


def forget(run: Run, out: Path) -> None:
    """Delete the checkpoint of a run that is done, or is to begin anew."""
    path = checkpoint(run, out)
    files.remove(path)
    with suppress(OSError):  # others are in it, or there is none
        path.parent.rmdir()


def set_aside(run: Run, out: Path) -> str | None:
    """Move a file that bears a run's ID and is no record of it out of the way of the new one.

    A line that says so; None where there is none. Raises ComparisonError where it cannot be moved.
    """
    path = _record(run, out)
    try:
        records.load(path)
        return None
    except FileNotFoundError:
        return None
    except (OSError, records.DamagedRecord) as error:
        why = str(error) if isinstance(error, records.DamagedRecord) else f"{path.name}: {error}"
    folder = out / ASIDE
    numbers = (f"-{number}" for number in itertools.count(2))
    places = (folder / f"{run.id}{ending}.json" for ending in itertools.chain([""], numbers))
    place = next(place for place in places if not place.exists())
    try:
        folder.mkdir(exist_ok=True)
        path.rename(place)
    except FileNotFoundError:
        return None  # another process was quicker
    except OSError as error:
        raise files.cannot_write(out, error) from None
    return f"{why}: kept as {ASIDE}/{place.name}, and the run is done again"


def tidy(out: Path) -> None:
    """Delete what was left half written under `--out`."""
    for name in FOLDERS:
        files.tidy(out / name)


def _record(run: Run, out: Path) -> Path:
    return out / "runs" / f"{run.id}.json"
