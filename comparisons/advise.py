"""Which arm to choose: `python -m comparisons.advise --images 800 --classes 5 --minutes 10`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from comparisons.core.errors import ComparisonError, exit_code
from comparisons.core.parser import Parser, folder

EXAMPLES = """examples:
  python -m comparisons.advise --images 800 --classes 5 --minutes 10
  python -m comparisons.advise --data my.npz --minutes 2 --json
  python -m comparisons.advise --images 2000 --classes 10 --records results/cifar10

Answers by what was measured before: the evidence that comes with this package, and your own
records under results/, or those that --records names. Nothing is trained.
"""
OWN = Path("results")
MOST = 10**9


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = Parser(
        "comparisons.advise",
        "Which arm to choose for so many images, classes and minutes, what to expect of it, and "
        "by which evidence.",
        EXAMPLES,
    )
    add = parser.add_argument
    add("--images", type=int, metavar="N", help="images to train on")
    add("--classes", type=int, metavar="K", help="classes to tell apart")
    add("--minutes", type=float, metavar="M", help="that learning may take (default: any)")
    add("--data", metavar="NAME", help="read these, and how large images are, from a data set")
    add(
        "--drawn", action="store_true",
        help="the images are drawings, digits or charts, no photographs (default: as --data is)",
    )  # fmt: skip
    add("--data-dir", type=folder, metavar="DIR", help="where TFDS data lies")
    add(
        "--records", nargs="+", type=folder, metavar="DIR",
        help="folders of your own records (default: those under results)",
    )  # fmt: skip
    add("--json", action="store_true", help="one object in place of sentences")
    options = parser.parse_args(sys.argv[1:] if arguments is None else list(arguments))

    return exit_code(lambda: _advise(options))


def _advise(options: argparse.Namespace) -> int:
    from comparisons.running import advising

    images, classes, data, photographs = options.images, options.classes, None, not options.drawn
    side = 0
    if options.data is not None:
        known = advising.known(options.data, options.data_dir)
        data, photographs, side = known.data, photographs and known.photographs, known.side
        images = known.images if images is None else images
        classes = known.classes if classes is None else classes
    if images is None or classes is None:
        raise ComparisonError("name --images and --classes, or --data to read them from")
    for flag, value in (("--images", images), ("--classes", classes)):
        if not 2 <= value <= MOST:
            raise ComparisonError(f"{flag} {value}: give a number from 2 to {MOST}")
    if options.minutes is not None and not 0 < options.minutes <= MOST:
        raise ComparisonError(f"--minutes {options.minutes:g}: give a number above 0, to {MOST}")
    for named in options.records or ():
        if not named.is_dir():
            raise ComparisonError(f"--records {named}: there is no such folder")
    folders = options.records or [OWN]
    advising.advise(
        images, classes, options.minutes, data, photographs, side, folders, options.json
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
