"""What all command lines have in common: a parser whose errors are one line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from comparisons.core.errors import EXIT_CODES


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, as every other mistake is said."""

    def __init__(self, module: str, description: str, examples: str, codes: str = EXIT_CODES):
        super().__init__(
            prog=f"python -m {module}",
            description=description,
            epilog=f"{examples}\n{codes}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.module = module

    def error(self, message: str) -> NoReturn:
        """Say it and end with code 2."""
        self.exit(2, f"error: {message} (--help shows every flag)\n")


def folder(name: str) -> Path:
    """A folder as the type of a flag, which refuses '': that would mean the one we are in."""
    if not name:
        raise argparse.ArgumentTypeError("'' names no folder; the one you are in is .")
    return Path(name)
