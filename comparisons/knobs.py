"""One setting at a time: `python -m comparisons.knobs NAME` compares the variants of a knob."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from comparisons import command
from comparisons.core.errors import ComparisonError
from comparisons.plan.knobs import KNOBS

if TYPE_CHECKING:
    from comparisons.core.records import Record

RESULTS = Path("results") / "knobs"

EXAMPLES = """examples:
  python -m comparisons.knobs --list                  the knobs, and what each is turned to
  python -m comparisons.knobs optimizer               SGD, momentum, RMSprop, Adagrad, Adam, AdamW
  python -m comparisons.knobs init --seeds 0 1 2      every variant three times
  python -m comparisons.knobs batch-size --data shapes    neither network nor data needed
"""


def turn(
    name: str,
    data: str | Path = "auto",
    train_size: int | Sequence[int] | None = None,
    seeds: int | Sequence[int] | None = None,
    *,
    epochs: int | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    deterministic: bool = False,
    out: str | Path | None = None,
    fresh: bool = False,
) -> list[Record]:
    """Compare the variants of a knob and return the records, by size, then variant, then seed.

    `name` is a row of comparisons.plan.knobs.KNOBS; the other arguments are the flags of the
    command line. With `out=None` nothing is written. Raises ComparisonError, whose message is
    the one line that the command line would print.
    """
    from comparisons import report
    from comparisons.plan.request import Request
    from comparisons.running.session import run_session

    command.known_device(device)
    session = run_session(
        Request(
            knob=name,
            data=str(data),
            train_sizes=command.several(train_size),
            seeds=command.several(seeds),
            epochs=epochs,
            device=device,
            data_dir=None if data_dir is None else Path(data_dir),
            deterministic=deterministic,
            out=None if out is None else Path(out),
            fresh=fresh,
            command="comparisons.knobs.turn",
        )
    )
    if session.out:
        report.build(session.out)
    return session.records


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(arguments)
    return command.exit_code(lambda: _run(options, arguments))


def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    if options.list:
        from comparisons.running import listing

        listing.show_knobs()
        return 0
    if options.name is None:
        raise ComparisonError(f"name the knob to turn: {', '.join(KNOBS)}")
    from comparisons.plan.request import Request
    from comparisons.plan.runs import command_line

    request = Request(
        knob=options.name,
        out=options.out or RESULTS / options.name,
        command=command_line("comparisons.knobs", arguments),
        **command.common(options),
    )
    return command.carry_out(request, options.dry_run)


def _parser() -> argparse.ArgumentParser:
    parser = command.parser(
        "comparisons.knobs",
        "Turns one knob of training and leaves everything else as it is: the same network, "
        "the same images in the same order.",
        EXAMPLES,
    )
    add = parser.add_argument
    add("name", nargs="?", metavar="NAME", help=", ".join(KNOBS))
    add("--out", type=Path, metavar="DIR", help="where results go (default: results/knobs/NAME)")
    add("--list", action="store_true", help="show the knobs and their variants, and stop")
    return parser


if __name__ == "__main__":
    sys.exit(main())
