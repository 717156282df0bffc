"""Makes each notebook from its script, which is the source.

A lesson asks for predictions, so its notebook shows no results; a rendered copy does, for reading.

python notebooks/build.py          write both; the results of a copy stay while its code does
python notebooks/build.py --run    run each lesson from top to bottom and keep what it shows
python notebooks/build.py --check  exit 1, naming those that differ from their scripts or that
                                   were not run since their code changed
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbclient
import nbformat
from nbformat import NotebookNode

HERE = Path(__file__).parent
RENDERED = "rendered"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
USAGE = "usage: python notebooks/build.py [--check | --run]"


def notebook(script: Path) -> NotebookNode:
    """The notebook of a percent-format script: no outputs, and the same cells every time."""
    made = jupytext.reads(script.read_text(encoding="utf-8"), fmt="py:percent")
    made.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    for number, cell in enumerate(made.cells, start=1):
        cell.id = f"cell-{number:02}"  # jupytext draws random ones
        cell.metadata = NotebookNode()  # it notes blank lines of the script there
    return made


def kept(made: NotebookNode, path: Path) -> NotebookNode:
    """A notebook with the results that a file has, where that has the very same code."""
    if path.is_file():
        old = nbformat.read(path, as_version=4)
        if [cell.source for cell in code(old)] == [cell.source for cell in code(made)]:
            for new, shown in zip(code(made), code(old), strict=True):
                new.outputs, new.execution_count = shown.outputs, shown.execution_count
    return made


def run(made: NotebookNode) -> NotebookNode:
    """A notebook with what its cells show to somebody who runs it for the first time.

    In an empty folder, with an empty cache. Raises CellExecutionError.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        nbclient.NotebookClient(
            made,
            timeout=3600,
            kernel_name=KERNEL["name"],
            record_timing=False,
            resources={"metadata": {"path": folder}},
        ).execute(
            env=os.environ | {"PYTHONPATH": str(HERE.parent), "COMPARISONS_CACHE": cache},
        )
    made.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    return made


def code(book: NotebookNode) -> list[NotebookNode]:
    """The code cells of a notebook."""
    return [cell for cell in book.cells if cell.cell_type == "code"]


def has_run(book: NotebookNode) -> bool:
    """Whether every code cell has been run."""
    return all(cell.execution_count for cell in code(book))


def text(book: NotebookNode) -> str:
    """A notebook as its file has it."""
    return nbformat.writes(book) + "\n"


def main(arguments: Sequence[str], folder: Path = HERE) -> int:
    """Write, run or check the notebooks of a folder; returns the exit code."""
    if list(arguments) not in ([], ["--check"], ["--run"]):
        print(USAGE, file=sys.stderr)
        return 2
    wrong = 0
    for script in sorted(folder.glob("[0-9]*.py")):
        lesson = script.with_suffix(".ipynb")
        rendered = folder / RENDERED / lesson.name
        ran = run(notebook(script)) if "--run" in arguments else kept(notebook(script), rendered)
        for path, wanted in ((lesson, text(notebook(script))), (rendered, text(ran))):
            if path.is_file() and path.read_text(encoding="utf-8") == wanted:
                continue
            wrong += 1
            if "--check" not in arguments:
                path.parent.mkdir(exist_ok=True)
                path.write_text(wanted, encoding="utf-8")
            said = "differs from its script" if "--check" in arguments else "written"
            print(f"{path.relative_to(folder)} {said}")
        if not has_run(ran):
            wrong += 1
            print(f"{rendered.relative_to(folder)} was not run since its code changed: use --run")
    return 1 if wrong and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
