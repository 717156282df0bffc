"""The networks of a race that is over, in a process that is asked what they see and hold."""

from __future__ import annotations

import tempfile
import threading
from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from msgspec.structs import astuple

from comparisons.core import card as cards
from comparisons.core import control, events
from comparisons.core.errors import ComparisonError
from comparisons.core.files import cannot_write, remove
from comparisons.live.feed import Picture
from comparisons.running import tasks
from comparisons.running.process import Start, Worker

E = TypeVar("E", bound=events.Looked | events.Inside)


class Said(msgspec.Struct):
    """What an arm says of a picture; as data URIs what it saw of it, where it looked, and found."""

    label: str
    called: str
    certainty: float
    sure: bool
    seen: str
    looked: str | None
    found: list[str]


class Moved(msgspec.Struct):
    """A figure, as a data URI, of what fine-tuning did to a base's features, and what it says."""

    figure: str
    said: str
    how_to_read: str


class Holding(msgspec.Struct):
    """What is inside an arm's network (see comparisons.core.events.Inside).

    `moved` is None where no base was fine-tuned.
    """

    label: str
    filters: list[str]
    found: list[str]
    plane: list[tuple[float, float]]
    alike: float
    moved: Moved | None


class Inside(msgspec.Struct):
    """Held-out pictures, and what is inside each arm's network by them."""

    pictures: list[Picture]
    arms: list[Holding]


@dataclass(frozen=True)
class HeldOut:
    """Held-out images uint8 [n, h, w, c], their labels [n], and the same as a page has them."""

    images: np.ndarray
    labels: np.ndarray
    pictures: list[Picture]


class Networks:
    """Networks by their arms' labels: `networks` are the files of their cards.

    They are looked into by pictures that were `held_out`; `start` makes the process they are in.
    """

    def __init__(self, networks: dict[str, Path], held_out: HeldOut, start: Start) -> None:
        self._cards = networks
        self._pictures = held_out.pictures
        self._inside: Inside | None = None  # it does not change: looked at once
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        file = self._folder / "held_out.npz"
        try:
            np.savez(file, images=held_out.images, labels=held_out.labels)
        except OSError as error:
            raise cannot_write(file, error, "TMPDIR") from None
        # Begun now: whoever watched the race will have a picture at hand soon.
        task = tasks.Answer([str(path) for path in networks.values()], str(file))
        self._worker = self._stack.enter_context(Worker(task, start))
        self._told = iter(self._worker)

    def say(self, content: bytes) -> list[Said]:
        """What each arm says of a picture, as the content of a file. Raises ComparisonError."""
        with self._lock:
            file = self._folder / "tried"
            try:
                file.write_bytes(content)
                told = self._ask(control.Look(str(file)), events.Looked)
            except OSError as error:
                raise cannot_write(file, error, "TMPDIR") from None
            finally:
                remove(file)
        return [Said(label, *astuple(one)) for label, one in zip(self._cards, told, strict=True)]

    def inside(self) -> Inside:
        """What is inside each network. Raises ComparisonError."""
        with self._lock:
            if self._inside is None:
                told = self._ask(control.Inside(), events.Inside)
                pairs = zip(self._cards.items(), told, strict=True)
                arms = [
                    Holding(label, one.filters, one.found, one.plane, one.alike, moved(path))
                    for (label, path), one in pairs
                ]
                self._inside = Inside(self._pictures, arms)
            return self._inside

    def close(self) -> None:
        """End the process."""
        self._stack.close()

    def _ask(self, question: control.Question, kind: type[E]) -> list[E]:
        """What each network answers. Raises ComparisonError."""
        self._worker.send(question)
        try:
            return [self._next(kind) for _ in self._cards]
        except ComparisonError:
            raise
        except ValueError:  # closed meanwhile: the next race has begun
            raise ComparisonError("these networks are gone: another race has begun") from None

    def _next(self, kind: type[E]) -> E:
        for event in self._told:
            if isinstance(event, kind):
                return event
            match event:
                case events.Note(said):
                    raise ComparisonError(said)
                case events.Error(said):
                    raise ComparisonError(f"the networks cannot be asked: {said}")
        raise ComparisonError("the networks cannot be asked any more: run the race again")


def moved(path: Path) -> Moved | None:
    """What fine-tuning did to the base of a network, by its card's file. Raises ComparisonError."""
    known = cards.read(path)
    if known.plane is None:
        return None
    # What draws and counts is loaded here: before anybody asks, nobody waits for it.
    from comparisons.findings import plane as said_of_plane
    from comparisons.report.figures import paper
    from comparisons.report.figures import plane as planes

    drawn = paper.svg(planes.before_and_after(known, paper.NARROW))
    figure = f"data:image/svg+xml;base64,{b64encode(drawn).decode()}"
    return Moved(figure, said_of_plane.title(known.plane), planes.HOW_TO_READ)


def kept(folder: Path, runs: Mapping[str, str]) -> dict[str, Path]:
    """The cards of the networks that runs left in a folder, by their arms' labels, as their IDs."""
    files = {label: folder / f"{name}.json" for label, name in runs.items()}
    return {label: path for label, path in files.items() if path.is_file()}
