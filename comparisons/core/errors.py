"""The one exception for mistakes: its message is the line that a user reads."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ComparisonError(ValueError):
    """What cannot be done, and what to do instead, in one line.

    `exit_code` is what the command line ends with: 2 for usage or something that cannot be
    had, 1 for a file that cannot be written.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def unknown(kind: str, name: str, known: Iterable[str]) -> ComparisonError:
    """An error for a name that does not exist, with the nearest ones that do."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"
    return ComparisonError(f"unknown {kind} '{name}': {hint}")
