"""One setting at a time: `python -m comparisons.knobs NAME` compares the variants of a knob."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from comparisons import command
from comparisons.core import prices
from comparisons.plan.knobs import KNOBS

if TYPE_CHECKING:
    from comparisons.core.records import Record

EXAMPLES = """examples:
  python -m comparisons.knobs --list                  the knobs, and what each is turned to
  python -m comparisons.knobs optimizer               SGD, momentum, RMSprop, Adagrad, Adam, AdamW
  python -m comparisons.knobs init --seeds 0 1 2      every variant three times
  python -m comparisons.knobs batch-size --data shapes    neither network nor data needed

results go to results/knobs/NAME.
"""


def turn(name: str, *arguments: Any, **flags: Any) -> list[Record]:
    """Compare the variants of a knob, a row of comparisons.plan.knobs.

    The other arguments, the records and the errors are those of `comparisons.cifar.compare`, but
    for `arms` and `preset`, which the knob brings.
    """
    return command.compare(None, *arguments, knob=name, command="comparisons.knobs.turn", **flags)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = command.parser(
        "comparisons.knobs",
        "Turns one knob of training and leaves everything else as it is: the same network, "
        "the same images in the same order.",
        EXAMPLES,
    )
    parser.add_argument("knob", nargs="?", metavar="NAME", help=", ".join(KNOBS))
    prices.add_flags(parser)
    return command.main(parser, arguments, _list, knob="", default_out=True)


def _list() -> None:
    from comparisons.running import listing

    listing.show_knobs()


if __name__ == "__main__":
    sys.exit(main())
