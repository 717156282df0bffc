"""A data set in memory, its kept copy on disk, and its split into train and validation."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.core.records import Data, Sizes
from comparisons.core.streams import Stream, generator

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_SHARE = 10


@dataclass
class Dataset:
    """Images uint8 [n, h, w, c] and labels int64 [n], with what a record says of them.

    The test labels are sealed: `open_test_labels` gives them once and refuses a second time,
    so that nothing can be chosen by looking at them.
    """

    name: str
    classes: tuple[str, ...]
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    sealed_test_labels: np.ndarray = field(repr=False)
    synthetic: bool = False
    complete: bool = True
    note: str = ""
    fingerprint: str = ""
    test_was_read: bool = field(default=False, init=False)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.x_train.shape[1:]

    def described(self, rows: Subset | None = None) -> Data:
        """What a record says of the data; without `rows`, of a run that failed before its split."""
        sizes = Sizes(test=len(self.x_test))
        if rows:
            sizes.train, sizes.validation = len(rows.train), len(rows.validation)
        return Data(
            name=self.name,
            synthetic=self.synthetic,
            complete=self.complete,
            fingerprint=self.fingerprint,
            sizes=sizes,
            classes=list(self.classes),
            note=self.note,
        )

    def open_test_labels(self) -> np.ndarray:
        """The test labels, int64 [n]. Raises RuntimeError when they were read before."""
        if self.test_was_read:
            raise RuntimeError("the test labels of a run may be read once only")
        self.test_was_read = True
        return self.sealed_test_labels


@dataclass(frozen=True)
class Subset:
    """Rows of the training split: those to train on and those to validate on."""

    train: np.ndarray
    validation: np.ndarray


def split(labels: np.ndarray, seed: int, train_size: int | None = None) -> Subset:
    """Carve validation, a tenth, from the training split, then take `train_size` of the rest.

    Drawn by `seed` alone, so that all arms see the same rows. The smaller training sets are
    contained in the larger ones, and every one of them is balanced as the whole is.
    Raises ValueError when fewer rows are left than asked for.
    """
    order = generator(seed, Stream.SPLIT).permutation(len(labels))
    order = _balanced_order(labels, order)
    held_out = validation_size(len(labels))
    rest = order[held_out:]
    size = len(rest) if train_size is None else train_size
    if not 1 <= size <= len(rest):
        raise ValueError(f"{size} training images asked for, 1 to {len(rest)} can be had")
    return Subset(train=rest[:size], validation=order[:held_out])


def validation_size(count: int) -> int:
    """How many of `count` training images are held out for validation: a tenth, one of a few."""
    return max(min(1, count - 1), count // VALIDATION_SHARE)


def _balanced_order(labels: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Reorder rows so that every stretch holds each class in its share of the whole."""
    classes, counts = np.unique(labels, return_counts=True)
    position = np.empty(len(order))
    for label, count in zip(classes, counts, strict=True):
        rows = order[labels[order] == label]
        position[rows] = (np.arange(count) + 0.5) / count
    return order[np.argsort(position[order], kind="stable")]


def fingerprint(arrays: dict[str, np.ndarray]) -> str:
    """A hash of shapes, types and every byte of the four arrays; 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    for name in ARRAYS:
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()


def keep(folder: Path, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> None:
    """Write a decoded data set to `folder`, whole or not at all. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name in ARRAYS:
            np.save(part / f"{name}.npy", arrays[name])
        about = about | {
            "fingerprint": fingerprint(arrays),
            "train": len(arrays["y_train"]),
            "test": len(arrays["y_test"]),
            "image_shape": arrays["x_train"].shape[1:],
        }
        (part / "about.json").write_text(json.dumps(about))
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def about_kept(folder: Path) -> dict[str, Any] | None:
    """What is known of the data set kept in `folder`; None when there is no readable one."""
    try:
        about: dict[str, Any] = json.loads((folder / "about.json").read_text())
        complete = all((folder / f"{name}.npy").is_file() for name in ARRAYS)
        return about if complete and about["fingerprint"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def load_kept(folder: Path) -> Dataset | None:
    """The data set kept in `folder`; None when it is not there, or not what was written."""
    about = about_kept(folder)
    if about is None:
        return None
    try:
        arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in ARRAYS}
    except Exception:
        # A damaged header is read by Python's own parser, which may raise nearly anything.
        return None
    if fingerprint(arrays) != about["fingerprint"]:
        return None
    return Dataset(
        name=about["name"],
        classes=tuple(about["classes"]),
        x_train=arrays["x_train"],
        y_train=arrays["y_train"],
        x_test=arrays["x_test"],
        sealed_test_labels=arrays["y_test"],
        synthetic=about["synthetic"],
        complete=about["complete"],
        note=about["note"],
        fingerprint=about["fingerprint"],
    )
