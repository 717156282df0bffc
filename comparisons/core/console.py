"""Where words go: to a terminal, into a notebook, or into a file or pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console


def plain_console(width: int = 100) -> Console:
    """A console of at most `width` columns, to standard output, which shows text as it is.

    Names and paths are their users' own: nothing in them is markup, an emoji or a number to
    colour. Whether it is a terminal is what the stream says: kernels and CI set FORCE_COLOR for
    streams that can be coloured, but not written over.
    """
    terminal = None if sys.stdout.isatty() else False
    console = Console(
        force_jupyter=False, force_terminal=terminal, markup=False, emoji=False, highlight=False
    )
    console.width = min(width, console.width)
    return console


@contextmanager
def silenced() -> Iterator[None]:
    """Let standard error of the whole process go nowhere; exceptions are raised as ever.

    TensorFlow greets as it is loaded, whatever TF_CPP_MIN_LOG_LEVEL says: from code that Python
    has no say in.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this: IPython in a terminal is a terminal."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
