"""What the machine can do at all, for other figures to be a share of."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from comparisons.benchmarks.measure import Side
from comparisons.core.machine import cores

MATRIX = 2048
COPIED = 2**28  # bytes: many times what a processor keeps in its caches
REPEATS = 3
# One product; and a copy reads and writes each byte.
WORK = {"matrix product": (2 * MATRIX**3, "FLOP"), "memory copy": (2 * COPIED, "byte")}


def able() -> dict[str, Callable[[], float]]:
    """What measures the machine, by the names of its sides, to take turns with others."""
    return dict(zip(WORK, (matrix_product(), memory_copy()), strict=True))


def sides(taken: dict[str, list[float]]) -> list[Side]:
    """The machine's sides, from the seconds of every round."""
    return [Side(name, taken[name], *work) for name, work in WORK.items()]


def share(amount: float, side: Side, able: Side) -> str:
    """What share of the machine's FLOP/s or bytes/s a side reaches, by its `amount` for a unit."""
    return f"{amount * side.rate / able.rate:.0%}"


def matrix_product() -> Callable[[], float]:
    """TensorFlow's product of two float32 matrices; measures the seconds of one."""
    import tensorflow as tf

    one = tf.random.normal((MATRIX, MATRIX))
    product = tf.function(lambda: tf.reduce_sum(one @ one))
    return _of_one(lambda: float(product()))


def memory_copy() -> Callable[[], float]:
    """NumPy's copy of one array to another, a thread for each core; measures the seconds of one."""
    source, target = np.ones(COPIED, np.uint8), np.zeros(COPIED, np.uint8)
    parts = (np.array_split(target, cores()), np.array_split(source, cores()))
    threads = ThreadPoolExecutor(cores())
    return _of_one(lambda: list(threads.map(np.copyto, *parts)))


def _of_one(work: Callable[[], object]) -> Callable[[], float]:
    """Something to time, warmed up: the seconds of one of a few repeats."""
    work()

    def measure() -> float:
        started = time.perf_counter()
        for _ in range(REPEATS):
            work()
        return (time.perf_counter() - started) / REPEATS

    return measure
