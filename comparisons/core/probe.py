"""How fast this machine is, found within three seconds: products of matrices, copies of memory."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import numpy as np

MATRIX = 1024
COPIED = 2**27  # bytes: many times what a processor keeps in its caches
LONGEST = 1.2  # seconds for each of the two


class Speed(msgspec.Struct, frozen=True):
    """What a machine can do with all its cores: FLOP/s of products, bytes/s of copies."""

    product: float
    copy: float

    def slower(self, other: Speed) -> float:
        """How many times as long this machine takes as another one.

        The geometric mean of the two ratios: training multiplies and moves numbers, in turn. It is
        an estimate, which nothing but a run on this machine can replace.
        """
        return ((other.product / self.product) * (other.copy / self.copy)) ** 0.5


def probe(longest: float = LONGEST) -> Speed:
    """Measure this machine, by NumPy alone, in so many seconds for each of the two."""
    one = np.random.default_rng(0).random((MATRIX, MATRIX), np.float32)
    source, target = np.ones(COPIED, np.uint8), np.zeros(COPIED, np.uint8)
    return Speed(
        product=2 * MATRIX**3 / _shortest(lambda: one @ one, longest),
        copy=2 * COPIED / _shortest(lambda: np.copyto(target, source), longest),
    )


def _shortest(work: Callable[[], object], longest: float) -> float:
    """The seconds of the fastest of many: others may have disturbed the slower ones."""
    work()
    shortest, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < longest:
        started = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - started)
    return shortest
