"""A decoded data set kept on disk: written whole or not at all, and read only as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from comparisons.core.balance import uneven
from comparisons.core.cache import Entry
from comparisons.core.files import remove
from comparisons.data.dataset import ARRAYS, Arrays, Dataset, fingerprint

ABOUT, GROUPS = "about.json", "groups.npy"
MAPPED = 2**30  # bytes: of a larger file only what is used is in memory


class About(msgspec.Struct, frozen=True):
    """What is known of a data set without its arrays; `train` and `test` count images."""

    name: str
    classes: tuple[str, ...]
    synthetic: bool
    complete: bool
    note: str
    fingerprint: str
    train: int
    test: int
    image_shape: tuple[int, int, int]
    validation: int = 0
    files: tuple[str, ...] = ()
    uneven: bool = False  # the largest class has several times the smallest one's training images


def about(arrays: Arrays, name: str, synthetic: bool = False, complete: bool = True) -> About:
    """What is kept beside a decoded data set."""
    return About(
        name=name,
        classes=arrays.classes,
        synthetic=synthetic,
        complete=complete,
        note=arrays.note,
        fingerprint=fingerprint(arrays),
        train=len(arrays.y_train),
        test=len(arrays.y_test),
        image_shape=arrays.x_train.shape[1:],
        validation=arrays.validation,
        files=arrays.files,
        uneven=uneven(np.unique_counts(arrays.y_train).counts),
    )


@contextmanager
def keeping(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` to fill, which takes its place when the block ends well.

    Raises OSError.
    """
    part = Entry(folder).part()
    try:
        yield part
        remove(folder)
        part.replace(folder)
    finally:
        remove(part)


def write(part: Path, arrays: Arrays, known: About) -> None:
    """Write what of a decoded data set is not yet in a folder. Raises OSError."""
    for name in ARRAYS:
        if not (part / f"{name}.npy").exists():
            np.save(part / f"{name}.npy", getattr(arrays, name))
    if arrays.groups is not None:
        np.save(part / GROUPS, arrays.groups)
    (part / ABOUT).write_bytes(msgspec.json.encode(known))


def about_kept(folder: Path) -> About | None:
    """What is known of the data set kept in `folder`; None when there is no readable one."""
    try:
        known = msgspec.json.decode((folder / ABOUT).read_bytes(), type=About)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
    complete = all((folder / f"{name}.npy").is_file() for name in ARRAYS)
    return known if complete else None


def forget(folder: Path) -> None:
    """Have the data set kept in `folder` decoded again, as far as that can be."""
    remove(folder / ABOUT)


def load_kept(folder: Path) -> Dataset | None:
    """The data set kept in `folder`; None when it is not there, or not what was written."""
    known = about_kept(folder)
    if known is None:
        return None
    try:
        loaded = {name: array(folder / f"{name}.npy") for name in ARRAYS}
        groups = array(folder / GROUPS) if known.files else None
    except Exception:
        # A damaged header is read by Python's own parser, which may raise nearly anything.
        return None
    arrays = Arrays(
        **loaded,
        classes=known.classes,
        note=known.note,
        validation=known.validation,
        groups=groups,
        files=known.files,
    )
    # What is said of the arrays has to fit them too: a file may be another's, and still be JSON.
    if known != about(arrays, known.name, known.synthetic, known.complete):
        return None
    labels = np.concatenate([arrays.y_train, arrays.y_test])
    if labels.max() >= len(known.classes):
        return None
    if groups is not None and groups.shape != labels.shape:
        return None
    return Dataset(
        name=known.name,
        classes=known.classes,
        x_train=arrays.x_train,
        y_train=arrays.y_train,
        x_test=arrays.x_test,
        sealed_test_labels=arrays.y_test,
        synthetic=known.synthetic,
        complete=known.complete,
        note=known.note,
        fingerprint=known.fingerprint,
        validation=known.validation,
        groups=groups,
        files=known.files,
    )


def array(path: Path) -> np.ndarray:
    """An array from its file; a large one is mapped, not read. Raises OSError, ValueError, more."""
    if path.stat().st_size > MAPPED:
        return np.lib.format.open_memmap(path, mode="r")
    with path.open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)
