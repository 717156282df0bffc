"""The networks of a race that is over, in a process that is asked about pictures."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from comparisons.core import control, events
from comparisons.core.errors import ComparisonError
from comparisons.running import tasks
from comparisons.running.process import Worker


class Said(msgspec.Struct):
    """What an arm says of a picture, what it saw of it and where it looked, as data URIs."""

    label: str
    called: str
    certainty: float
    sure: bool
    seen: str
    looked: str | None


class Networks:
    """Networks by their arms' labels: `networks` are the files of their cards."""

    def __init__(self, networks: dict[str, Path]) -> None:
        self._labels = list(networks)
        self._lock = threading.Lock()
        self._stack = ExitStack()
        # Begun now: whoever watched the race will have a picture at hand soon.
        self._worker = self._stack.enter_context(
            Worker(tasks.Answer([str(path) for path in networks.values()]))
        )
        self._told = iter(self._worker)

    def say(self, content: bytes) -> list[Said]:
        """What each arm says of a picture, as the content of a file. Raises ComparisonError."""
        with self._lock, tempfile.NamedTemporaryFile(suffix=".picture") as file:
            file.write(content)
            file.flush()
            self._worker.send(control.Look(file.name))
            try:
                return [self._next(label) for label in self._labels]
            except ComparisonError:
                raise
            except ValueError:  # closed meanwhile: the next race has begun
                raise ComparisonError("these networks are gone: another race has begun") from None

    def close(self) -> None:
        """End the process."""
        self._stack.close()

    def _next(self, label: str) -> Said:
        for event in self._told:
            match event:
                case events.Looked():
                    said = event.called, event.certainty, event.sure
                    return Said(label, *said, event.seen, event.looked)
                case events.Note(said):
                    raise ComparisonError(said)
                case events.Error(said):
                    raise ComparisonError(f"the networks cannot be asked: {said}")
        raise ComparisonError("the networks cannot be asked any more: run the race again")


def kept(folder: Path, runs: Mapping[str, str]) -> dict[str, Path]:
    """The cards of the networks that runs left in a folder, by their arms' labels, as their IDs."""
    files = {label: folder / f"{name}.json" for label, name in runs.items()}
    return {label: path for label, path in files.items() if path.is_file()}
