"""The one exception for mistakes: its message is the line that a user reads."""

from __future__ import annotations

import difflib
import io
import os
import re
import sys
from collections.abc import Callable, Iterable

EXIT_CODES = """exit codes: 0 all runs ended; 1 a run failed, a file could not be written or a model
kept; 2 usage, or something named that cannot be had; 130 interrupted
"""

LONGEST = 1200  # letters of an error
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ComparisonError(ValueError):
    """What cannot be done, and what to do instead, in one line.

    `exit_code` is what the command line ends with: 2 for usage or something that cannot be
    had, 1 for a file that cannot be written.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        shown = one_line(message)
        if len(shown) > LONGEST:  # of a name of thousands of letters
            shown = f"{shown[: LONGEST * 2 // 3]} … {shown[-LONGEST // 3 :]}"
        super().__init__(shown)
        self.exit_code = exit_code


def exit_code(run: Callable[[], int]) -> int:
    """What `run` returns, or the exit code of its error, which is said in one line.

    2 where a file or folder cannot be reached; 1 where what it prints cannot be written; a reader
    that left (`| head`) is told nothing.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # in a notebook it is none
            # A path may hold what the terminal's encoding cannot show.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run()
        sys.stdout.flush()
        return code
    except OSError as error:
        if error.filename is not None or isinstance(error, FileNotFoundError):
            # No stream, which is open already; without a name it is where relative paths begin.
            where = error.filename or "the folder that this was started in"
            print(one_line(f"error: {where}: {error.strerror}"), file=sys.stderr)
            return 2
        # Python would try once more as it ends, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"error: cannot print: {error.strerror or error}", file=sys.stderr)
        return 1
    except ComparisonError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def first_line(error: BaseException, most: int = 200) -> str:
    """What an error says, in one line of at most so many letters; its type where it is silent."""
    return one_line((str(error).strip() or type(error).__name__).splitlines()[0][:most])


MOST_NAMED = 20


def unknown(kind: str, name: str, known: Iterable[str]) -> ComparisonError:
    """An error for a name that does not exist, with the nearest ones that do, or the first."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    some = ", ".join(names[:MOST_NAMED]) + (", … (see --list)" if names[MOST_NAMED:] else "")
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {some}"
    return ComparisonError(f"unknown {kind} '{name}': {hint}")


def printable(text: str) -> str:
    r"""Text as it can be printed and kept as UTF-8: what is no character is written `\udcff`.

    Python reads a byte of a path that is not UTF-8 as such a half of a character.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def one_line(text: str) -> str:
    r"""The same in one line that moves nothing on a terminal: what ends a line is written `\n`."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), printable(text))
