"""The main job: `python -m comparisons.cifar` compares arms on CIFAR-10 or another data set."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from comparisons import command
from comparisons.core.errors import ComparisonError

if TYPE_CHECKING:
    from comparisons.core.records import Record
    from comparisons.plan.request import Request

ENGINES = ("auto", "openvino", "tensorflow", "keras")

EXAMPLES = """examples:
  python -m comparisons.cifar                         the main job
  python -m comparisons.cifar --preset demo           a short lesson
  python -m comparisons.cifar --arms cnn:scratch mobilenet@0.25x96:frozen \\
      --train-size 500 5000 --seeds 0 1 2             where do the two cross?
  python -m comparisons.cifar --data shapes           neither network nor data needed
  python -m comparisons.cifar --dry-run               show the plan, then stop
"""


def compare(
    arms: Sequence[str] | None = None,
    data: str | Path = "auto",
    train_size: int | Sequence[int] | None = None,
    seeds: int | Sequence[int] | None = None,
    *,
    preset: str = "standard",
    epochs: int | None = None,
    batch_size: int | None = None,
    device: str = "auto",
    engine: str = "auto",
    source: str = "auto",
    data_dir: str | Path | None = None,
    deterministic: bool = False,
    out: str | Path | None = None,
    fresh: bool = False,
) -> list[Record]:
    """Run a comparison and return its records, by size, then arm, then seed.

    The arguments are the flags of the command line; `train_size` and `seeds` may be one or
    several. With `out=None` nothing is written. Raises ComparisonError, whose message is the
    one line that the command line would print.
    """
    from comparisons import report
    from comparisons.plan.request import Request
    from comparisons.running.session import run_session

    command.known_device(device)
    if engine not in ENGINES:
        raise ComparisonError(f"unknown engine '{engine}': known: {', '.join(ENGINES)}")
    session = run_session(
        Request(
            arms=None if arms is None else tuple([arms] if isinstance(arms, str) else arms),
            data=str(data),
            train_sizes=command.several(train_size),
            seeds=command.several(seeds),
            preset=preset,
            epochs=epochs,
            batch_size=batch_size,
            device=device,
            engine=engine,
            source=source,
            data_dir=None if data_dir is None else Path(data_dir),
            deterministic=deterministic,
            out=None if out is None else Path(out),
            fresh=fresh,
            command="comparisons.cifar.compare",
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

        listing.show_tables()
        return 0
    return command.carry_out(_request(options, arguments), options.dry_run)


def _request(options: argparse.Namespace, arguments: list[str]) -> Request:
    from comparisons.plan.request import Request
    from comparisons.plan.runs import command_line

    return Request(
        arms=None if options.arms is None else tuple(options.arms),
        preset=options.preset,
        batch_size=options.batch_size,
        engine=options.engine,
        source=options.source,
        out=options.out,
        default_out=options.out is None,
        command=command_line("comparisons.cifar", arguments),
        **command.common(options),
    )


def _parser() -> argparse.ArgumentParser:
    parser = command.parser(
        "comparisons.cifar",
        "Train from scratch, or fine-tune a pretrained base? "
        "Runs both on the same images and shows what each costs and brings.",
        EXAMPLES,
    )
    add = parser.add_argument
    add("--arms", nargs="+", metavar="A", help="what to compare, each MODEL:STRATEGY (see --list)")
    add("--preset", default="standard", metavar="NAME", help="demo, standard (default), full, …")
    add("--batch-size", type=int, metavar="N", help="images per step")
    add("--engine", default="auto", choices=ENGINES, help="what extracts frozen features")
    add("--source", default="auto", metavar="DATA", help="what `complete` pretrains on")
    add("--out", type=Path, metavar="DIR", help="where results go (default: results/DATASET)")
    add("--list", action="store_true", help="show models, strategies, data sets, presets and stop")
    return parser


if __name__ == "__main__":
    sys.exit(main())
