"""Commands as real processes, and what becomes of the processes that they start."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from comparisons.core.machine import ROOT

Command = subprocess.Popen[str]

# What begins the command of somebody who may not do what root may all the same.
LESS = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]
AS_USER = [] if os.geteuid() else LESS


def start(
    *arguments: object, module: str = "comparisons.cifar", env: dict[str, str] | None = None
) -> Command:
    """Start a door; what it says is kept for `communicate`."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | (env or {}),
    )


def workers(parent: int) -> list[int]:
    """The process ids of a process's workers that still run, forked for it or started anew."""
    found = _children(parent, "comparisons.running.worker")
    for server in fork_servers(parent):
        found += _children(server, "comparisons.running.fork_server")
    return found


def fork_servers(parent: int) -> list[int]:
    """The process ids of what forks workers for a process."""
    return _children(parent, "comparisons.running.fork_server")


def _children(parent: int, name: str) -> list[int]:
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(parent).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it ends while it is looked at
                if child.status() != psutil.STATUS_ZOMBIE and name in " ".join(child.cmdline()):
                    found.append(child.pid)
    return found


def wait_for_worker(parent: Command) -> int:
    """The process id of a worker of `parent`, once there is one."""
    for _ in range(1200):
        if found := workers(parent.pid):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no worker was started")


def left_after(pids: list[int], seconds: float) -> list[int]:
    """Which processes still run after so many seconds at most."""
    until = time.monotonic() + seconds
    while (pids := [pid for pid in pids if runs(pid)]) and time.monotonic() < until:
        time.sleep(0.02)
    return pids


def end(pid: int, number: int) -> None:
    """Send a signal to a process, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
