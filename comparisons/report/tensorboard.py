"""Records and epochs as TensorBoard's event files: the curves where many people look first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from comparisons.core import events
from comparisons.core.errors import ComparisonError
from comparisons.core.events import Listener
from comparisons.core.files import cannot_write, inside, must_be_writable, remove
from comparisons.core.machine import must_have
from comparisons.core.records import Epoch, Record
from comparisons.findings import text

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

    from comparisons.plan.runs import Run

# By the name of a curve in TensorBoard, the field of an epoch; slashes group them there.
CURVES = {
    "accuracy/train": "train_accuracy",
    "accuracy/validation": "val_accuracy",
    "loss/train": "train_loss",
    "loss/validation": "val_loss",
    "learning_rate": "learning_rate",
    "learning_seconds": "elapsed_cold",
}


def listening(folder: Path) -> Callable[[Sequence[Run]], Listener]:
    """What makes of a plan what writes its runs' events as they happen, a folder for each run.

    Raises ComparisonError, before there is a plan, where that cannot be.
    """
    _must_be_writable(folder)
    return lambda planned: _listener(folder, planned)


def _must_be_writable(folder: Path) -> None:
    must_have("tensorboardX", "TensorBoard's files", "tensorboardX", "tensorboard")
    must_be_writable(folder)


def _listener(folder: Path, planned: Sequence[Run]) -> Listener:
    boards: dict[int, _Board] = {}

    def hear(number: int, event: events.Event) -> None:
        match event:
            case events.Start():
                boards[number] = _Board(folder, planned[number].id)
            case events.Epoch(entry):
                boards[number].epoch(entry)
            case events.Continued(entries):
                for entry in entries:
                    boards[number].epoch(entry)
            case events.Record(record):
                boards.pop(number).end(record)

    return hear


def export(records: Sequence[Record], folder: Path) -> None:
    """Write the event files of finished runs, a folder for each. Raises ComparisonError."""
    _must_be_writable(folder)
    for record in records:
        _Board(folder, record.id).end(record)


class _Board:
    """The event file of the run of an ID, whose steps are epochs of all its phases, from 1 on.

    What was there of the run before is replaced: TensorBoard would show both as one.
    """

    def __init__(self, folder: Path, run: str) -> None:
        own = inside(folder, run)
        if own is None:
            raise ComparisonError(f"no folder in {folder} can be called {run!r}")
        self._folder = own
        self._epochs = 0
        self._writer: SummaryWriter | None = None

    def epoch(self, entry: Epoch, at: float | None = None) -> None:
        """Add an epoch's numbers; `at` is when it ended, in seconds since 1970 (default: now)."""
        self._epochs += 1
        writer, step = self._open(), self._epochs
        for name, field in CURVES.items():
            value = getattr(entry, field)
            if value is not None:
                self._do(lambda: writer.add_scalar(name, value, step, at))  # noqa: B023

    def end(self, record: Record) -> None:
        """Add what is missing of a run that has ended: its other epochs, its result, its text."""
        begun = started(record)
        for entry in record.history[self._epochs :]:
            self.epoch(entry, begun + entry.elapsed if begun else None)
        writer, step = self._open(), max(self._epochs, 1)
        if record.test:
            tested = record.test
            self._do(lambda: writer.add_scalar("accuracy/test", tested.accuracy, step))
        about = "\n".join(f"- {line}" for line in _about(record))
        self._do(lambda: writer.add_text("about", about, step))
        self._do(writer.close)

    def _open(self) -> SummaryWriter:
        if self._writer is None:
            from tensorboardX import SummaryWriter

            remove(self._folder)
            self._do(lambda: setattr(self, "_writer", SummaryWriter(str(self._folder))))
        assert self._writer is not None
        return self._writer

    def _do(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            raise cannot_write(self._folder, error, "TensorBoard's files") from None


def started(record: Record) -> float | None:
    """When a run began, in seconds since 1970; None where that is not known."""
    with suppress(ValueError, TypeError):
        return datetime.fromisoformat(record.started).timestamp()
    return None


def _about(record: Record) -> list[str]:
    """A record in a few lines of Markdown."""
    said = [
        f"`{record.arm}`, {text.count(record.train_size)} training images of {record.data.name}, "
        f"seed {record.seed}",
        f"ended: {record.status}{f' ({record.error})' if record.error else ''}",
        f"{text.seconds(record.seconds.learning_cold)} of learning",
    ]
    if record.test:
        said.append(f"{text.percent(record.test.accuracy)} of the test images named rightly")
    if record.environment.command:
        said.append(f"`{record.environment.command}`")
    return said
