"""How busy others keep the processors meanwhile: a time measured beside them says less."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

from comparisons.core.bill import Neighbours
from comparisons.core.machine import cores

CONTENDED = 0.10  # above this share times are called contended
GROUPS = Path("/sys/fs/cgroup")


class Watch:
    """What others do from now on."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._busy, self._own, self._held = _busy(), time.process_time(), _held_back()

    def seen(self) -> Neighbours:
        """What they did so far."""
        wall = time.perf_counter() - self._started
        own = time.process_time() - self._own
        others = (_busy() - self._busy - own) / (wall * cores()) if wall > 0 else 0.0
        held = (_held_back() - self._held) / wall if wall > 0 else 0.0
        others, held = (round(min(max(share, 0.0), 1.0), 4) for share in (others, held))
        return Neighbours(others=others, throttled=held)


def _busy() -> float:
    """Seconds that the processors which this process may use were not idle, for whomever."""
    mine = set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    total = 0.0
    with suppress(OSError, RuntimeError):
        for number, times in enumerate(psutil.cpu_times(percpu=True)):
            if mine is None or number in mine:
                # A guest's seconds are among the user's; waiting for a disk keeps nobody away.
                named = times._asdict()
                apart = ("idle", "iowait", "guest", "guest_nice")
                total += sum(spent for name, spent in named.items() if name not in apart)
    return total


def _held_back() -> float:
    """Seconds in which a limit of the control group held its processes back, since it began."""
    for file, field, unit in (
        ("cpu.stat", "throttled_usec", 1e-6),
        ("cpu/cpu.stat", "throttled_time", 1e-9),
    ):
        with suppress(OSError, ValueError):
            for line in (GROUPS / file).read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == field:
                    return float(value) * unit
    return 0.0
