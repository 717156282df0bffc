"""What was seen in a folder of pictures before any training: `audit.json`, beside the records.

Made by comparisons.data.audit, said by comparisons.findings.pictures, shown on the page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comparisons.core.errors import one_line
from comparisons.core.files import write_text
from comparisons.core.parts import Count, Name

FILE = "audit.json"
MOST_BYTES = 100_000_000  # of a file that is read
MOST_SHOWN = 8  # sets of pictures of a kind that have thumbnails

# What a set of pictures has in common; the order is that of the terminal and of the page.
Kind = Literal["mislabelled", "leaked", "copies", "alike", "odd", "dark", "blank", "blurred"]


# Of a class: how many pictures are in each part that has some.
Parts = Annotated[dict[str, Annotated[int, Meta(ge=1, le=2**62)]], Meta(min_length=1)]


class Left(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that is left out, and why; `passing` where the file need not change to be read."""

    file: str
    why: str
    passing: bool = False


class Picture(msgspec.Struct):
    """A picture by its file; `thumbnail` is a small JPEG, empty where none was made."""

    file: str
    label: str
    part: str
    about: str = ""
    thumbnail: bytes = b""


class Found(msgspec.Struct):
    """Pictures that belong together in one finding: one, or several that are the same."""

    kind: Kind
    pictures: list[Picture]


class Sides(msgspec.Struct):
    """Width and height in pixels of the smallest, the middle and the largest picture, by area."""

    smallest: tuple[Count, Count]
    middle: tuple[Count, Count]
    largest: tuple[Count, Count]


class Audit(msgspec.Struct, kw_only=True):
    """What was seen: `classes` count the pictures of each in every part, by name.

    `place` stands for the path of the folder, which it does not tell. `drawn` says that the folder
    has no test set of its own and each seed draws one.
    """

    data: Name
    place: str = ""
    fingerprint: str
    image_size: Annotated[Count, Meta(description="pixels a side that pictures were resized to")]
    classes: Annotated[dict[str, Parts], Meta(min_length=1)]
    sides: Sides
    drawn: bool
    left_out: list[Left] = []
    found: list[Found] = []
    notes: list[str] = []

    @property
    def used(self) -> int:
        """How many pictures are used."""
        return sum(sum(parts.values()) for parts in self.classes.values())

    def of(self, kind: Kind) -> list[Found]:
        """What was found of a kind."""
        return [one for one in self.found if one.kind == kind]


def write(folder: Path, audit: Audit) -> None:
    """Write `audit.json` under a folder, atomically. Raises OSError."""
    content = msgspec.json.format(msgspec.json.encode(audit), indent=1).decode()
    write_text(folder / FILE, content + "\n")


def read(folder: Path, fingerprint: str = "") -> Audit | None:
    """The audit under `folder`, of the data with that fingerprint where one is named.

    None where there is none that can be used.
    """
    path = folder / FILE
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        found = msgspec.json.decode(path.read_bytes(), type=Audit)
    except (OSError, ValueError, RecursionError):  # msgspec's are ValueErrors
        return None
    return found if fingerprint in ("", found.fingerprint) else None


def shown(name: str) -> str:
    """A file's or a class's name as it can be kept as UTF-8, and does nothing to a terminal."""
    return one_line(name)
