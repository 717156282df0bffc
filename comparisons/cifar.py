"""The main job: `python -m comparisons.cifar` compares arms on CIFAR-10 or another data set."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from comparisons.errors import ComparisonError
from comparisons.runtime import DEVICES

if TYPE_CHECKING:
    from comparisons.records import Record
    from comparisons.session import Request

ENGINES = ("auto", "openvino", "tensorflow", "keras")

EXAMPLES = """examples:
  python -m comparisons.cifar                         the main job
  python -m comparisons.cifar --preset demo           a short lesson
  python -m comparisons.cifar --arms cnn:scratch mobilenet@0.25x96:frozen \\
      --train-size 500 5000 --seeds 0 1 2             where do the two cross?
  python -m comparisons.cifar --data shapes           neither network nor data needed
  python -m comparisons.cifar --dry-run               show the plan, then stop

exit codes: 0 all runs ended; 1 a run failed or a file could not be written;
2 usage, or something named that cannot be had; 130 interrupted
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
    from comparisons.session import Request, run_session

    for flag, value, known in (("device", device, DEVICES), ("engine", engine, ENGINES)):
        if value not in known:
            raise ComparisonError(f"unknown {flag} '{value}': known: {', '.join(known)}")
    session = run_session(
        Request(
            arms=None if arms is None else tuple([arms] if isinstance(arms, str) else arms),
            data=str(data),
            train_sizes=_several(train_size),
            seeds=_several(seeds),
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
    try:
        return _run(options, arguments)
    except ComparisonError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: finished runs are kept, the same command continues", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    from comparisons import listing

    if options.list:
        listing.show_tables()
        return 0
    request = _request(options, arguments)
    if options.dry_run:
        listing.show_plan(request)
        return 0
    from comparisons import report
    from comparisons.report import table
    from comparisons.session import plain_console, run_session

    console = plain_console()
    session = run_session(request, console)
    assert session.out is not None
    page = report.build(session.out)
    console.print()
    table.print_table(table.summarise(session.records), console)
    console.print(f"the page with all figures: {page}", soft_wrap=True)
    return 1 if any(record.status == "failed" for record in session.records) else 0


def _request(options: argparse.Namespace, arguments: list[str]) -> Request:
    from comparisons.plan import command_line
    from comparisons.session import Request

    return Request(
        arms=None if options.arms is None else tuple(options.arms),
        data=options.data,
        train_sizes=None if options.train_size is None else tuple(options.train_size),
        seeds=None if options.seeds is None else tuple(options.seeds),
        preset=options.preset,
        epochs=options.epochs,
        batch_size=options.batch_size,
        device=options.device,
        engine=options.engine,
        source=options.source,
        data_dir=options.data_dir,
        deterministic=options.deterministic,
        out=options.out,
        default_out=options.out is None,
        fresh=options.fresh,
        command=command_line("comparisons.cifar", arguments),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m comparisons.cifar",
        description="Train from scratch, or fine-tune a pretrained base? "
        "Runs both on the same images and shows what each costs and brings.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--arms", nargs="+", metavar="A", help="what to compare, each MODEL:STRATEGY (see --list)")
    add(
        "--data",
        default="auto",
        metavar="NAME",
        help="auto (CIFAR-10, else the built-in shapes), cifar10, cifar100, mnist, shapes "
        "or FILE.npz",
    )
    add("--data-dir", type=Path, metavar="DIR", help="where TFDS data lies")
    add("--preset", default="standard", metavar="NAME", help="demo, standard (default) or full")
    add("--train-size", nargs="+", type=int, metavar="N", help="images to train on")
    add("--epochs", type=int, metavar="N", help="epochs of all phases together")
    add("--seeds", nargs="+", type=int, metavar="S", help="one run for each")
    add("--batch-size", type=int, metavar="N", help="images per step")
    add("--device", default="auto", choices=DEVICES, help="where to run (default: auto)")
    add("--engine", default="auto", choices=ENGINES, help="what extracts frozen features")
    add("--source", default="auto", metavar="DATA", help="what `complete` pretrains on")
    add(
        "--deterministic",
        action="store_true",
        help="the same bits again on the same machine; slower, not for timing",
    )
    add("--out", type=Path, metavar="DIR", help="where results go (default: results/DATASET)")
    add("--fresh", action="store_true", help="redo finished runs")
    add("--dry-run", action="store_true", help="show the plan and stop")
    add("--list", action="store_true", help="show models, strategies, data sets, presets and stop")
    return parser


def _several(value: int | Sequence[int] | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    return (value,) if isinstance(value, int) else tuple(value)


if __name__ == "__main__":
    sys.exit(main())
