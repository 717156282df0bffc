"""Kills, full disks, company and altered files: nothing lost, nothing partial, nothing wrong."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import processes
import pytest

from comparisons.core import machine, records
from comparisons.core.machine import ROOT
from comparisons.core.records import Record

# What ends a command; a worker is only ever killed outright.
ENDS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
NAME = "COMPARISONS_TEST_MARK"
# So many kills, by this seed; what they did is written into this folder, if one is named.
KILLS = int(os.environ.get("COMPARISONS_TEST_KILLS", "50"))
SEED = int(os.environ.get("COMPARISONS_TEST_SEED", "1"))
EVIDENCE = os.environ.get("COMPARISONS_TEST_EVIDENCE")
# Where files are written, each with what is written there.
WRITING = ("runs", "predictions", ".checkpoints", "figures", "out", "cache")
# A checkpoint after every epoch, and the same bits in every process.
EVERY_EPOCH = {"COMPARISONS_CHECKPOINT_MINUTES": "0"}
SMALL = ("--arms", "cnn:scratch", "tiny:frozen", "--epochs", "3", "--train-size", "60",
         "--deterministic")  # fmt: skip
SHAPES = ("--data", "shapes", "--arms", "cnn:scratch", "tiny:frozen", "--epochs", "12",
          "--train-size", "200", "--seeds", "0", "1", "2", "--deterministic")  # fmt: skip


@dataclass
class Toll:
    """How many kills there were, and what they have done: files and processes, as often as seen."""

    kills: int = 0
    corrupt: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    orphans: list[int] = field(default_factory=list)


class Folder:
    """Where a command writes, and what it came to when nobody disturbed it."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.folder, self.arguments = folder, arguments
        self.reference: dict[str, list[Any]] = {}
        self.round("undisturbed")

    def round(self, name: str) -> None:
        """Go on with empty folders."""
        self.out, self.cache = (self.folder / name / what for what in ("out", "cache"))

    def start(self, **variables: str) -> processes.Command:
        env = {"COMPARISONS_CACHE": str(self.cache)} | EVERY_EPOCH | variables
        return processes.start(*self.arguments, "--out", self.out, env=env)

    def ended(self, process: processes.Command) -> tuple[int, str]:
        """The exit code of a command and what it complained of."""
        _, complaints = process.communicate(timeout=900)
        return process.returncode, complaints

    def whole(self) -> float:
        """Let the command come to its end; the seconds that it took."""
        started = time.monotonic()
        code, complaints = self.ended(self.start())
        assert code == 0, complaints
        self.reference = self.reference or results(self.out)
        assert self.reference
        assert (partial(self.out), self.wrong(), corrupt(self.out)) == ([], [], [])
        assert results(self.out).keys() == self.reference.keys()
        assert (self.out / "report.html").is_file()
        return time.monotonic() - started

    def wrong(self) -> list[str]:
        """The runs that have come to something else than they did undisturbed."""
        found = results(self.out)
        return [name for name in found if found[name] != self.reference[name]]


def results(out: Path) -> dict[str, list[Any]]:
    """What every run came to, times apart."""
    return {r.id: result(r, out) for r in records.load_all(out)[0] if r.status != "failed"}


def result(record: Record, out: Path) -> list[Any]:
    epochs = [
        (e.phase, e.epoch, e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy)
        for e in record.history
    ]
    logits = np.load(out / "predictions" / f"{record.id}.npy").tobytes()
    return [record.status, epochs, record.test, record.base_digest, logits]


def partial(folder: Path) -> list[str]:
    """What is half written; folders may come and go meanwhile."""
    return [
        str(Path(place) / name)
        for place, folders, names in os.walk(folder)
        for name in (*folders, *names)
        if name.startswith(".") and name.endswith(".part")
    ]


