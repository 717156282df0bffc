"""A data set of the user's own, from a folder of pictures: listed, decoded, looked at, kept."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from comparisons.core import audit as audits
from comparisons.core.audit import Left, shown
from comparisons.core.balance import uneven
from comparisons.core.records import data_name
from comparisons.data import audit, dataset, kept, listing, pictures, splits
from comparisons.data.audit import Looked
from comparisons.data.dataset import Arrays
from comparisons.data.kept import About
from comparisons.data.listing import File, Listing
from comparisons.data.pictures import NoPicture, Seen

# Raise when pictures are decoded to other pixels: kept copies of older rules are not used.
RULES = (1, audit.RULES)
USUAL_SIDE = 160  # pixels a side where nobody says otherwise
SMALLEST_SIDE = 32
SAMPLED = 40  # pictures whose headers say how large all of them are
MANY = 2000  # pictures that take so long to decode that progress is told
TENTH = 10
MOST_DRAWN = 5000  # pictures; more of them have one test set for all seeds


def read(path: Path, side: int, part: Path, say: Callable[[str], None]) -> Arrays:
    """Decode a folder of pictures into files under `part`, which the arrays are mapped from.

    Images are uint8 [n, side, side, 3]; those to train on come before those of the user's own
    validation. What was seen is written beside them. Raises ComparisonError, OSError.
    """
    found = listing.listing(path)
    while True:
        looked, left = _decoded(found, side, part, say)
        counts = Counter(file.label for file in looked.files if file.part == "train")
        fewest = 2 if found.drawn else 1
        few = [label for label in found.classes if counts[label] < fewest]
        if not few:
            break
        found = found.without(few, f"its class has fewer than {fewest} pictures that can be read")
        own = {one.file: one for one in left}  # what a file is left out for by itself
        found = replace(found, left_out=[own.get(one.file, one) for one in found.left_out])
        listing.must_have_classes(path, found)
    return _looked_at(path, found, looked, left, part)


def _looked_at(
    path: Path, found: Listing, looked: Looked, left: Sequence[Left], part: Path
) -> Arrays:
    classes = found.classes
    index = {label: number for number, label in enumerate(classes)}
    labels = np.array([index[file.label] for file in looked.files], np.int64)
    train = sum(file.part != "test" for file in looked.files)
    x_train, x_test = _images(part)
    groups, drawn = audit.same(looked), found.drawn
    if drawn and len(looked) > MOST_DRAWN:
        looked, order = _set_aside(looked, labels, groups, classes, part)
        labels, groups, drawn = labels[order], groups[order], False
        train = sum(file.part != "test" for file in looked.files)
        x_train, x_test = _images(part)
    arrays = Arrays(
        x_train=x_train,
        y_train=labels[:train],
        x_test=x_test,
        y_test=labels[train:],
        classes=tuple(map(shown, classes)),
        validation=sum(file.part == "validation" for file in looked.files),
        groups=groups,
        files=tuple(shown(file.name) for file in looked.files),
    )
    said = audit.audit(
        looked,
        groups,
        lambda row: x_train[row] if row < train else x_test[row - train],
        [*found.left_out, *left],
        found.notes,
        drawn,
        data_name(str(path)),
        dataset.fingerprint(arrays),
    )
    audits.write(part, said)
    return arrays


def _images(part: Path) -> tuple[np.ndarray, np.ndarray]:
    x_train, x_test = (kept.array(part / f"x_{name}.npy") for name in ("train", "test"))
    return x_train, x_test


def _set_aside(
    looked: Looked, labels: np.ndarray, groups: np.ndarray, classes: Sequence[str], part: Path
) -> tuple[Looked, np.ndarray]:
    """Move a fifth of the pictures into a test set, the same for every seed.

    Where there are so many, one draw says enough. The pictures in their new order, and that order.
    """
    test = splits.draw(labels, groups, 0, classes)
    train = np.setdiff1d(np.arange(len(labels)), test)
    images = np.lib.format.open_memmap(part / "x_train.npy", mode="r")
    for name, rows in (("test", test), ("rest", train)):
        shape = (len(rows), *images.shape[1:])
        into = np.lib.format.open_memmap(part / f"x_{name}.npy", "w+", np.uint8, shape)
        for begin in range(0, len(rows), pictures.CHUNK):
            into[begin : begin + pictures.CHUNK] = images[rows[begin : begin + pictures.CHUNK]]
        into.flush()
    (part / "x_rest.npy").replace(part / "x_train.npy")
    order = np.concatenate([train, test])
    tested = [looked.files[row]._replace(part="test") for row in test]
    files = [*(looked.files[row] for row in train), *tested]
    return Looked(files, [looked.seen[row] for row in order]), order


def outline(path: Path, side: int) -> About:
    """What is known of a folder by its listing, every file taken for a picture.

    Raises ComparisonError.
    """
    found = listing.listing(path)
    counts = found.counts()
    return About(
        name=data_name(str(path)),
        classes=tuple(map(shown, found.classes)),
        synthetic=False,
        complete=True,
        note="",
        fingerprint="",
        train=counts["train"] + counts["validation"],
        test=counts["test"],
        image_shape=(side, side, 3),
        validation=counts["validation"],
        uneven=uneven(Counter(f.label for f in found.files if f.part != "test").values()),
    )


def outdated(path: Path, side: int, copy: Path) -> bool:
    """Whether a file that a kept copy lacks can be read now, though it has not changed.

    Its rights may have, or what is installed.
    """
    said = audits.read(copy)
    left = {one.file for one in said.left_out if one.passing} if said else set()
    return bool(left) and any(
        shown(file.name) in left and pictures.can_be_read(file.path, side)
        for file in listing.listing(path).files
    )


def usual_side(found: Listing) -> int:
    """The shorter side of most pictures in pixels, by the headers of some; 0 where none is read."""
    step = max(1, len(found.files) // SAMPLED)
    sizes = [pictures.size_of(file.path) for file in found.files[::step]]
    return int(statistics.median([min(size) for size in sizes if size] or [0]))


def _decoded(
    found: Listing, side: int, part: Path, say: Callable[[str], None]
) -> tuple[Looked, list[Left]]:
    """What could be decoded of a listing, and what could not."""
    files: list[File] = []
    seen: list[Seen] = []
    left: list[Left] = []
    for name in ("train", "test"):
        wanted = [file for file in found.files if (file.part == "test") == (name == "test")]
        with (part / f"x_{name}.npy").open("wb") as file:
            results = pictures.read([one.path for one in wanted], side, file, _told(say))
        for one, result in zip(wanted, results, strict=True):
            if isinstance(result, NoPicture):
                left.append(Left(shown(one.name), str(result), result.passing))
            else:
                files.append(one)
                seen.append(result)
    return Looked(files, seen), left


def _told(say: Callable[[str], None]) -> Callable[[int, int], None]:
    """Progress in tenths, where there are many pictures."""
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if total >= MANY and done * TENTH // total > told:
            told = done * TENTH // total
            say(f"decoded {done:,} of {total:,} pictures")

    return tell
