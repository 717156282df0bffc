"""`python -m comparisons.readme`: fill in the figures and tables of the pages for readers."""

from __future__ import annotations

import sys

from comparisons.core.files import write_text
from comparisons.core.machine import ROOT
from comparisons.readme.pages import pages


def main() -> int:
    """Rewrite the pages that differ from what records and tables make; returns the exit code."""
    for path, new in pages().items():
        old = path.read_text() if path.exists() else ""
        if new != old:
            write_text(path, new)
        said = "was up to date" if new == old else "rewritten"
        print(f"{path.relative_to(ROOT)} {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
