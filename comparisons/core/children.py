"""A process that ends with the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress


def end_with(parent: int) -> None:
    """Let Linux end this process with its `parent`, whatever it is doing: at once if that is gone.

    Elsewhere the end of standard input does: but that is heard only between two steps of Python,
    and a framework that is being loaded takes seconds for some.
    """
    if sys.platform == "linux":
        set_parent_death_signal = 1
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before that was said
            os._exit(1)
