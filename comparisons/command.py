"""What the doors of comparisons have in common: their flags, from arguments to an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparisons.core import card as cards
from comparisons.core import prices
from comparisons.core.errors import ComparisonError, exit_code, one_line
from comparisons.core.files import exists
from comparisons.core.parser import Parser, folder
from comparisons.core.prices import Prices
from comparisons.plan.request import CLASS_WEIGHTS, DEVICES, ENGINES, EXPORTS, Request
from comparisons.plan.runs import command_line

if TYPE_CHECKING:
    from comparisons.core.records import Record
    from comparisons.running.session import Listening


def parser(module: str, description: str, examples: str, data: str | None = "auto") -> Parser:
    """A parser with the flags that all comparisons have; each is named as a field of Request.

    `data` is what they compare on by default; with None the door names the data set in a way of
    its own.
    """
    made = Parser(module, description, examples)
    add = made.add_argument
    if data:
        add(
            "--data",
            default=data,
            metavar="NAME",
            help="auto (CIFAR-10, else the built-in shapes), cifar10, cifar100, mnist, shapes, "
            "FILE.npz or a folder of pictures",
        )
    add("--classes", nargs="+", metavar="C", help="of the data set only these classes")
    add("--data-dir", type=folder, metavar="DIR", help="where TFDS data lies")
    add(
        "--train-size", nargs="+", type=int, metavar="N", dest="train_sizes",
        help="images to train on",
    )  # fmt: skip
    add("--epochs", type=int, metavar="N", help="epochs of all phases together")
    add("--seeds", nargs="+", type=int, metavar="S", help="one run for each")
    add("--validate-on", type=int, metavar="N", help="validation images (default: all)")
    add("--test-on", type=int, metavar="N", help="test images (default: all)")
    add(
        "--robustness",
        action="store_true",
        help="test on 1,000 corrupted test images as well (noise, blur, brightness, contrast, "
        "JPEG)",
    )
    add(
        "--class-weights",
        default="auto",
        choices=CLASS_WEIGHTS,
        help="let rare classes weigh as much as others in training (auto: where the largest has "
        "three times the smallest, or more)",
    )
    add("--device", default="auto", choices=DEVICES, help="where to run (default: auto)")
    add(
        "--deterministic",
        action="store_true",
        help="the same bits again on the same machine; slower, not for timing",
    )
    add("--workers", type=int, metavar="N", help="so many runs at once on this machine (Dask)")
    add("--scheduler", metavar="ADDRESS", help="or on a cluster of Dask, such as tcp://host:8786")
    add("--out", type=folder, metavar="DIR", help="where results go")
    add("--fresh", action="store_true", help="redo finished runs, and measure costs again")
    add("--dry-run", action="store_true", help="show the plan and stop")
    add("--list", action="store_true", help="show what there is to choose from, and stop")
    return made


def comparing(
    module: str,
    description: str,
    examples: str,
    *,
    data: str | None = "auto",
    preset: str = "standard",
) -> Parser:
    """A parser with all flags of a comparison of arms, and what it compares by default."""
    made = parser(module, description, examples, data)
    add = made.add_argument
    add("--arms", nargs="+", metavar="A", help="what to compare, each MODEL:STRATEGY (see --list)")
    add("--preset", default=preset, metavar="NAME", help=f"see --list (default: {preset})")
    add("--batch-size", type=int, metavar="N", help="images per step")
    add("--engine", default="auto", choices=ENGINES, help="what extracts frozen features")
    add("--source", default="auto", metavar="DATA", help="what `complete` pretrains on")
    add("--keep", metavar="A", help="keep the trained network of this arm, or of the `best`")
    add("--export", nargs="+", metavar="F", help=f"keep it as {' or '.join(EXPORTS)} as well")
    add("--tensorboard", type=folder, metavar="DIR", help="write TensorBoard's event files as well")
    prices.add_flags(made)
    return made


def main(
    door: Parser,
    arguments: Sequence[str] | None,
    show_list: Callable[[], None],
    do: Callable[[Request, bool], int] | None = None,
    settled: Callable[[Request], Request] = lambda request: request,
    **usual: Any,
) -> int:
    """A door's command line; returns the exit code.

    `show_list` is what `--list` prints, `do` what is done with a request, or with it to show the
    plan (default: `carry_out`, with a page); `settled` completes a request first, `usual` are
    values of Request for what was not named.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = door.parse_args(given)

    def run() -> int:
        if options.list:
            show_list()
            return 0
        request = settled(_request(options, command=command_line(door.module, given), **usual))
        if do:
            return do(request, options.dry_run)
        board = getattr(options, "tensorboard", None)
        return carry_out(request, options.dry_run, prices.asked(options), board)

    return exit_code(run)


