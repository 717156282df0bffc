"""`python -m comparisons.report DIR`: make the report again from the records."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from comparisons.core import prices
from comparisons.core.errors import ComparisonError, exit_code, one_line
from comparisons.core.parser import Parser, folder
from comparisons.core.prices import Prices
from comparisons.core.records import load_all
from comparisons.findings.headline import headline
from comparisons.report import build

EXAMPLE = """\
examples:
  python -m comparisons.report results/cifar10
  python -m comparisons.report results/cifar10 --slides
  python -m comparisons.report results/cifar10 --price-per-hour 0.5 --watts 60

reads DIR/runs/*.json and writes beside them
  summary.csv, summary.json   a row for each arm, size and settings
  figures/*.png, *.svg        the curves and bars of the page
  figures/slides/*.png        with --slides: the same for a projector
  report.html                 one page that opens offline
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild a report; returns the exit code."""
    parser = Parser(
        "comparisons.report",
        "Make the table, the figures and the page again from the records. What leads the page is "
        "the largest comparison; a damaged record is named and left out.",
        EXAMPLE,
    )
    parser.add_argument("folder", metavar="DIR", type=folder, help="a folder that has runs/*.json")
    parser.add_argument(
        "--slides",
        action="store_true",
        help="also make figures/slides/*.png: 16:9, large type, a title of one line",
    )
    prices.add_flags(parser)
    options = parser.parse_args(arguments)
    return exit_code(lambda: _rebuild(options.folder, options.slides, prices.asked(options)))


def _rebuild(folder: Path, slides: bool, costs: Prices) -> int:
    if not folder.is_dir():
        raise ComparisonError(f"there is no folder {folder}")
    records, damaged = load_all(folder)
    for line in damaged:
        print(f"left out: {line}", file=sys.stderr)
    page = build(folder, records, damaged, slides=slides, prices=costs)
    print("\n".join(headline(records)))
    print(one_line(str(page)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
