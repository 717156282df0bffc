"""Makes each notebook from its script, which is the source.

python notebooks/build.py          write the notebooks
python notebooks/build.py --check  exit 1, naming those that differ from their scripts
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(script: Path) -> str:
    """The notebook of a percent-format script: no outputs, and the same text every time."""
    made = jupytext.reads(script.read_text(encoding="utf-8"), fmt="py:percent")
    made.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    for number, cell in enumerate(made.cells, start=1):
        cell.id = f"cell-{number:02}"  # jupytext draws random ones
        cell.metadata = nbformat.NotebookNode()  # it notes blank lines of the script there
    return nbformat.writes(made) + "\n"


def differing(folder: Path) -> dict[Path, str]:
    """The notebooks that are missing or not what their scripts give, and what those give."""
    wanted = {path.with_suffix(".ipynb"): notebook(path) for path in folder.glob("[0-9]*.py")}
    return {
        path: text
        for path, text in sorted(wanted.items())
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def main(arguments: Sequence[str], folder: Path = HERE) -> int:
    """Write or check the notebooks of a folder; returns the exit code."""
    if list(arguments) not in ([], ["--check"]):
        print("usage: python notebooks/build.py [--check]", file=sys.stderr)
        return 2
    found = differing(folder)
    for path, text in found.items():
        if not arguments:
            path.write_text(text, encoding="utf-8")
        print(f"{path.name} {'differs from its script' if arguments else 'written'}")
    return 1 if found and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
