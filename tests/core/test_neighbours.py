"""What others do to the processors meanwhile is seen, and one's own work is not called theirs."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from comparisons.core import neighbours
from comparisons.core.machine import cores
from comparisons.core.neighbours import Watch

BUSY = "while True: pass"
SECONDS = 1.5


def spin(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def test_own_work_is_not_called_that_of_others_and_theirs_is_seen():
    # The other tests run beside this one: what counts is how much a neighbour adds.
    shares = []
    for processes in (0, 2 * cores()):
        others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
        time.sleep(0.2)
        watch = Watch()
        spin(SECONDS)
        shares.append(watch.seen().share)
        for process in others:
            process.kill()
            process.wait()
    assert 0 <= shares[0] <= 1
    assert shares[1] > neighbours.CONTENDED
    assert shares[1] > shares[0] or shares[0] > 0.5


def test_a_limit_of_a_control_group_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(neighbours, "GROUPS", tmp_path)
    file = tmp_path / "cpu.stat"
    file.write_text("usage_usec 5\nthrottled_usec 1000000\n")
    watch = Watch()
    file.write_text("usage_usec 5\nthrottled_usec 1050000\n")
    time.sleep(0.1)
    seen = watch.seen()
    assert 0.1 < seen.throttled <= 0.5
    assert seen.share >= seen.throttled


@pytest.mark.parametrize("content", [None, "", "throttled_usec much\n", "other 1\n"])
def test_a_system_that_says_nothing_of_limits_holds_nobody_back(tmp_path, monkeypatch, content):
    monkeypatch.setattr(neighbours, "GROUPS", tmp_path)
    if content is not None:
        (tmp_path / "cpu.stat").write_text(content)
    watch = Watch()
    time.sleep(0.02)
    assert watch.seen().throttled == 0
