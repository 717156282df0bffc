"""A data set of the user's own, from one .npz file: its headers are judged before it is read."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from comparisons.core.errors import ComparisonError
from comparisons.core.machine import memory
from comparisons.core.parts import LONGEST_NAME
from comparisons.data.dataset import ARRAYS, Arrays

# Raise when more is refused or noted: copies that were read under older rules are not used.
RULES = 1
CLASSES = "classes"
# The images are held by the process that runs a comparison and by the one that does its run.
COPIES = 2
READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Outline:
    """What is known of a file while its images are unread; `note` is for who reads a record."""

    train: int
    test: int
    image_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    note: str


def found(path: Path) -> Path:
    """The path itself. Raises ComparisonError where there is nothing, or nothing to be read."""
    try:
        path.stat()
    except FileNotFoundError:
        raise ComparisonError(f"there is no file {path}") from None
    except OSError as error:
        raise ComparisonError(f"{path} cannot be read: {error.strerror}") from None
    return path


def outline(path: Path) -> Outline:
    """What an .npz file holds, by its headers, labels and class names, as `read` would take it.

    Raises ComparisonError with one line that says what does not fit.
    """
    with _opened(path) as file:
        return file.outline


def read(path: Path) -> Arrays:
    """Read x_train, y_train, x_test, y_test and optionally classes from an .npz file.

    Images are uint8 [n, h, w], [n, h, w, 1] or [n, h, w, 3]; labels whole numbers from 0.
    Nothing else in the file is read. Raises ComparisonError with one line that says what does
    not fit.
    """
    with _opened(path) as file:
        about = file.outline
        return Arrays(
            x_train=file.array("x_train").reshape(-1, *about.image_shape),
            y_train=file.y_train,
            x_test=file.array("x_test").reshape(-1, *about.image_shape),
            y_test=file.y_test,
            classes=about.classes,
            note=about.note,
        )


@dataclass(frozen=True)
class _Header:
    """The shape and type of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