class Assault(Folder):
    """One command, started again and again and killed at moments drawn from a seed."""

    def __init__(self, folder: Path, arguments: tuple[object, ...], seed: int, ends=ENDS) -> None:
        super().__init__(folder, *arguments)
        self.draw = random.Random(seed)
        self.ends = ends
        self.toll = Toll()
        self.cut: Counter[str] = Counter()  # what was being written when a kill came
        self.continued = self.rounds = self.looked_after = 0

    def writes(self, what: str) -> bool:
        """Whether that is half written, now or since a process was killed."""
        if what == "cache":
            return bool(partial(self.cache))
        place = self.out if what == "out" else self.out / what
        with suppress(FileNotFoundError):
            return any(path.suffix == ".part" for path in place.iterdir())
        return False

    def disturbed(self, most: int, seconds: float) -> bool:
        """Start the command and kill within `seconds`; whether it came to its end all the same."""
        before = kept(self.out)
        self.mark = uuid.UUID(int=self.draw.getrandbits(128)).hex
        process = self.start(**{NAME: self.mark})
        while self.toll.kills < most and self.killed(process, seconds):
            pass
        if self.toll.kills >= most:
            process.kill()
        code, complaints = self.ended(process)
        assert "Traceback" not in complaints, complaints
        assert code in (0, 1, 130, -signal.SIGKILL, *(-end for end in ENDS))
        left = processes.left_after(marked(self.mark), 2.0)
        self.toll.orphans += left
        for pid in left:
            processes.end(pid, signal.SIGKILL)
        self.cut.update(what for what in WRITING if self.writes(what))
        after = kept(self.out)
        self.toll.lost += [name for name, text in before.items() if after.get(name) != text]
        self.toll.corrupt += corrupt(self.out) + corrupt(self.cache)
        self.toll.wrong += self.wrong()
        self.looked_after = self.toll.kills
        if code == 0:
            self.toll.partial += partial(self.out)
            self.continued += sum(r.continued for r in records.load_all(self.out)[0])
        return code == 0

    def killed(self, process: processes.Command, seconds: float) -> bool:
        """Kill at a moment: a random one, or the first at which something drawn is half written.

        Whether it was a worker that was killed, so that its command goes on.
        """
        until = time.monotonic() + self.draw.uniform(0, 0.3 * seconds)
        wanted = self.draw.choice((*WRITING, *[None] * len(WRITING)))
        if wanted and self.writes(wanted):
            wanted = None  # left by a kill before: the next command will tidy
        of_worker = self.draw.random() < 0.7
        at_work, looked = list[int](), 0.0
        while process.poll() is None and time.monotonic() < until:
            if wanted and self.writes(wanted):
                break
            if of_worker and time.monotonic() - looked > 0.05:
                # Now: to look once something is half written would take longer than to write it.
                at_work, looked = processes.workers(process.pid), time.monotonic()
            time.sleep(0.0002 if wanted else 0.01)
        if process.poll() is not None:
            return False
        self.toll.kills += 1
        if at_work:
            processes.end(at_work[0], signal.SIGKILL)
            return True
        process.send_signal(self.draw.choice(self.ends))
        return False

    def carry_out(self, kills: int) -> Toll:
        """Kill so often, and let the command end at last; every round begins with nothing."""
        seconds = self.whole()
        while self.toll.kills < kills:
            self.rounds += 1
            self.round(f"round{self.rounds}")
            while self.toll.kills < kills and not self.disturbed(kills, seconds):
                pass
        self.whole()
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
            with path.open("rb") as file:
                loaded = np.load(file, allow_pickle=False)
                assert path.suffix == ".npy" or [loaded[name] for name in loaded.files]
        except Exception as error:
            bad.append(f"{path}: {error}")
    for path in folder.glob("report.html"):
        if not path.read_text().rstrip().endswith("</html>"):
            bad.append(str(path))
    return bad


def written(assault: Assault) -> dict[str, Any]:
    """What kills did, as it is kept."""
    found = {name: len(seen) for name, seen in asdict(assault.toll).items() if name != "kills"}
    command = shlex.join(["python", "-m", "comparisons.cifar", *map(str, assault.arguments)])
    return found | {
        "kills": assault.looked_after,
        "seed": SEED,
        "rounds": assault.rounds,
        "continued": assault.continued,
        "cut_in_writing": dict(sorted(assault.cut.items())),
        "command": command,
        **machine.code_state(),
    }


@pytest.mark.slow
def test_a_few_kills_leave_nothing_behind(tmp_path, tiny_npz):
    assault = Assault(tmp_path, ("--data", tiny_npz, *SMALL), seed=1)
    assert assault.carry_out(4) == Toll(kills=4)