def compare(
    arms: str | Sequence[str] | None = None,
    data: str | Path = "auto",
    train_size: int | Sequence[int] | None = None,
    seeds: int | Sequence[int] | None = None,
    *,
    classes: Sequence[str] = (),
    out: str | Path | None = None,
    data_dir: str | Path | None = None,
    price_per_hour: float | None = None,
    watts: float | None = None,
    watch: Listening | None = None,
    **more: Any,
) -> list[Record]:
    """Run a comparison and return its records, by size, then seed, then arm.

    The arguments are the flags of the command line: `preset`, `epochs`, `batch_size`, `device`,
    `engine`, `source`, `validate_on`, `test_on`, `robustness`, `class_weights`, `deterministic`,
    `workers`, `scheduler` and `fresh` as well. `arms`, `train_size` and `seeds` may be one or
    several. With `out=None` nothing is written. `price_per_hour` and `watts` are for its page
    alone. `watch` makes of the plan what hears its events as they happen, such as
    comparisons.report.lesson.curves. Raises ComparisonError, whose message is the one line that the
    command line would print, and TypeError for an unknown argument.
    """
    from comparisons import report
    from comparisons.running.session import run_session

    request = Request(
        arms=(arms,) if isinstance(arms, str) else None if arms is None else tuple(arms),
        data=str(data),
        train_sizes=several(train_size),
        seeds=several(seeds),
        classes=tuple(classes),
        out=None if out is None else _folder(out),
        data_dir=None if data_dir is None else _folder(data_dir),
        **{"command": "comparisons.cifar.compare", **more},
    )
    costs = Prices(price_per_hour, watts)  # said of a wrong one before anything runs
    session = run_session(request, listening=[watch] if watch else [])
    if session.out:
        report.build(session.out, lead=session.records, prices=costs)
    if session.unkept:
        raise ComparisonError(session.unkept, exit_code=1)
    return session.records


def show_tables() -> None:
    """What `--list` prints of what can be compared."""
    from comparisons.running import listing

    listing.show_tables()


def carry_out(request: Request, dry_run: bool, costs: Prices, board: Path | None = None) -> int:
    """Show the plan of a request; or run it, write its page with prices and print its answer.

    `board` is the folder that TensorBoard's event files go to meanwhile.
    """
    from comparisons.running import listing

    if dry_run:
        listing.show_plan(request)
        return 0
    from comparisons.core.console import plain_console
    from comparisons.running.session import run_session

    console, listening = plain_console(), []
    if board:
        from comparisons.data import catalog
        from comparisons.report import tensorboard

        catalog.must_lie_outside(request.data, board, "--tensorboard")

        listening.append(tensorboard.listening(board))
    # What draws takes a second to load: that passes while the runs' framework is loaded.
    drawing = partial(importlib.import_module, "comparisons.report")
    session = run_session(request, console, drawing, listening)
    assert session.out is not None
    from comparisons import report
    from comparisons.report import table

    page = report.build(session.out, lead=session.records, prices=costs)
    console.print()
    table.print_findings(session.records, console)
    console.print(one_line(f"the page with all figures: {page}"), soft_wrap=True)
    if session.model:
        why = cards.read(session.model / cards.CARD).chosen
        console.print(one_line(f"the model: {session.model} ({why})"), soft_wrap=True)
    failed = any(record.status == "failed" for record in session.records)
    if session.unkept and request.unasked:
        console.print(session.unkept, soft_wrap=True)
    elif session.unkept:
        print(f"error: {session.unkept}", file=sys.stderr)
        failed = True
    return 1 if failed else 0


def _folder(name: str | Path) -> Path:
    """A folder by its name. Raises ComparisonError for ''."""
    try:
        return folder(str(name))
    except argparse.ArgumentTypeError as error:
        raise ComparisonError(str(error)) from None


def pictures(name: str | Path) -> str:
    """A folder of pictures, or a CSV of them, as the name of a data set.

    Raises ComparisonError where there is none.
    """
    if not str(name):
        raise ComparisonError("name a folder with one sub-folder of pictures for each class")
    path = Path(name)
    if not exists(path):
        raise ComparisonError(f"there is no folder {name}")
    if path.is_file() and path.suffix.lower() not in (".csv", ".npz"):
        raise ComparisonError(
            f"{name} is a file: name a folder with one sub-folder of pictures for each class, or a "
            ".csv of path, label"
        )
    return os.path.abspath(name)  # noqa: PTH100 (a link is not to lose its name)


def several(value: int | Sequence[int] | None) -> tuple[int, ...] | None:
    """One or several numbers as a tuple; None stays None."""
    if value is None:
        return None
    return (value,) if isinstance(value, int) else tuple(value)


def _request(options: argparse.Namespace, **more: Any) -> Request:
    """The request that parsed flags make: each is a field of the same name."""
    known = {field.name for field in fields(Request)}
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(options).items()
        if name in known and value is not None
    }
    return Request(**{**more, **values})
