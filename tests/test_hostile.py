"""Kills of commands and workers at random moments: nothing corrupt, nothing lost, nothing left."""

from __future__ import annotations

import random
import signal
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import processes
import pytest

from comparisons.core import records

# What ends a command; a worker is only ever killed outright.
ENDS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
NAME = "COMPARISONS_TEST_MARK"


@dataclass
class Toll:
    """How many kills there were, and what they have done: files and processes, as often as seen."""

    kills: int = 0
    corrupt: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    orphans: list[int] = field(default_factory=list)


class Assault:
    """One command, started again and again and killed at moments drawn from a seed."""

    def __init__(self, folder: Path, arguments: list[str], seed: int) -> None:
        self.folder = folder
        self.arguments = arguments
        self.draw = random.Random(seed)
        self.toll = Toll()
        self.rounds = 0
        self.out = self.cache = folder

    def new_round(self) -> None:
        """Go on with empty folders."""
        self.rounds += 1
        self.out, self.cache = (self.folder / f"{what}{self.rounds}" for what in ("out", "cache"))

    def start(self) -> processes.Command:
        """The command, known again by a mark that all its processes have."""
        self.mark = uuid.UUID(int=self.draw.getrandbits(128)).hex
        env = {"COMPARISONS_CACHE": str(self.cache), NAME: self.mark}
        return processes.start(*self.arguments, "--out", self.out, env=env)

    def undisturbed(self) -> float:
        """Let the command come to its end; the seconds that it took."""
        started = time.monotonic()
        process = self.start()
        said, complaints = process.communicate(timeout=600)
        assert process.returncode == 0, complaints
        assert "report.html" in said and not list(self.out.rglob("*.part"))
        return time.monotonic() - started

    def disturbed(self, most: int, seconds: float) -> bool:
        """Start the command and kill within `seconds`; whether it came to its end all the same."""
        before = kept(self.out)
        process = self.start()
        while self.toll.kills < most:
            until = time.monotonic() + self.draw.uniform(0, seconds)
            while process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            if process.poll() is not None:
                break
            self.toll.kills += 1
            at_work = processes.workers(process.pid)
            if at_work and self.draw.random() < 0.4:
                processes.end(at_work[0], signal.SIGKILL)
            else:
                process.send_signal(self.draw.choice(ENDS))
                break
        else:
            process.kill()
        process.communicate(timeout=600)
        left = processes.left_after(marked(self.mark), 2.0)
        self.toll.orphans += left
        for pid in left:
            processes.end(pid, signal.SIGKILL)
        after = kept(self.out)
        self.toll.lost += [name for name, text in before.items() if after.get(name) != text]
        self.toll.corrupt += corrupt(self.out) + corrupt(self.cache)
        assert process.returncode in (0, 1, 130, -signal.SIGKILL, *(-end for end in ENDS))
        return process.returncode == 0

    def carry_out(self, kills: int) -> Toll:
        """Kill so often, and let the command end at last; every round begins with nothing."""
        self.new_round()
        seconds = self.undisturbed()
        complete = kept(self.out)
        while self.toll.kills < kills:
            self.new_round()
            while self.toll.kills < kills and not self.disturbed(kills, seconds):
                pass
        self.undisturbed()
        assert kept(self.out).keys() == complete.keys()
        return self.toll


def kept(out: Path) -> dict[str, bytes]:
    """The records of finished runs."""
    return {path.name: path.read_bytes() for path in (out / "runs").glob("*.json")}


def marked(mark: str) -> list[int]:
    """The processes that a command with this mark has left behind."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if f"{NAME}={mark}".encode() in environment:
            found.append(int(folder.name))
    return found


def corrupt(folder: Path) -> list[str]:
    """Which files are not what they are called, those that were being written apart."""
    bad = records.load_all(folder)[1]
    for path in folder.rglob("*.np[yz]"):
        if any(part.endswith(".part") for part in path.parts):
            continue
        try:
            loaded = np.load(path, allow_pickle=False)
            assert path.suffix == ".npy" or loaded.files
        except Exception as error:
            bad.append(f"{path}: {error}")
    for path in folder.glob("report.html"):
        if not path.read_text().rstrip().endswith("</html>"):
            bad.append(str(path))
    return bad


@pytest.mark.slow
def test_a_few_kills_leave_nothing_behind(tmp_path, tiny_npz):
    arguments = ["--data", str(tiny_npz), "--arms", "cnn:scratch", "--epochs", "1"]
    assault = Assault(tmp_path, [*arguments, "--train-size", "60"], seed=1)
    assert assault.carry_out(4) == Toll(kills=4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_fifty_kills_over_all_stages_leave_nothing_behind(tmp_path, seed):
    arguments = ["--data", "shapes", "--arms", "cnn:scratch", "tiny:frozen", "--epochs", "2"]
    assault = Assault(tmp_path, [*arguments, "--train-size", "200"], seed)
    assert assault.carry_out(50) == Toll(kills=50)
