"""What viewers are told of a live race, in order, from its beginning: a late one catches up."""

from __future__ import annotations

import threading

import msgspec

from comparisons.live.heats import Confusion, Heat, Point


class _Message(msgspec.Struct, tag_field="kind", tag=str.lower):
    """One thing that viewers are told."""


class State(_Message):
    """What the race is in, and a line on it.

    `ready` at first; `preparing`, `running`, `paused` or `stopping` while there is one; then
    `over`, `stopped` or `failed`.
    """

    state: str
    text: str = ""


class Begin(_Message):
    """A heat begins; whatever was shown before is over."""

    heat: Heat


class Stage(_Message):
    """What a run does now, in a few words."""

    track: int
    text: str


class Learnt(_Message):
    """An epoch of a run has ended."""

    track: int
    point: Point


class Answer(msgspec.Struct):
    """What an arm calls a picture, and how certain it is, from 0 to 1."""

    called: str
    certainty: float


class Picture(msgspec.Struct):
    """A picture as a data URI, and its true class; what arms said of it, by their labels."""

    image: str
    truth: str
    answers: dict[str, Answer] = {}


class Shown(_Message):
    """The held-out pictures on show, the same for every arm."""

    pictures: list[Picture]


class Answered(_Message):
    """What a run says by now of the pictures on show, in their order."""

    track: int
    answers: list[Answer]


class Disputed(_Message):
    """Test pictures that two arms disagree on though both are sure, at the end; `said` which."""

    said: str
    pictures: list[Picture]


class Ended(_Message):
    """A run has ended."""

    track: int
    seconds: float
    status: str
    error: str | None
    test: float | None
    confusion: Confusion | None


Message = State | Begin | Stage | Learnt | Shown | Answered | Disputed | Ended


class Feed:
    """The messages of one race, numbered on from those of the races before; for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first = 1  # the number of the first message that is kept
        self._lines: list[bytes] = []
        self.state = State("ready")

    def tell(self, message: Message) -> None:
        """Add a message. One that begins a heat makes those before it forgotten."""
        line = msgspec.json.encode(message)
        with self._lock:
            if isinstance(message, Begin):
                self._first += len(self._lines)
                self._lines = []
            elif isinstance(message, State):
                self.state = message
            self._lines.append(line)

    def since(self, number: int) -> tuple[int, bytes]:
        """What follows the message of a number, as one JSON list, and the number of its last.

        All of the race in hand for a number that is not of this race.
        """
        with self._lock:
            last = self._first + len(self._lines) - 1
            skip = number - self._first + 1 if self._first <= number + 1 <= last + 1 else 0
            return last, b"[" + b",".join(self._lines[skip:]) + b"]"
