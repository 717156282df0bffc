"""A folder of pictures, or a CSV that names some: what is in it, without opening any.

One sub-folder for each class; or `train` with `val`, `test` or both beside it, each with one
sub-folder for each class. A folder that is called like a part and holds pictures, not folders, is
a class. Nothing is ever written there. What is no picture of a class is left out
and named; hidden files and what file managers leave behind are passed over.
"""

from __future__ import annotations

import csv
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

from comparisons.core.audit import Left, shown
from comparisons.core.errors import ComparisonError
from comparisons.core.files import exists
from comparisons.core.parts import LONGEST_NAME

Part = Literal["train", "validation", "test"]
PARTS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
PASSED_OVER = {"thumbs.db", "desktop.ini", "__macosx", "icon\r"}
COLUMNS = {"path": ("path", "file", "filename", "file_name", "image"), "label": ("label", "class")}
MOST_BYTES = 500_000_000  # of a CSV


class File(NamedTuple):
    """A file that may be a picture: where it lies, its class and part, and its state on disk."""

    path: str
    name: str
    label: str
    part: Part
    bytes: int
    changed: int


@dataclass(frozen=True)
class Listing:
    """What a folder holds, sorted by part, class and name. `drawn`: it has no test set of its own.

    `classes` are those with a file to train on.
    """

    files: list[File]
    left_out: list[Left]
    notes: list[str]
    drawn: bool

    @property
    def classes(self) -> list[str]:
        """The classes in the order of their labels."""
        return sorted({file.label for file in self.files if file.part == "train"})

    def without(self, labels: Iterable[str], why: str) -> Listing:
        """The same less some classes, whose files are named as left out."""
        gone = set(labels)
        left = [Left(shown(file.name), why) for file in self.files if file.label in gone]
        kept = [file for file in self.files if file.label not in gone]
        return replace(self, files=kept, left_out=[*self.left_out, *left])

    def counts(self) -> dict[str, int]:
        """How many files there are in each part."""
        return Counter(file.part for file in self.files)


def is_folder(name: str) -> bool:
    """Whether a name of a data set means a folder of pictures, or a CSV of them."""
    if not name:
        return False  # as a path it would be the folder that we are in
    return name.lower().endswith(".csv") or (exists(Path(name)) and Path(name).is_dir())


def places(path: Path) -> list[Path]:
    """The folders that hold the pictures: the folder itself, or those of the files in a CSV.

    Raises ComparisonError for what is no such CSV.
    """
    if not _is_csv(path):
        return [path]
    return sorted({Path(file.path).parent for file in listing(path).files})


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def listing(path: Path) -> Listing:
    """What is in a folder or named by a CSV. Raises ComparisonError for what cannot be compared."""
    found = _of_csv(path) if _is_csv(path) else _of_folder(path)
    counts = {label: Counter[str]() for label in sorted({file.label for file in found.files})}
    for file in found.files:
        counts[file.label][file.part] += 1
    for label, parts in counts.items():
        if len(label) > LONGEST_NAME:
            raise ComparisonError(f"{path}: the name of a class has {len(label):,} letters")
        if not parts["train"]:
            found = found.without([label], f"its class {shown(label)} has no picture to train on")
        elif found.drawn and parts["train"] < 2:
            found = found.without([label], _alone(label))
    must_have_classes(path, found)
    folded = Counter(label.casefold() for label in found.classes)
    same = [shown(label) for label in found.classes if folded[label.casefold()] > 1]
    notes = [f"classes that differ in upper and lower case alone: {', '.join(same)}"]
    return replace(found, notes=[*found.notes, *(notes if same else [])])


def _alone(label: str) -> str:
    return f"its class {shown(label)} has no other picture: one cannot be learnt and tested too"


def must_have_classes(path: Path, found: Listing) -> None:
    """Raise ComparisonError for less than two classes."""
    classes = found.classes
    if len(classes) >= 2:
        return
    left = [f"{one.file}: {one.why}" for one in found.left_out[:1]]
    more = f" ({len(found.left_out):,} left out, the first {left[0]})" if left else ""
    what = f"pictures of one class alone, {shown(classes[0])}" if classes else "no pictures"
    wanted = "give a folder with one sub-folder of pictures for each class"
    if _is_csv(path):
        wanted = "name pictures of two classes or more, by their paths from its own folder"
    raise ComparisonError(f"{path} holds {what}{more}: {wanted}")


def _of_folder(root: Path) -> Listing:
    left: list[Left] = []
    inside = list(_entries(str(root), "", left))
    if not inside and left:
        raise ComparisonError(f"{root}: {left[0].why}")
    folders = [entry for entry in inside if entry.is_dir(follow_symlinks=False)]
    parts = {entry.name: PARTS.get(entry.name.lower()) for entry in folders}
    files: list[File] = []
    in_parts = _in_parts(root, folders)
    for entry in inside:
        if entry not in folders:
            left.append(Left(shown(entry.name), "it lies in no class's folder"))
        elif not in_parts:
            files += _of_class(entry, entry.name, "train", left)
        elif part := parts[entry.name]:
            files += _of_part(entry, part, left)
        else:
            why = f"a folder beside train that is none of {', '.join(PARTS)}"
            left.append(Left(shown(entry.name), why))
    return _sorted(files, left)


