"""Where words go: to a terminal, into a notebook, or into a file or pipe."""

from __future__ import annotations

import sys

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


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this: IPython in a terminal is a terminal."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
