"""A command that is interrupted ends with one line and code 130, however early, by any signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from comparisons.core.interrupts import LINE
from comparisons.core.machine import ROOT

DOORS = ["cifar", "knobs", "pretrain", "report", "benchmarks"]

# Interrupts its own process as the so-many-th module is looked for after the first one of ours
# that a command needs, which is a moment that no clock decides.
EARLY = """
import os, sys

class Watch:
    seen = 0

    def find_spec(self, name, path=None, target=None):
        if "comparisons.core.interrupts" in sys.modules or self.seen:
            self.seen += 1
            if self.seen == int(os.environ["AT_MODULE"]):
                os.kill(os.getpid(), int(os.environ["BY_SIGNAL"]))

sys.meta_path.insert(0, Watch())
"""


@pytest.fixture
def early(tmp_path: Path) -> Path:
    (tmp_path / "sitecustomize.py").write_text(EARLY)
    return tmp_path


def door(name: str, early: Path, module: int, number: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"comparisons.{name}", "--help"],
        env=os.environ
        | {"PYTHONPATH": str(early), "AT_MODULE": str(module), "BY_SIGNAL": str(int(number))},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("module", [2, 12])
@pytest.mark.parametrize("name", DOORS)
def test_an_interrupt_while_a_door_is_loaded_shows_one_line(name, module, early):
    done = door(name, early, module, signal.SIGINT)
    assert (done.returncode, done.stderr) == (130, f"{LINE}\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ends_are_said_in_the_same_line(number, early):
    done = door("cifar", early, 12, number)
    assert (done.returncode, done.stderr) == (130, f"{LINE}\n")


def test_what_is_ignored_stays_ignored(early):
    """As nohup and a shell's background have it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = door("cifar", early, 12, signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (done.returncode, done.stderr) == (0, "")


LOST = """
import sys
sys.argv = ["-m"]
import comparisons

class Closed:
    def __del__(self):
        import os, signal
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(10**6): pass

Closed()
for _ in range(10**7): pass
print("went on")
"""


def test_an_interrupt_that_meets_a_destructor_is_not_lost():
    done = subprocess.run([sys.executable, "-c", LOST], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{LINE}\n")


def test_importing_the_package_leaves_signals_as_they_are():
    code = (
        "import signal, sys\nfrom comparisons import cifar\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
        "assert sys.excepthook is sys.__excepthook__"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
