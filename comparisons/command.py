"""What the command lines of comparisons have in common: flags, exit codes, and the ending."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparisons.core.errors import ComparisonError
from comparisons.core.machine import DEVICES

if TYPE_CHECKING:
    from comparisons.plan.request import Request

EXIT_CODES = """exit codes: 0 all runs ended; 1 a run failed or a file could not be written;
2 usage, or something named that cannot be had; 130 interrupted
"""


def parser(module: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser with the flags that all comparisons have, but for `--out`."""
    made = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        epilog=f"{examples}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add(
        "--data",
        default="auto",
        metavar="NAME",
        help="auto (CIFAR-10, else the built-in shapes), cifar10, cifar100, mnist, shapes "
        "or FILE.npz",
    )
    add("--data-dir", type=Path, metavar="DIR", help="where TFDS data lies")
    add("--train-size", nargs="+", type=int, metavar="N", help="images to train on")
    add("--epochs", type=int, metavar="N", help="epochs of all phases together")
    add("--seeds", nargs="+", type=int, metavar="S", help="one run for each")
    add("--device", default="auto", choices=DEVICES, help="where to run (default: auto)")
    add(
        "--deterministic",
        action="store_true",
        help="the same bits again on the same machine; slower, not for timing",
    )
    add("--fresh", action="store_true", help="redo finished runs")
    add("--dry-run", action="store_true", help="show the plan and stop")
    return made


def common(options: argparse.Namespace) -> dict[str, Any]:
    """What the flags of `parser` ask for, as values of a Request."""
    return {
        "data": options.data,
        "data_dir": options.data_dir,
        "train_sizes": several(options.train_size),
        "epochs": options.epochs,
        "seeds": several(options.seeds),
        "device": options.device,
        "deterministic": options.deterministic,
        "fresh": options.fresh,
    }


def exit_code(run: Callable[[], int]) -> int:
    """What `run` returns, or the exit code of its error, which is said in one line."""
    try:
        return run()
    except ComparisonError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: finished runs are kept, the same command continues", file=sys.stderr)
        return 130


def carry_out(request: Request, dry_run: bool) -> int:
    """Show the plan of a request; or run it, write its page and print its table."""
    from comparisons.running import listing

    if dry_run:
        listing.show_plan(request)
        return 0
    from comparisons import report
    from comparisons.findings.headline import headline
    from comparisons.report import table
    from comparisons.running.session import run_session
    from comparisons.running.terminal import plain_console

    console = plain_console()
    session = run_session(request, console)
    assert session.out is not None
    page = report.build(session.out)
    console.print()
    if request.knob:
        for line in headline(session.records):
            console.print(line)
    table.print_table(table.summarise(session.records), console)
    console.print(f"the page with all figures: {page}", soft_wrap=True)
    return 1 if any(record.status == "failed" for record in session.records) else 0


def known_device(device: str) -> None:
    """Raise ComparisonError for a device that no flag would take."""
    if device not in DEVICES:
        raise ComparisonError(f"unknown device '{device}': known: {', '.join(DEVICES)}")


def several(value: int | Sequence[int] | None) -> tuple[int, ...] | None:
    """One or several numbers as a tuple; None stays None."""
    if value is None:
        return None
    return (value,) if isinstance(value, int) else tuple(value)
