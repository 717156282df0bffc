"""Things to make, shared with a second process: a page is made when all else has ended."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from comparisons.core import children
from comparisons.core.machine import cores

T = TypeVar("T")
UNSAFE = ("tensorflow", "jax", "torch", "openvino")  # have threads that a fork would not have


def made(make: Callable[[int], T], count: int) -> list[T]:
    """What `make` makes of 0, 1, … `count` - 1, at most 256 of them.

    The last is begun first; each process takes the next when it is free. Where forking is not safe
    or there is one core, all is made here.
    """
    if not _may_fork():
        return [make(i) for i in range(count)]
    numbers, written = os.pipe()
    os.write(written, bytes(reversed(range(count))))
    os.close(written)
    theirs, ours = os.pipe()
    parent, child = os.getpid(), _fork()
    if child == 0:
        os.close(theirs)  # or nobody would tell it that the one who reads is gone
        children.end_with(parent)
        # What is missing is made by the other process, which can say why it cannot be.
        with suppress(BaseException), os.fdopen(ours, "wb") as file:
            pickle.dump(_some(make, numbers), file)
        os._exit(0)
    os.close(ours)
    try:
        with os.fdopen(theirs, "rb") as file:
            done = _some(make, numbers)
            with suppress(EOFError, pickle.UnpicklingError):
                done |= pickle.load(file)
    finally:
        os.close(numbers)
        os.waitpid(child, 0)
    return [done[i] if i in done else make(i) for i in range(count)]


def _some(make: Callable[[int], T], numbers: int) -> dict[int, T]:
    """What is made of the numbers that this process takes from a pipe, until that is empty."""
    done = {}
    while taken := os.read(numbers, 1):
        done[taken[0]] = make(taken[0])
    return done


def _may_fork() -> bool:
    alone = threading.active_count() == 1 and not any(name in sys.modules for name in UNSAFE)
    return sys.platform == "linux" and alone and cores() > 1


def _fork() -> int:
    with warnings.catch_warnings():
        # NumPy's threads for linear algebra wait for work, which drawing has none of.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        return os.fork()
