"""Runs in processes of their own, for benchmarks to time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

import psutil

from comparisons.core.records import Record, load_all

LOOK = 0.5  # seconds between two looks at the memory of a process
Returned = TypeVar("Returned")


def command(
    *flags: str, variables: dict[str, str] | None = None, out: str | None = None
) -> tuple[list[Record], float]:
    """The main job, run afresh: its records in their order, and the seconds from start to page.

    Its results are left in the empty folder `out`, where one is named.
    """
    with nullcontext(out) if out else tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "comparisons.cifar", *flags, "--out", folder],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | (variables or {}),
        )
        seconds = time.perf_counter() - started
        records, _ = load_all(Path(folder))
    for record in records:
        if record.status != "ok":
            raise RuntimeError(f"{record.arm} ended {record.status}: {record.error}")
    return sorted(records, key=lambda record: record.started), seconds


def trained(
    arm: str,
    epochs: int | None = None,
    images: int | None = None,
    variables: dict[str, str] | None = None,
) -> Record:
    """The record of one arm on CIFAR-10; by its recipe's epochs, on all images, unless given."""
    flags = ["--data", "cifar10", "--arms", arm]
    flags += ["--epochs", str(epochs)] if epochs else []
    flags += ["--train-size", str(images)] if images else []
    (record,), _ = command(*flags, variables=variables)
    return record


@contextmanager
def most_memory(found: list[float]) -> Iterator[None]:
    """Append the most that a process which is started meanwhile has in memory, in MB.

    Resident, as the system counts it, with the pages of files that others share; without what that
    process starts in turn.
    """
    most, over, here = 0, Event(), psutil.Process()

    def look() -> None:
        nonlocal most
        while not over.wait(LOOK):
            with suppress(psutil.Error):
                most = max([most, *(child.memory_info().rss for child in here.children())])

    watch = Thread(target=look, daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()
    found.append(most / 1e6)


def apart(function: Callable[..., Returned], *arguments: object) -> Returned:
    """What a function returns in a new process, whose memory and threads are its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(function, *arguments).result()
