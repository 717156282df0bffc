"""What more care would gain: `python -m comparisons.tune ARM…` tries a few recipes for each arm."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from comparisons import command
from comparisons.core.errors import ComparisonError
from comparisons.plan.request import Request

EXAMPLES = """examples:
  python -m comparisons.tune cnn:scratch mobilenet@0.25x64:frozen --train-size 500
  python -m comparisons.tune tiny:full --data shapes --train-size 200 --epochs 4
  python -m comparisons.tune mobilenet:full --tries "twice the epochs"    is it stopped early?

The same recipes for every arm, judged by validation images alone; test labels stay closed.
Results go to results/tuning.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = command.parser(
        "comparisons.tune",
        "Tries the same few recipes (rate, decay, epochs) for every arm, by validation alone, and "
        "says what the best gains over the one that comparisons use.",
        EXAMPLES,
    )
    parser.add_argument("arms", nargs="*", metavar="ARM", help="what to tune, MODEL:STRATEGY")
    parser.add_argument("--tries", nargs="+", metavar="T", help="these recipes only (see --list)")
    return command.main(parser, arguments, _list, _tune)


def _tune(request: Request, dry_run: bool) -> int:
    from comparisons.core.console import plain_console
    from comparisons.running import listing, tuning

    if not request.arms:
        raise ComparisonError("name the arms to tune, such as cnn:scratch (--help shows more)")
    if dry_run:
        tuning.must_be_tunable(request)
        listing.show_plan(request, timed=False)  # each run is tried by several recipes
        listing.show_tries()
        return 0
    out = request.out or Path("results", "tuning")
    tuning.tune(replace(request, out=out), plain_console())
    return 0


def _list() -> None:
    from comparisons.running import listing

    listing.show_tries()


if __name__ == "__main__":
    sys.exit(main())
