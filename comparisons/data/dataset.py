"""A data set in memory, and its split into train and validation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from filelock import FileLock

from comparisons.core.errors import ComparisonError, unknown
from comparisons.core.records import Data, Sizes, data_name
from comparisons.core.streams import Stream, generator

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_SHARE = 10


@dataclass(frozen=True)
class Arrays:
    """A data set as it was decoded: images uint8 [n, h, w, c], labels int64 [n].

    `note` is for who reads a record: what its figures do not say. The last `validation` of the
    training images are what validates in every run; where there are none, each run holds some out.
    Without test images each seed draws some of the training images for its own. `groups`, int32
    [train + test], and `files` are of pictures of one's own: those of a group show the same.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    note: str = ""
    validation: int = 0
    groups: np.ndarray | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pool:
    """The images that a seed's training and test images were drawn from, and their rows in it."""

    images: np.ndarray
    train: np.ndarray
    test: np.ndarray


@dataclass
class Dataset:
    """Images uint8 [n, h, w, c] and labels int64 [n], with what a record says of them.

    The test labels are sealed: `open_test_labels` gives them once and refuses a second time,
    so that nothing can be chosen by looking at them. `held` keeps the copy on disk from being
    pruned while this lives: another process may be about to read it. `validation`, `groups` and
    `files` are as in Arrays; `pool` is what a seed's images were drawn from.
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
    validation: int = 0
    groups: np.ndarray | None = field(default=None, repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    pool: Pool | None = field(default=None, repr=False)
    held: FileLock | None = field(default=None, repr=False)
    test_was_read: bool = field(default=False, init=False)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.x_train.shape[1:]

    @property
    def drawn(self) -> bool:
        """Whether it has no test images, so that each seed draws some (`dealt`)."""
        return len(self.x_test) == 0

    @property
    def test_files(self) -> Sequence[str]:
        """The files of all test images, in their order; none where images come from no files."""
        rows = self.pool.test if self.pool else len(self.y_train) + np.arange(len(self.x_test))
        return [self.files[row] for row in rows] if self.files else ()

    def dealt(self, tested: Sequence[int]) -> Dataset:
        """The same with these of its training images to test on; as it is where there are none."""
        if not len(tested):
            return self
        test = np.array(tested)
        train = np.setdiff1d(np.arange(len(self.x_train)), test)
        groups = self.groups
        return replace(
            self,
            x_train=self.x_train[train],
            y_train=self.y_train[train],
            x_test=self.x_train[test],
            sealed_test_labels=self.y_train[test],
            groups=None if groups is None else groups[np.concatenate([train, test])],
            pool=Pool(self.x_train, train, test),
        )

    def only(self, names: Sequence[str]) -> Dataset:
        """The same with these of its classes alone; they keep their order, whatever that of names.

        Raises ComparisonError for fewer than two, or one that is not there.
        """
        if not names:
            return self
        for name in names:
            if name not in self.classes:
                raise unknown("class", name, self.classes)
        kept = [i for i, name in enumerate(self.classes) if name in names]
        if len(kept) < 2:
            raise ComparisonError(
                f"--classes {names[0]}: name two or more of {self.name}'s classes"
            )
        train, test = np.isin(self.y_train, kept), np.isin(self.sealed_test_labels, kept)
        classes = tuple(self.classes[i] for i in kept)
        both = np.concatenate([train, test])
        own = train[len(train) - self.validation :]
        return replace(
            self,
            name=data_name(self.name, classes),
            classes=classes,
            x_train=self.x_train[train],
            y_train=np.searchsorted(kept, self.y_train[train]),
            x_test=self.x_test[test],
            sealed_test_labels=np.searchsorted(kept, self.sealed_test_labels[test]),
            fingerprint=_digest(f"{self.fingerprint} {json.dumps(classes)}".encode()),
            validation=int(own.sum()),
            groups=None if self.groups is None else self.groups[both],
            files=tuple(np.array(self.files, object)[both]) if self.files else (),
        )

    def for_tests(self) -> Dataset:
        """The same without its training images, most of what it takes of memory, but their labels.

        As it is where seeds draw their test images from them.
        """
        return self if self.drawn else replace(self, x_train=self.x_train[:0].copy())

    def tested_on(self, count: int | None) -> Dataset:
        """The same with `count` of its test images, whatever the seed; None means all of them."""
        if count is None:
            return self
        rows, pool, files = self.test_rows(count), self.pool, self.files
        if files and pool is None:
            first = len(self.y_train)
            files = (*files[:first], *(files[first + row] for row in rows))
        return replace(
            self,
            files=files,
            x_test=self.x_test[rows],
            sealed_test_labels=self.sealed_test_labels[rows],
            pool=replace(pool, test=pool.test[rows]) if pool else None,
        )

    def subset(
        self, seed: int, train_size: int | None = None, validate_on: int | None = None
    ) -> Subset:
        """Rows to train on and to validate on; see `split`."""
        return split(self.y_train, seed, train_size, validate_on, self.groups, self.validation)

    def test_rows(self, count: int) -> np.ndarray:
        """Rows of at most `count` test images, int64 [n], whatever the seed."""
        order = generator(0, Stream.TESTED).permutation(len(self.x_test))
        return np.sort(order[:count])

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
            drawn_from=len(self.pool.images) if self.pool else self.drawn * len(self.x_train),
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


def split(
    labels: np.ndarray,
    seed: int,
    train_size: int | None = None,
    validate_on: int | None = None,
    groups: np.ndarray | None = None,
    own: int = 0,
) -> Subset:
    """Carve validation, a tenth, from the training split, then take `train_size` of the rest.

    Of the validation images only the first `validate_on` are kept, where a number is given.
    Drawn by `seed` alone, so that all arms see the same rows. The smaller training sets are
    contained in the larger ones, and every one of them is balanced as the whole is. Where the
    last rows, so many as `own`, are there to validate, these are what validates. Rows of one of the
    `groups` [n or more] are not divided between the two, unless every group is larger than
    validation or the last of its class.
    Raises ValueError when fewer rows are left than asked for.
    """
    order = generator(seed, Stream.SPLIT).permutation(len(labels))
    order = _balanced_order(labels, order)
    if own:
        held = order >= len(labels) - own
    else:
        held = _held_out(order, validation_size(len(labels)), labels, groups)
    rest = order[~held]
    size = len(rest) if train_size is None else train_size
    if not 1 <= size <= len(rest):
        raise ValueError(f"{size} training images asked for, 1 to {len(rest)} can be had")
    return Subset(train=rest[:size], validation=order[held][:validate_on])


def _held_out(
    order: np.ndarray, count: int, labels: np.ndarray, groups: np.ndarray | None
) -> np.ndarray:
    """Which rows of an order validate, bool [n]: the first `count`, in whole groups.

    The last group of a class is left to train on.
    """
    first = np.arange(len(order)) < count
    if groups is None:
        return first
    groups, labels = groups[order], labels[order]
    _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    by_place, ends = np.argsort(places, kind="stable"), np.cumsum(sizes)
    taken, left, rest = np.zeros(len(sizes), bool), count, np.bincount(labels)
    for place in dict.fromkeys(places.tolist()):
        if not left:
            break
        rows = by_place[ends[place] - sizes[place] : ends[place]]
        some = np.bincount(labels[rows], minlength=len(rest))
        if sizes[place] <= left and (rest - some)[some > 0].all():
            taken[place], left, rest = True, left - sizes[place], rest - some
    return taken[places] if taken.any() else first


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


def fingerprint(arrays: Arrays) -> str:
    """A hash of shapes, types and every byte of the four arrays; 32 hexadecimal digits."""
    parts: list[bytes | memoryview] = []
    for name in ARRAYS:
        array = np.ascontiguousarray(getattr(arrays, name))
        parts += [f"{name}{array.dtype}{array.shape}".encode(), array.data]
    return _digest(*parts)


def _digest(*parts: bytes | memoryview) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
