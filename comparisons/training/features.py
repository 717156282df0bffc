"""Features of a frozen base: each image goes through it once, the result stays on disk.

A folder per base and data set holds shards: files of rows and their features, named by the hash
of their content and only ever added. So a kill leaves whole shards behind and they are used, a
damaged file is noticed by its name and deleted, and a larger training set or another seed
computes the missing rows only.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.core import cache
from comparisons.core.cache import Entry
from comparisons.core.files import write_with
from models.engines import CHECKED, Extract

# Raise when the shards' layout or anything in the extraction changes.
LAYOUT = 2
ROWS_PER_SHARD = 4096


@dataclass
class Features:
    """What `get` found and computed.

    `values` [rows, ...]; `seconds` spent now (0 when all was cached); `cold_seconds`
    what these rows cost when they were computed; `note` a line when they could not be kept.
    """

    values: np.ndarray
    seconds: float
    cold_seconds: float
    note: str = ""


def get(
    key: dict[str, Any],
    rows: np.ndarray,
    images: np.ndarray,
    engine: Callable[[np.ndarray], Extract],
    tell: Callable[[int, int], None] = lambda done, total: None,
    dtype: Any = np.float32,
) -> Features:
    """Features of `images[rows]`, computing only the rows that no shard holds.

    `key` is everything that decides a feature: weights, preprocessing, size, data, view, type
    and versions. `engine` makes the extractor from a first batch of images; it is called only
    when a row is missing. `tell` hears how many of the rows are there. They are kept, and come
    back, as `dtype`.
    """
    entry = _entry(key | {"dtype": np.dtype(dtype).name})
    with ExitStack() as stack:
        # One process computes; a second one waits, and then finds the shards there. Where nothing
        # can be kept, each computes for itself.
        with suppress(OSError):
            stack.enter_context(entry.alone())
        found = _Collector(rows, dtype)
        for shard in sorted(entry.folder.glob("*.npz")):
            found.add(*_read(shard))
        if found.missing.any():
            _compute(entry.folder, found, images, engine, tell)
    assert found.values is not None
    return Features(found.values, found.spent, float(found.cost.sum()), found.note)


class _Collector:
    """Rows wanted, and what has been found of them."""

    def __init__(self, rows: np.ndarray, dtype: Any) -> None:
        self.rows = rows
        self.dtype = dtype
        self.missing = np.ones(len(rows), bool)
        self.cost = np.zeros(len(rows))
        self.values: np.ndarray | None = None
        self.spent = 0.0
        self.note = ""
        self._place = np.full(int(rows.max()) + 1, -1)
        self._place[rows] = np.arange(len(rows))

    def add(self, rows: np.ndarray, values: np.ndarray, seconds_per_row: float) -> None:
        inside = rows < len(self._place)
        places = np.where(inside, self._place[np.where(inside, rows, 0)], -1)
        wanted = places >= 0
        if not wanted.any():
            return
        if self.values is None:
            self.values = np.empty((len(self.rows), *values.shape[1:]), self.dtype)
        self.values[places[wanted]] = values[wanted]
        self.cost[places[wanted]] = seconds_per_row
        self.missing[places[wanted]] = False


def _compute(
    folder: Path,
    found: _Collector,
    images: np.ndarray,
    engine: Callable[[np.ndarray], Extract],
    tell: Callable[[int, int], None],
) -> None:
    """Compute what is missing, a shard at a time, and keep each as soon as it is done."""
    started = time.perf_counter()
    rows = np.sort(found.rows[found.missing])
    extract = engine(images[rows[:CHECKED]])
    preparing = time.perf_counter() - started
    # Told before the first shard too: whoever watches learns from here how long one takes.
    tell(int((~found.missing).sum()), len(found.rows))
    for start in range(0, len(rows), ROWS_PER_SHARD):
        part = rows[start : start + ROWS_PER_SHARD]
        begun = time.perf_counter()
        values = extract(images[part]).astype(found.dtype, copy=False)
        cost = (time.perf_counter() - begun) / len(part) + preparing / len(rows)
        found.add(part, values, cost)
        try:
            _write(folder, part, values, cost)
        except OSError as error:
            found.note = f"features are not kept: {error.strerror or error} ({folder.parent.name})"
        tell(int((~found.missing).sum()), len(found.rows))
    found.spent = time.perf_counter() - started


def _entry(key: dict[str, Any]) -> Entry:
    text = repr(sorted((key | {"layout": LAYOUT}).items()))
    return cache.entry("features", hashlib.blake2b(text.encode(), digest_size=12).hexdigest())


def _write(folder: Path, rows: np.ndarray, values: np.ndarray, seconds_per_row: float) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, rows=rows, values=values, seconds_per_row=np.float64(seconds_per_row))
    content = buffer.getbuffer()
    write_with(folder / f"{_name_of(content)}.npz", lambda file: file.write(content))


def _read(shard: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """A shard's rows, values and seconds a row; nothing, and the file gone, if it is damaged."""
    try:
        content = shard.read_bytes()
        if _name_of(content) == shard.stem:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                return file["rows"], file["values"], float(file["seconds_per_row"])
        shard.unlink(missing_ok=True)
    except OSError:
        pass
    return np.empty(0, np.int64), np.empty((0, 1), np.float32), 0.0


def _name_of(content: bytes | memoryview) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
