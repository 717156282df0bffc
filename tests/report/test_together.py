"""Two processes make what one would: nothing is lost, whatever becomes of the second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from comparisons.core.machine import ROOT, cores

ALONE = """
import os, threading, time
from comparisons.report import together
here = os.getpid()
"""
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or cores() < 2, reason="a second process is for Linux with two cores"
)


def answer(code: str) -> list[str]:
    """What a process of its own prints, in which no framework is loaded."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE + code],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_all_is_made_in_order_by_two_processes():
    code = "made = together.made(lambda i: (time.sleep(0.02), i, os.getpid()), 20)\n"
    code += "print([i for _, i, _ in made] == list(range(20)), len({pid for *_, pid in made}))"
    assert answer(code) == ["True", "2"]


@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getpid(), 9)", "1 / 0"])
def test_what_a_second_process_takes_with_it_is_made_here(end):
    code = f"""
def make(i):
    time.sleep(0.01)
    if os.getpid() != here:
        {end}
    return i, os.getpid() == here
print(together.made(make, 5) == [(i, True) for i in range(5)])
"""
    assert answer(code) == ["True"]


def test_a_mistake_is_raised_and_no_process_stays():
    code = """
try:
    together.made(lambda i: 1 / i, 3)
except ZeroDivisionError as error:
    print(type(error).__name__)
try:
    os.waitpid(-1, 0)
except ChildProcessError as error:
    print(type(error).__name__)
"""
    assert answer(code) == ["ZeroDivisionError", "ChildProcessError"]


def test_where_threads_run_nothing_is_forked():
    code = """
threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
print({pid == here for pid in together.made(lambda i: (time.sleep(0.02), os.getpid())[1], 8)})
"""
    assert answer(code) == ["{True}"]


def test_of_nothing_nothing_is_made():
    assert answer("print(together.made(str, 0))") == ["[]"]


def test_the_second_process_ends_where_the_first_is_killed():
    """It would else make all the rest, and wait for ever for somebody to read it."""
    code = """
def make(i):
    if os.getpid() == here:
        os.kill(here, signal.SIGKILL)
    time.sleep(0.2)
    return bytes(10**6)

together.made(make, 250)
"""
    # Both hold the pipe of what is printed: it ends with the last of them.
    ended = subprocess.run(
        [sys.executable, "-c", f"import signal{ALONE}{code}"],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, timeout=30,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL
