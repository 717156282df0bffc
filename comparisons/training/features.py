"""Features of a frozen base: each image goes through it once, the result stays on disk.

A folder per base and data set holds shards, only ever added: a file of values, and beside it an
index of its rows, a checksum of each, and what they cost. An index is named by the hash of its
content and written last. So a kill leaves whole shards behind and they are used; a few rows are
found and checked without reading the others; what is damaged is noticed and deleted; and a larger
training set or another seed computes the missing rows only.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from comparisons.core import cache, clock
from comparisons.core.bill import Costs
from comparisons.core.cache import Entry
from comparisons.core.clock import Cost
from comparisons.core.files import write_with
from comparisons.core.neighbours import Watch
from models.engines import CHECKED, Extract

# Raise when the shards' layout or anything in the extraction changes.
LAYOUT = 3
ROWS_PER_SHARD = 4096
INDEX, VALUES = ".index", ".values"


@dataclass(frozen=True)
class Engine:
    """What extracts features, and what preparing it cost."""

    extract: Extract
    prepared: Cost


@dataclass
class Features:
    """What `get` found and computed.

    `values` [rows, ...]; `cost` is what these rows cost when they were computed, `prepared` what
    the engine over them did. `kept` says when the costs of rows that were found ready were
    measured, None where there were none; `note` is a line where rows could not be kept.
    """

    values: np.ndarray
    cost: Cost
    prepared: Cost
    kept: Costs | None
    note: str = ""


def get(
    key: dict[str, Any],
    rows: np.ndarray,
    images: np.ndarray,
    engine: Callable[[np.ndarray], Engine],
    tell: Callable[[int, int], None] = lambda done, total: None,
    dtype: Any = np.float32,
    since: str = "",
) -> Features:
    """Features of `images[rows]`, computing only the rows that no shard holds.

    `key` is everything that decides a feature: weights, preprocessing, size, data, view, type
    and versions. `engine` makes the extractor from a first batch of images; it is called only
    when a row is missing. `tell` hears how many of the rows are there. They are kept, and come
    back, as `dtype`. Rows computed before `since` (date and time, UTC) are computed again.
    """
    entry = _entry(key | {"dtype": np.dtype(dtype).name})
    found = _Collector(rows, dtype)
    with ExitStack() as stack:
        # One process computes; a second one waits, and then finds the shards there. Where nothing
        # can be kept, each computes for itself.
        with suppress(OSError):
            stack.enter_context(entry.alone())
        shards = _shards(entry.folder)
        for shard in shards:
            if found.missing.any() and shard.index.measured >= since:
                found.take(shard)
        if found.missing.any():
            _compute(entry.folder, found, images, engine, tell)
            for shard in shards:
                if shard.index.measured < since and np.isin(shard.rows, rows).all():
                    shard.delete()
    assert found.values is not None
    return Features(found.values, found.cost, found.prepared, found.kept, found.note)


class _Index(msgspec.Struct):
    """What lies beside a file of values.

    `rows` int32 [n] and `checks` uint32 [n] are bytes, as the values [n, *shape] are; costs are
    seconds by the wall and of processors, those `of_row` for each row; `others` is the share of
    the processors that others used meanwhile.
    """

    rows: bytes
    checks: bytes
    dtype: Annotated[str, Meta(pattern=r"\A[<>]f[24]\Z")]  # of objects they would be pointers
    shape: tuple[Annotated[int, Meta(ge=0)], ...]
    of_row: tuple[float, float]
    prepared: tuple[float, float]
    measured: str
    others: float

    def fits(self) -> bool:
        """Whether there is a check for each of the rows, which are numbers from 0 on."""
        whole = len(self.rows) == len(self.checks) and len(self.rows) % 4 == 0
        return whole and bool((np.frombuffer(self.rows, np.int32) >= 0).all())


@dataclass(frozen=True)
class _Shard:
    """An index as it was read, and where its values lie."""

    path: Path
    index: _Index

    @property
    def rows(self) -> np.ndarray:
        return np.frombuffer(self.index.rows, np.int32)

    @property
    def values(self) -> Path:
        return self.path.with_suffix(VALUES)

    def read(self, places: np.ndarray) -> np.ndarray | None:
        """The values at some places; None where they are not those that were written."""
        shape, dtype = (len(self.rows), *self.index.shape), np.dtype(self.index.dtype)
        with suppress(Exception):  # whatever is wrong with it
            if self.values.stat().st_size != math.prod(shape) * dtype.itemsize:
                return None
            # Mapped, so that only what is wanted is read.
            values = np.memmap(self.values, dtype, "r", shape=shape)[places]
            if np.array_equal(_checks(values), np.frombuffer(self.index.checks, np.uint32)[places]):
                return np.asarray(values)
        return None

    def delete(self) -> None:
        for path in (self.path, self.values):
            with suppress(OSError):
                path.unlink(missing_ok=True)


class _Collector:
    """Rows wanted, and what has been found of them."""

    def __init__(self, rows: np.ndarray, dtype: Any) -> None:
        self.rows = rows
        self.dtype = dtype
        self.missing = np.ones(len(rows), bool)
        self.values: np.ndarray | None = None
        self.cost, self.prepared = Cost(), Cost()
        self.kept: Costs | None = None
        self.note = ""
        self._place = np.full(int(rows.max()) + 1, -1)
        self._place[rows] = np.arange(len(rows))

    def take(self, shard: _Shard) -> None:
        """Take what is wanted and still missing from a shard; one that is damaged is deleted."""
        there, places = self._wanted(shard.rows)
        if not len(there):
            return
        values = shard.read(there)
        if values is None:
            shard.delete()
            return
        cost = Cost(*shard.index.of_row)
        self._put(places, values, cost)
        if self.kept is None:
            self.prepared = Cost(*shard.index.prepared)
        measured = Costs(shard.index.measured, shard.index.others, cost.wall * len(places))
        self.kept = self.kept.joined(measured) if self.kept else measured

    def add(self, rows: np.ndarray, values: np.ndarray, cost: Cost) -> None:
        """Add rows that were computed now, which cost so much each."""
        there, places = self._wanted(rows)
        self._put(places, values[there], cost)

    def _wanted(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of some rows are wanted and missing, and where each belongs."""
        inside = rows < len(self._place)
        places = np.where(inside, self._place[np.where(inside, rows, 0)], -1)
        there = np.flatnonzero(places >= 0)
        there = there[self.missing[places[there]]]
        return there, places[there]

    def _put(self, places: np.ndarray, values: np.ndarray, each: Cost) -> None:
        if self.values is None:
            self.values = np.empty((len(self.rows), *values.shape[1:]), self.dtype)
        self.values[places] = values
        self.cost += each * len(places)
        self.missing[places] = False


