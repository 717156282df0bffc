"""What may be asked of a run: to begin; and meanwhile to pause, play, do one epoch, stop."""

from __future__ import annotations

import math
import threading

import msgspec


class _Message(msgspec.Struct, tag_field="control", tag=str.lower):
    """One thing asked for."""


class Pause(_Message):
    """Wait before the next epoch."""


class Play(_Message):
    """Go on until something else is asked for."""


class Step(_Message):
    """One epoch more, then wait again."""


class Go(_Message):
    """Begin: all that a run needs is loaded, here and in the process that comes next."""


class Stop(_Message):
    """End without a record, as by Ctrl-C: the same command does this run again."""


Message = Pause | Play | Step | Go | Stop


class Control:
    """Whether a run may begin its next epoch, as one thread hears it and another one trains."""

    def __init__(self) -> None:
        self._epochs = math.inf  # that may still begin
        self._begun = False
        self._changed = threading.Condition()

    def hear(self, message: Pause | Play | Step | Go) -> None:
        """Take note of what is asked for."""
        with self._changed:
            if isinstance(message, Go):
                self._begun = True
            elif isinstance(message, Step):
                self._epochs += 1
            else:
                self._epochs = math.inf if isinstance(message, Play) else 0
            self._changed.notify()

    def before_start(self) -> None:
        """Return when the run may begin."""
        with self._changed:
            while not self._begun:
                self._changed.wait(0.1)

    def before_epoch(self) -> None:
        """Return when an epoch may begin."""
        with self._changed:
            while not self._epochs:
                # For a moment each: an interrupt is heard between two of them.
                self._changed.wait(0.1)
            self._epochs -= 1