class _File:
    """An open .npz file; what does not fit is a ComparisonError that begins with its path."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self.archive = archive
        inside = archive.namelist()
        used = [name for name in (*ARRAYS, CLASSES) if f"{name}.npy" in inside]
        if missing := [name for name in ARRAYS if name not in used]:
            raise ComparisonError(f"{path} lacks {', '.join(missing)}")
        self.headers = {name: self._header(name) for name in used}

    @cached_property
    def outline(self) -> Outline:
        shapes = {part: self._image_shape(f"x_{part}") for part in ("train", "test")}
        for part in shapes:
            self._check_labels(part)
        if shapes["train"] != shapes["test"]:
            raise self.wrong("training and test images differ in shape")
        self._check_size()
        classes = self._classes()
        train, test = len(self.y_train), len(self.y_test)
        return Outline(train, test, shapes["train"], classes, self._never_trained(classes))

    @cached_property
    def y_train(self) -> np.ndarray:
        return self._labels("y_train")

    @cached_property
    def y_test(self) -> np.ndarray:
        return self._labels("y_test")

    def array(self, name: str) -> np.ndarray:
        with self.archive.open(f"{name}.npy") as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    def wrong(self, text: str) -> ComparisonError:
        return ComparisonError(f"{self.path}: {text}")

    def _header(self, name: str) -> _Header:
        with self.archive.open(f"{name}.npy") as file:
            version = np.lib.format.read_magic(file)
            if version not in READ_HEADER:
                raise self.wrong(f"{name} is no array of numbers or of text")
            shape, _, dtype = READ_HEADER[version](file)
        return _Header(shape, dtype)

    def _image_shape(self, name: str) -> tuple[int, int, int]:
        header = self.headers[name]
        shape = header.shape if len(header.shape) != 3 else (*header.shape, 1)
        if header.dtype != np.uint8 or len(shape) != 4 or shape[-1] not in (1, 3):
            raise self.wrong(
                f"{name} must be uint8 images [n, height, width, 1 or 3], not {header}"
            )
        count, *image = shape
        if count < 1:
            raise self.wrong(f"{name} is empty")
        if min(image[:2]) < 8:
            raise self.wrong(f"{name} needs images of 8x8 pixels or more, not {header}")
        height, width, channels = image
        return height, width, channels

    def _check_labels(self, part: str) -> None:
        header, count = self.headers[f"y_{part}"], self.headers[f"x_{part}"].shape[0]
        length, *rest = header.shape or (0,)
        if header.dtype.kind not in "iu" or rest not in ([], [1]):
            raise self.wrong(
                f"y_{part} must be whole numbers from 0, one for each image, not {header}"
            )
        if length != count:
            raise self.wrong(f"x_{part} and y_{part} differ in length")

    def _check_size(self) -> None:
        needed, there = sum(header.bytes for header in self.headers.values()), memory()
        if there is not None and COPIES * needed > there:
            raise self.wrong(
                f"its arrays take {needed / 1e9:,.1f} GB, {COPIES} times that is needed in memory "
                f"and this machine has {there / 1e9:,.1f} GB: give fewer or smaller images"
            )

    def _labels(self, name: str) -> np.ndarray:
        labels = self.array(name).reshape(-1)
        if labels.min() < 0:
            raise self.wrong(f"{name} must be whole numbers from 0")
        # Before they become signed, where the largest ones would turn negative.
        if int(labels.max()) > np.iinfo(np.int64).max:
            raise self.wrong(f"{name}: a label of {int(labels.max()):,} names no class")
        return labels.astype(np.int64)

    def _classes(self) -> tuple[str, ...]:
        count = 1 + int(max(self.y_train.max(), self.y_test.max()))
        if CLASSES not in self.headers:
            if count > len(self.y_train):
                raise self.wrong(
                    f"labels run to {count - 1:,}, more than there are training images; number "
                    "the classes from 0 on, or name them in `classes`"
                )
            names = tuple(map(str, range(count)))
        else:
            names = self._named_classes()
        if len(names) < max(count, 2):
            raise self.wrong(f"{len(names)} classes named, {max(count, 2)} are needed")
        if self.y_train.min() == self.y_train.max():
            raise self.wrong("y_train has one class alone: there is nothing to tell apart")
        return names

    def _named_classes(self) -> tuple[str, ...]:
        header = self.headers[CLASSES]
        if header.dtype.kind not in "USiu" or len(header.shape) > 1:
            raise self.wrong(f"classes must be a list of names, not {header}")
        written = np.atleast_1d(self.array(CLASSES))
        names: dict[str, None] = {}  # in order
        for number in range(len(written)):
            try:
                name = written[number]
                text = name.decode() if isinstance(name, bytes) else str(name)
                text.encode()
            except (ValueError, SystemError):  # halves of characters, numbers that are none
                raise self.wrong(f"the name of class {number} is not UTF-8") from None
            if not text.strip():
                raise self.wrong(f"class {number} has no name")
            if len(text) > LONGEST_NAME:
                raise self.wrong(f"the name of class {number} has more than {LONGEST_NAME} letters")
            if text in names:
                raise self.wrong(f"two classes are named '{text}'")
            names[text] = None
        return tuple(names)

    def _never_trained(self, classes: tuple[str, ...]) -> str:
        """A line where test images belong to classes that no training image shows."""
        strange = np.setdiff1d(self.y_test, self.y_train)
        if not len(strange):
            return ""
        count = int(np.isin(self.y_test, strange).sum())
        names = ", ".join(classes[label] for label in strange[:5])
        more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
        return (
            f"{count:,} of {len(self.y_test):,} test images are of classes that no training image "
            f"shows, which no network can learn: {names}{more}"
        )


@contextmanager
def _opened(path: Path) -> Iterator[_File]:
    """The file, its headers read; whatever a damaged archive raises becomes one line."""
    try:
        with found(path).open("rb") as handle:
            if not zipfile.is_zipfile(handle):
                raise ComparisonError(
                    f"{path} is not a readable .npz file: it is no archive of arrays, as np.savez "
                    "writes them"
                )
            yield _File(path, zipfile.ZipFile(handle))
    except ComparisonError:
        raise
    except Exception as error:
        # Damaged archives raise what zipfile, zlib, NumPy or Python's parser happen to raise.
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ComparisonError(f"{path} is not a readable .npz file ({reason})") from None
