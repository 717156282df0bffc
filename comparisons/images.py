"""Your own pictures: `python -m comparisons.images FOLDER` compares arms on a folder of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparisons import command
from comparisons.plan.request import BEST, Request

if TYPE_CHECKING:
    from comparisons.core.records import Record

EXAMPLES = """examples:
  python -m comparisons.images photos                 photos/ants/… and photos/bees/…
  python -m comparisons.images photos --dry-run       show the plan, then stop
  python -m comparisons.images list.csv --arms mobilenet:frozen cnn:scratch --image-size 224

FOLDER has one sub-folder for each class; or train/ and val/ and/or test/, each with such folders;
or it is a CSV of path, label. Nothing in it is ever changed. Results go to results/FOLDER.
"""
PRESET = "images"


def compare(
    folder: str | Path, arms: str | Sequence[str] | None = None, **more: Any
) -> list[Record]:
    """Compare arms on a folder of pictures, or a CSV of them, and return the records.

    `more` is what comparisons.cifar.compare takes, and `image_size`. Raises ComparisonError.
    """
    usual = {"preset": PRESET, "command": "comparisons.images.compare"}
    return command.compare(arms, command.pictures(folder), **(usual | more))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = command.comparing(
        "comparisons.images",
        "Train from scratch, or fine-tune a pretrained base, on your own pictures? Looks at them "
        "first, runs both sides on the same ones, and keeps the best model.",
        EXAMPLES,
        data=None,
        preset=PRESET,
    )
    add = parser.add_argument
    add("data", nargs="?", default="", metavar="FOLDER", help="your pictures, or a CSV of them")
    add("--image-size", type=int, metavar="N", help="pixels a side (default: by base and pictures)")
    return command.main(parser, arguments, command.show_tables, settled=_settled, default_out=True)


def _settled(request: Request) -> Request:
    """The same with the folder found, and the best model kept, where one can be."""
    found = replace(request, data=command.pictures(request.data))
    if request.kept is not None or request.scheduler or _all_loaded(request):
        return found
    return replace(found, keep=BEST, unasked=True)


def _all_loaded(request: Request) -> bool:
    """Whether all arms are of bases that others wrote, whose computation cannot be kept."""
    return bool(request.arms) and all(arm.startswith("hub:") for arm in request.arms or ())


if __name__ == "__main__":
    sys.exit(main())
