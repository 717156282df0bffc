"""`python -m comparisons.report DIR`: make the report again from the records."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from comparisons.core.errors import ComparisonError
from comparisons.core.records import load_all
from comparisons.findings.headline import headline
from comparisons.report import build

EXAMPLE = """\
example:
  python -m comparisons.report results/cifar10

reads results/cifar10/runs/*.json and writes beside them
  summary.csv, summary.json   a row for each arm, size and settings
  figures/*.png, *.svg        the curves and bars of the page
  report.html                 one page that opens offline

exit codes: 0 done (a damaged record is named and left out); 1 a file could not be
written; 2 no such folder, or no records in it
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild a report; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m comparisons.report",
        description="Make the table, the figures and the page again from the records.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder that has runs/*.json")
    folder: Path = parser.parse_args(arguments).folder
    try:
        if not folder.is_dir():
            raise ComparisonError(f"there is no folder {folder}")
        records, damaged = load_all(folder)
        for line in damaged:
            print(f"left out: {line}", file=sys.stderr)
        page = build(folder, records, damaged)
    except ComparisonError as error:
        print(f"comparisons.report: {error}", file=sys.stderr)
        return error.exit_code
    print("\n".join(headline(records)))
    print(page)
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(main())
