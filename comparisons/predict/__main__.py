"""The model that came out of a comparison: `python -m comparisons.predict MODEL PATH…`."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from comparisons.core.errors import ComparisonError, exit_code, one_line
from comparisons.core.files import cannot_write, exists, write_with
from comparisons.core.parser import Parser

if TYPE_CHECKING:
    from comparisons.predict.answers import Model

EXAMPLES = """examples:
  python -m comparisons.predict results/cifar10 cat.jpg          the model that --keep left there
  python -m comparisons.predict results/cifar10/model photos     every picture in a folder and below
  python -m comparisons.predict results/cifar10 'photos/*.png' --csv > answers.csv
  python -m comparisons.predict results/cifar10 cat.jpg --looked looked     and where it looked

"sure" means above the threshold that validation images chose: see the model's card, model.json.
"""
CODES = """exit codes: 0 every picture was answered; 1 one or a folder could not be read, or output
not written; 2 usage, or no such model or path; 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = Parser(
        "comparisons.predict", "What a kept model says of your pictures.", EXAMPLES, CODES
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="the folder of a kept model, or of the results it lies in")
    add("paths", nargs="+", metavar="PATH", help="pictures, folders of them, or patterns")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="as a table for a spreadsheet")
    form.add_argument("--json", action="store_true", help="as a list for a program")
    add("--looked", metavar="DIR", help="write where it looked: each picture, dark elsewhere")
    options = parser.parse_args(arguments)
    missed: list[str] = []

    def unread(file: str, why: str) -> None:
        missed.append(file)
        print(one_line(f"{file}: {why}"), file=sys.stderr)

    def run() -> int:
        from comparisons.predict import load, paths

        files = paths.files(options.paths, unread)  # known before a framework is loaded for them
        model = load(options.model)
        answers = model.answers(files, unread)
        if options.looked:
            _write_looked(model, [a.file for a in answers], Path(options.looked))
        if options.json:
            print(msgspec.json.format(msgspec.json.encode(answers), indent=1).decode())
        elif options.csv:
            table = csv.writer(sys.stdout, lineterminator="\n")
            table.writerow(["file", "class", "probability", "sure"])
            table.writerows([a.file, a.name, f"{a.probability:.4f}", a.sure] for a in answers)
        else:
            for a in answers:
                hint = "" if a.sure else "  not sure"
                print(one_line(f"{a.file}: {a.name} {100 * a.probability:.1f} %{hint}"))
        return 1 if missed else 0

    return exit_code(run)


def _write_looked(model: Model, files: Sequence[str], folder: Path) -> None:
    """Write where a model looked in each of the files, as DIR/1-NAME.png, DIR/2-NAME.png, …"""
    named = [folder / f"{number}-{Path(file).stem}.png" for number, file in enumerate(files, 1)]
    for path in named:
        if exists(path):  # it may be a picture of the user's own
            raise ComparisonError(f"--looked {folder}: {path.name} is there, name another", 1)
    for file, path in zip(files, named, strict=True):
        image = model.looked(file)
        try:
            write_with(path, partial(image.save, format="png"))
        except OSError as error:
            raise cannot_write(folder, error, "--looked") from None


if __name__ == "__main__":
    from comparisons.running.worker import prepare_to_load

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    prepare_to_load()
    code = main()
    sys.stderr.flush()
    os._exit(code)  # all is said: taking a framework apart would cost most of a second
