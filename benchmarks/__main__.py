"""`python -m benchmarks NAME …`: measure, print a table, and keep the numbers as evidence."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import demo, extraction, measure, partial, startup, threads, tutorial

BENCHMARKS = {
    module.__name__.rpartition(".")[2]: module
    for module in (startup, demo, threads, tutorial, extraction, partial)
}


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument("--rounds", type=int, help="how often each side is timed")
    parser.add_argument("--out", type=Path, default=measure.EVIDENCE, metavar="DIR")
    options = parser.parse_args()
    console = Console(width=100)
    for name in options.names:
        module = BENCHMARKS[name]
        found = module.run(options.rounds or module.ROUNDS)
        measure.show(found, console)
        console.print(measure.save(found, options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