@pytest.mark.slow
def test_kills_over_all_stages_leave_nothing_behind(tmp_path):
    assault = Assault(tmp_path, SHAPES, SEED, ends=(signal.SIGKILL,))
    try:
        assert assault.carry_out(KILLS) == Toll(kills=KILLS)
    finally:
        if EVIDENCE:  # of what there was until an interrupt, too
            path = ROOT / EVIDENCE / f"seed-{SEED}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(written(assault), indent=1) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize("many", [2, 4])
def test_several_commands_over_one_folder_and_one_cache(tmp_path, tiny_npz, many):
    """One of them is killed on the way, and started again."""
    folder = Folder(tmp_path, "--data", tiny_npz, *SMALL)
    seconds = folder.whole()
    folder.round("together")
    together = [folder.start() for _ in range(many)]
    time.sleep(seconds / 2)
    together[0].kill()
    folder.ended(together[0])
    together[0] = folder.start()
    for process in together:
        assert folder.ended(process)[0] == 0
    folder.whole()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk whose size can be changed by `resize`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk to fill cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def resize(disk: Path, kilobytes: int) -> None:
    mount = ["mount", "-o", f"remount,size={kilobytes}k", str(disk)]
    subprocess.run(mount, check=True, capture_output=True)


@pytest.mark.slow
def test_a_disk_that_grows_from_too_small_loses_nothing(tmp_path, tiny_npz, disk):
    folder = Folder(tmp_path, "--data", tiny_npz, *SMALL)
    folder.whole()
    folder.folder = disk
    folder.round("full")
    codes, before = [], dict[str, bytes]()
    for kilobytes in (64, 256, 1024, 2048, 4096, 65536):
        resize(disk, kilobytes)
        code, complaints = folder.ended(folder.start())
        codes.append(code)
        assert code in (0, 1, 2) and len(complaints.strip().splitlines()) <= 1, complaints
        assert "Traceback" not in complaints
        after = kept(folder.out)
        assert before.items() <= after.items()
        assert (corrupt(folder.out), folder.wrong()) == ([], [])
        before = after
    assert codes[0] != 0 and codes[-1] == 0
    folder.whole()


def halved(content: bytes, draw: random.Random) -> bytes:
    return content[: len(content) // 2]


def emptied(content: bytes, draw: random.Random) -> bytes:
    return b""


def altered(content: bytes, draw: random.Random) -> bytes:
    """One byte is another."""
    changed = bytearray(content)
    if changed:
        changed[draw.randrange(len(changed))] ^= draw.randint(1, 255)
    return bytes(changed)


def damage(folder: Path, change: Any, draw: random.Random, spared: str = "") -> list[Path]:
    """Change all files under a folder but those in one of its folders."""
    found = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.parent.name != spared]
    for path in found:
        path.write_bytes(change(path.read_bytes(), draw))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("change", [halved, emptied, altered])
def test_whatever_is_altered_the_same_command_ends_in_the_same_results(tmp_path, tiny_npz, change):
    folder, draw = Folder(tmp_path, "--data", tiny_npz, *SMALL), random.Random(1)
    folder.whole()
    # Cut off while a run has a checkpoint, which is altered with all the rest.
    for left in folder.out.glob("runs/cnn*.json"):
        left.unlink()
    process = folder.start()
    while not list(folder.out.glob(".checkpoints/*.checkpoint")) and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    folder.ended(process)
    (bad,) = (folder.out / "runs").glob("*.json")
    checkpoints = len(list(folder.out.glob(".checkpoints/*.checkpoint")))
    found = damage(folder.folder, change, draw)
    assert {"runs", "predictions", "images", "figures", "out"} <= {p.parent.name for p in found}
    content = bad.read_bytes()
    process = folder.start()
    said, complaints = process.communicate(timeout=600)
    assert process.returncode == 0 and not complaints, complaints
    assert f"kept as aside/{bad.name}" in said
    assert (folder.out / "aside" / bad.name).read_bytes() == content
    assert said.count("begins anew") == checkpoints
    folder.whole()
    # Records that are whole are kept, and what lies beside them is none of their business.
    whole = kept(folder.out)
    damage(folder.folder, change, draw, spared="runs")
    code, complaints = folder.ended(folder.start())
    assert (code, complaints) == (0, "")
    assert kept(folder.out) == whole
