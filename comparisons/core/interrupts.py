"""How a command ends that is interrupted: with one line and exit code 130, wherever it was.

Imports next to nothing: it is there before anything else of a command is.
"""

from __future__ import annotations

import os
import signal
import sys

EXIT_CODE = 130
LINE = "interrupted: what was finished is kept, the same command continues"
# Ctrl-C, a request to end, and a terminal that was closed (not on every system).
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

_received: list[int] = []


def one_line() -> None:
    """From now on each of SIGNALS is a KeyboardInterrupt, and one that nobody catches ends in LINE.

    For commands alone: it changes how this process hears signals.
    """
    for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
        # What is ignored stays ignored: nohup, and a shell for what runs in its background.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    sys.excepthook = _uncaught
    sys.unraisablehook = _lost


def _interrupt(number: int, frame: object) -> None:
    _received.append(number)
    raise KeyboardInterrupt


def _uncaught(kind: type[BaseException], error: BaseException, trace: object) -> None:
    # An extension that was being imported may have made another error of an interrupt.
    if _received:
        _end()
    sys.__excepthook__(kind, error, trace)  # type: ignore[arg-type]


def _lost(ignored: sys.UnraisableHookArgs) -> None:
    # An interrupt that met a destructor would be printed and forgotten.
    if issubclass(ignored.exc_type, KeyboardInterrupt):
        _end()
    sys.__unraisablehook__(ignored)


def _end() -> None:
    try:
        sys.stdout.flush()
        print(LINE, file=sys.stderr, flush=True)
    except OSError:
        pass  # a terminal that was closed hears nothing
    # Not by an exception: Python would now and then make a signal of it at its end.
    os._exit(EXIT_CODE)
