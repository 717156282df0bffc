"""What may be asked of a run while it trains: to pause, to play, to do one epoch, to stop."""

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


Message = Pause | Play | Step | Stop | Look


class Control:
    """Whether a run may begin its next epoch, as one thread hears it and another one trains."""

    def __init__(self) -> None:
        self._epochs = math.inf  # that may still begin
        self._changed = threading.Condition()
        self._looks: SimpleQueue[str] = SimpleQueue()

    def hear(self, message: Pause | Play | Step | Look) -> None:
        """Take note of what is asked for."""
        if isinstance(message, Look):
            self._looks.put(message.path)
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

    def next_look(self) -> str:
        """The file of the next picture that is asked about, once there is one."""
        while True:
            try:
                # For a moment each: an interrupt is heard between two of them.
                return self._looks.get(timeout=0.1)
            except Empty:
                continue
