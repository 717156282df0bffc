"""`python -m comparisons.benchmarks NAME …`: measure, print a table, keep the numbers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from comparisons.benchmarks import (
    demo,
    extraction,
    folder,
    frozen,
    growth,
    guard,
    measure,
    overhead,
    partial,
    race,
    speed,
    startup,
    steps,
    strategies,
    tutorial,
)
from comparisons.benchmarks.studies import batches, onednn, storage, threads, waits
from comparisons.core.console import plain_console
from comparisons.core.machine import before_loading

BENCHMARKS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        startup,
        speed,
        demo,
        overhead,
        race,
        frozen,
        tutorial,
        extraction,
        folder,
        batches,
        steps,
        partial,
        storage,
        threads,
        onednn,
        strategies,
        growth,
        waits,
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 1 where a guarded ratio has fallen."""
    parser = argparse.ArgumentParser(prog="python -m comparisons.benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument("--rounds", type=int, help="how often each side is timed")
    parser.add_argument("--out", type=Path, default=measure.EVIDENCE, metavar="DIR")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="guard the ratios of this run from now on, in place of those kept before",
    )
    options = parser.parse_args(arguments)
    # Before anything loads TensorFlow, here and in the processes that are started.
    before_loading()
    console = plain_console()
    code = 0
    for name in options.names:
        module = BENCHMARKS[name]
        found = module.run(options.rounds or module.ROUNDS)
        measure.show(found, console)
        console.print(measure.save(found, options.out))
        for line in guard.fallen(found, guard.kept(measure.EVIDENCE)):
            console.print(line, style="bold red", soft_wrap=True)
            code = 1
        if options.keep:
            guard.keep(found, options.out)
    return code


if __name__ == "__main__":
    sys.exit(main())