def _compute(
    folder: Path,
    found: _Collector,
    images: np.ndarray,
    engine: Callable[[np.ndarray], Engine],
    tell: Callable[[int, int], None],
) -> None:
    """Compute what is missing, a shard at a time, and keep each as soon as it is done."""
    rows = np.sort(found.rows[found.missing])
    made = engine(images[rows[:CHECKED]])
    found.prepared = made.prepared
    # Told before the first shard too: whoever watches learns from here how long one takes.
    tell(int((~found.missing).sum()), len(found.rows))
    for start in range(0, len(rows), ROWS_PER_SHARD):
        part = rows[start : start + ROWS_PER_SHARD]
        begun, watch = clock.now(), Watch()
        values = made.extract(images[part]).astype(found.dtype, copy=False)
        cost = (clock.now() - begun) * (1 / len(part))
        found.add(part, values, cost)
        try:
            _write(folder, part, values, cost, made.prepared, watch.seen().others)
        except OSError as error:
            found.note = f"features are not kept: {error.strerror or error} ({folder.parent.name})"
        tell(int((~found.missing).sum()), len(found.rows))


def _entry(key: dict[str, Any]) -> Entry:
    text = repr(sorted((key | {"layout": LAYOUT}).items()))
    return cache.entry("features", hashlib.blake2b(text.encode(), digest_size=12).hexdigest())


def _write(
    folder: Path, rows: np.ndarray, values: np.ndarray, cost: Cost, prepared: Cost, others: float
) -> None:
    index = _Index(
        rows.astype(np.int32).tobytes(),
        _checks(values).tobytes(),
        values.dtype.str,
        values.shape[1:],
        (cost.wall, cost.processor),
        (prepared.wall, prepared.processor),
        clock.timestamp(),
        others,
    )
    content = msgspec.msgpack.encode(index)
    path = folder / f"{_name_of(content)}{INDEX}"
    write_with(path.with_suffix(VALUES), lambda file: file.write(np.ascontiguousarray(values).data))
    write_with(path, lambda file: file.write(content))


def _shards(folder: Path) -> list[_Shard]:
    """The shards of a folder, the latest first; what is damaged or belongs to none is deleted."""
    shards = []
    for path in folder.glob(f"*{INDEX}"):
        with suppress(OSError):
            content = path.read_bytes()
            with suppress(ValueError, RecursionError):
                index = msgspec.msgpack.decode(content, type=_Index)
                if _name_of(content) == path.stem and index.fits():
                    shards.append(_Shard(path, index))
                    continue
            path.unlink(missing_ok=True)
    known = {shard.values for shard in shards}
    for path in folder.glob(f"*{VALUES}"):
        if path not in known:
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return sorted(shards, key=lambda s: (s.index.measured, s.path.name), reverse=True)


def _checks(values: np.ndarray) -> np.ndarray:
    """A checksum of each row, uint32 [n]."""
    flat = np.ascontiguousarray(values).reshape(len(values), -1).view(np.uint8)
    return np.fromiter((zlib.crc32(row.data) for row in flat), np.uint32, len(values))


def _name_of(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