def _in_parts(root: Path, folders: list[os.DirEntry[str]]) -> bool:
    """Whether a folder's folders are parts, not classes.

    Raises ComparisonError where some look like parts, and the others do not go with them.
    """
    named = [entry for entry in folders if entry.name.lower() in PARTS]
    whole = {PARTS[entry.name.lower()] for entry in named}
    if "train" in whole and (len(whole) > 1 or len(folders) == 1):
        return True
    others = [entry.name for entry in folders if entry not in named]
    if not named or (others and not all(map(_holds_classes, named))):
        return False
    there = ", ".join(f"{shown(entry.name)}/" for entry in named)
    beside = "beside it" if len(named) == 1 else "beside them"
    lacking = "val/ or test/" if "train" in whole else "train/"
    what = f"{shown(others[0])}/ {beside} is no part" if others else f"no {lacking} is {beside}"
    raise ComparisonError(
        f"{root} holds {there} as if in parts, but {what}: parts are train with val, test or both, "
        "each with one folder for each class; rename what is meant otherwise"
    )


def _holds_classes(folder: os.DirEntry[str]) -> bool:
    """Whether a folder holds folders, and next to them few files."""
    inside = list(_entries(folder.path, folder.name, []))
    return 2 * sum(entry.is_dir(follow_symlinks=False) for entry in inside) > len(inside)


def _of_part(folder: os.DirEntry[str], part: Part, left: list[Left]) -> Iterator[File]:
    """The classes within `train`, `val` or `test`."""
    for entry in _entries(folder.path, folder.name, left):
        name = f"{folder.name}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _of_class(entry, name, part, left)
        else:
            left.append(Left(shown(name), "it lies in no class's folder"))


def _of_class(folder: os.DirEntry[str], name: str, part: Part, left: list[Left]) -> Iterator[File]:
    """Every file under a class's folder, at any depth."""
    label, waiting, count, before = folder.name, [(folder.path, name)], 0, len(left)
    while waiting:
        path, name = waiting.pop()
        for entry in _entries(path, name, left):
            inner = f"{name}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, inner))
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                left.append(Left(shown(inner), _unreadable(error)))
                continue
            count += 1
            yield File(entry.path, inner, label, part, status.st_size, status.st_mtime_ns)
    if not count and len(left) == before:
        left.append(Left(shown(folder.name), "an empty folder"))


def _entries(path: str, name: str, left: list[Left]) -> Iterator[os.DirEntry[str]]:
    """The files and folders of a folder; what is neither is left out and named.

    Links are not followed: one may lead out of the folder, or round in it.
    """
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        left.append(Left(shown(name or Path(path).name), _unreadable(error)))
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name.lower() in PASSED_OVER:
            continue
        inner = f"{name}/{entry.name}" if name else entry.name
        if entry.is_symlink():
            left.append(Left(shown(inner), "a link, which is not followed"))
        elif entry.is_dir() or entry.is_file():
            yield entry
        else:
            left.append(Left(shown(inner), "neither a file nor a folder"))


def _unreadable(error: OSError) -> str:
    return f"it cannot be read: {error.strerror or type(error).__name__}"


def _of_csv(path: Path) -> Listing:
    """The files that a CSV names by path and label, and split where it has such a column.

    Paths are taken from the CSV's folder; a first line that names columns is told by their names.
    """
    rows = _rows(path)
    columns, rows = _columns(rows)
    left: list[Left] = []
    files: list[File] = []
    for number, row in enumerate(rows, start=1):
        cells = [row[at].strip() if at is not None and at < len(row) else "" for at in columns]
        name, label, split = cells
        part = PARTS.get(split.lower()) if split else "train"
        if not name or not label or part is None:
            what = "path" if not name else "label" if not label else f"known split: {split}"
            left.append(Left(shown(name or f"row {number}"), f"its row has no {what}"))
            continue
        where = path.parent / name
        try:
            status = where.stat()
        except (OSError, ValueError) as error:
            why = "there is no such file"
            if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
                why = _unreadable(error)
            left.append(Left(shown(name), why))
            continue
        if not stat.S_ISREG(status.st_mode):
            left.append(Left(shown(name), "not a file"))
            continue
        files.append(File(str(where), name, label, part, status.st_size, status.st_mtime_ns))
    return _sorted(files, left)


def _rows(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ComparisonError(f"{path} is too large for a list of pictures")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ComparisonError(f"there is no file {path}") from None
    except OSError as error:
        raise ComparisonError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ComparisonError(f"{path} is not UTF-8: save it as CSV UTF-8") from None
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    separator = max(",;\t|", key=first.count)
    try:
        rows = list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error as error:
        raise ComparisonError(f"{path} is no list of pictures: {error}") from None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if separator not in first or not rows:
        raise ComparisonError(
            f"{path} is no list of pictures: each row is path and label, separated by a comma, a "
            "semicolon, a tab or |"
        )
    return rows


def _columns(
    rows: list[list[str]],
) -> tuple[tuple[int, int, int | None], list[list[str]]]:
    """The places of path, label and split, and the rows below the first line that names them."""
    heads = [cell.strip().lower() for cell in rows[0]]
    places = [
        next((i for i, head in enumerate(heads) if head in COLUMNS[what]), None)
        for what in ("path", "label")
    ]
    if places[0] is None or places[1] is None:
        return (0, 1, None), rows
    split = next((i for i, head in enumerate(heads) if head in ("split", "part")), None)
    return (places[0], places[1], split), rows[1:]


def _sorted(files: list[File], left: list[Left]) -> Listing:
    """Files in the order that they are read in; without a test part, validation is the test."""
    parts = {file.part for file in files}
    if "train" in parts and "validation" in parts and "test" not in parts:
        files = [
            file._replace(part="test") if file.part == "validation" else file for file in files
        ]
    order = list(dict.fromkeys(PARTS.values()))
    files = sorted(files, key=lambda file: (order.index(file.part), file.label, file.name))
    return Listing(files, left, [], drawn=all(file.part == "train" for file in files))
