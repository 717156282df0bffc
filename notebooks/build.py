"""Makes each lesson's two notebooks from its script, which is the source and holds the solutions.

The exercise shows no results, for a lesson asks for predictions, and `...` wherever a cell tagged
`solution` has what its reader is to write; its first code installs the project where that is
missing. The solution is the whole script, with what it showed when it was last run, for reading.
Both keep the tags of their cells.

python notebooks/build.py          write both; the results of a solution stay while its code does
python notebooks/build.py --run    run each solution from top to bottom and keep what it shows
python notebooks/build.py --run 05 the same for the lessons whose names begin with that
python notebooks/build.py --check  exit 1, naming those that differ from their scripts or that
                                   were not run since their code changed
"""

from __future__ import annotations

import ast
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
FIRST = HERE / "first_cell.py"
SOLUTIONS = "solutions"
SOLUTION = "solution"  # the tag
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
USAGE = "usage: python notebooks/build.py [--check | --run [LESSON]]"
YOURS = "*Write your answer here.*"


def notebook(script: Path) -> NotebookNode:
    """The notebook of a percent-format script: no outputs, and the same cells every time."""
    made = jupytext.reads(script.read_text(encoding="utf-8"), fmt="py:percent")
    made.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    for number, cell in enumerate(made.cells, start=1):
        cell.id = f"cell-{number:02}"  # jupytext draws random ones
        tags = cell.metadata.get("tags")  # beside them it notes blank lines of the script
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    return made


def exercise(made: NotebookNode) -> NotebookNode:
    """The same notebook with every solution left for its reader to write, and installed first."""
    for cell in made.cells:
        if SOLUTION in cell.metadata.get("tags", []):
            cell.source = blanked(cell.source) if cell.cell_type == "code" else YOURS
    first = FIRST.read_text(encoding="utf-8").strip()
    made.cells.insert(1, nbformat.v4.new_code_cell(first, id="cell-first"))
    return made


def blanked(source: str) -> str:
    """A solution's code with `...` for every value and body: names and comments stay.

    Raises ValueError for a statement that neither assigns nor defines: it would give itself away.
    """
    lines = source.encode().splitlines()  # as ast counts columns
    for statement in reversed(ast.parse(source).body):
        match statement:
            case ast.Assign():
                first = last = statement.value
                blank = b"..."
            case ast.FunctionDef():
                told = ast.get_docstring(statement) is not None
                first, last = statement.body[min(told, len(statement.body) - 1)], statement.body[-1]
                blank = b"return ..."
            case _:
                raise ValueError(f"a solution assigns or defines: {ast.unparse(statement)}")
        begin, end = first.lineno - 1, (last.end_lineno or last.lineno) - 1
        before, after = lines[begin][: first.col_offset], lines[end][last.end_col_offset :]
        lines[begin : end + 1] = [before + blank + after]
    return b"\n".join(lines).decode()


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
    match list(arguments):
        case [] | ["--check"] | ["--run"]:
            wanted = ""
        case ["--run", str(wanted)]:
            pass
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    wrong = 0
    for script in sorted(folder.glob(f"{wanted}*.py" if wanted else "[0-9]*.py")):
        lesson = script.with_suffix(".ipynb")
        solution = folder / SOLUTIONS / lesson.name
        ran = run(notebook(script)) if "--run" in arguments else kept(notebook(script), solution)
        for path, book in ((lesson, exercise(notebook(script))), (solution, ran)):
            if path.is_file() and path.read_text(encoding="utf-8") == text(book):
                continue
            wrong += 1
            if "--check" not in arguments:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text(book), encoding="utf-8")
            said = "differs from its script" if "--check" in arguments else "written"
            print(f"{path.relative_to(folder)} {said}")
        if not has_run(ran):
            wrong += 1
            print(f"{solution.relative_to(folder)} was not run since its code changed: use --run")
    return 1 if wrong and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
