"""What may be asked of a run while it trains, and of networks that are kept."""

from __future__ import annotations

import math
import threading
from queue import Empty, SimpleQueue

import msgspec


class _Message(msgspec.Struct, tag_field="control", tag=str.lower):
    """One thing asked for."""


class Pause(_Message):
    """Wait before the next epoch."""


class Play(_Message):
    """Go on until something else is asked for."""


class Step(_Message):
    """One epoch more, then wait again."""


class Stop(_Message):
    """End without a record, as by Ctrl-C: the same command does this run again."""


class Look(_Message):
    """Say what kept networks see in the picture of a file."""

    path: str


class Inside(_Message):
    """Say what is inside kept networks."""


Question = Look | Inside
Message = Pause | Play | Step | Stop | Question


class Control:
    """Whether a run may begin its next epoch, as one thread hears it and another one trains."""

    def __init__(self) -> None:
        self._epochs = math.inf  # that may still begin
        self._changed = threading.Condition()
        self._questions: SimpleQueue[Question] = SimpleQueue()

    def hear(self, message: Pause | Play | Step | Question) -> None:
        """Take note of what is asked for."""
        if isinstance(message, Question):
            self._questions.put(message)
            return
        with self._changed:
            if isinstance(message, Step):
                self._epochs += 1
            else:
                self._epochs = math.inf if isinstance(message, Play) else 0
            self._changed.notify()

    def before_epoch(self) -> None:
        """Return when an epoch may begin."""
        with self._changed:
            while not self._epochs:
                # For a moment each: an interrupt is heard between two of them.
                self._changed.wait(0.1)
            self._epochs -= 1

    def next_question(self) -> Question:
        """What is asked next of kept networks, once something is."""
        while True:
            try:
                # For a moment each: an interrupt is heard between two of them.
                return self._questions.get(timeout=0.1)
            except Empty:
                continue
