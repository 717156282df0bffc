"""Checkpoints of long runs: where one was at the end of an epoch, so that it goes on after a kill.

A file is a digest and then an .npz without pickles: the variables of the network and its optimizer,
the weights that early stopping keeps, and as JSON whatever else has come of the run. Files of
Keras's own would leave out the states of its random layers, which are variables too. Nothing else
that is random has a state: order, views and augmentations are drawn from the seed and the epoch
(comparisons.core.streams).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from comparisons.core import events, records
from comparisons.core.bill import Costs, Neighbours
from comparisons.core.clock import Account, Cost, timestamp
from comparisons.core.errors import first_line
from comparisons.core.events import Tell
from comparisons.core.files import write_with
from comparisons.core.machine import ROOT, peak_memory, versions
from comparisons.core.neighbours import Watch
from comparisons.core.records import RangeTest
from comparisons.plan.runs import Run
from comparisons.training.device import Runtime
from comparisons.training.fitting import Fit

FORMAT = 1
STATE = "state"
# The code that decides what a run computes.
ROOMS = (
    "comparisons/core",
    "comparisons/data",
    "comparisons/plan",
    "comparisons/training",
    "models",
)
Arrays = Mapping[str, Sequence[np.ndarray]]  # by the name of what they belong to


class State(msgspec.Struct, kw_only=True):
    """Where a run was, arrays apart: after so many `epochs` of a `phase`.

    `key` is of what decides the run, `weights` of the file that its base was read from; the
    engine cost `prepared` over what stays frozen in the phase, `prepared_before` in those before.
    The rest are what the job, its clock and its checkpoint have under these names.
    """

    key: str
    weights: str | None
    phase: str
    epochs: int
    best_epoch: int | None
    best_loss: float | None
    result: Fit
    flops: int
    notices: list[str]
    engine: str | None
    prepared: Cost
    prepared_before: Cost
    kept_costs: Costs | None
    scaled: bool
    chosen_on: int
    range_test: RangeTest | None
    account: Account
    started: str
    neighbours: Neighbours
    peak_memory: int | None
    continued: int


def key(run: Run, runtime: Runtime) -> str:
    """A digest of what decides a run's bits and times: its ID, this code, versions, the device."""
    code = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            code.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    device = [runtime.backend, runtime.kind, runtime.name, runtime.count, runtime.precision]
    return records.digest([FORMAT, run.id, code.hexdigest(), versions(), device])


class Checkpoint:
    """The checkpoint of one run: found when its process begins, kept as it goes on.

    Nothing is found or kept without a `path`. `every` are the seconds after which, at the end of an
    epoch, it is kept again; `key` is asked for what decides the run, once one is found or kept.
    What is found but damaged, or of other code, is told and not used.
    """

    def __init__(
        self,
        path: Path | None = None,
        every: float = math.inf,
        key: Callable[[], str] = str,
        tell: Tell = lambda event: None,
    ) -> None:
        self.path = path
        self._key = key
        self.started = timestamp()
        self.continued = 0
        self.found: State | None = None
        self.arrays: Arrays = {}
        self._watch = Watch()
        self._earlier: State | None = None
        self._every, self._kept = every, time.monotonic()
        self._tell, self._failed = tell, False
        if path is not None:
            self._find(path)

    @cached_property
    def key(self) -> str:
        """What a checkpoint of this run must have in it."""
        return self._key()

    @property
    def due(self) -> bool:
        """Whether it is to be kept at the end of this epoch."""
        return self.path is not None and time.monotonic() - self._kept >= self._every

    def keep(self, state: State, arrays: Arrays) -> None:
        """Write it. Where that cannot be done it is told, once, and the run goes on."""
        assert self.path is not None
        try:
            write(self.path, state, arrays)
        except OSError as error:
            if not self._failed:
                self._tell(
                    events.Note(f"no checkpoint can be kept: {error.strerror or first_line(error)}")
                )
            self._failed = True
        self._kept = time.monotonic()

    def leave(self, why: str) -> None:
        """Do not use what was found, and say so."""
        assert self.path is not None
        self.found, self.arrays = None, {}
        self._tell(events.Note(f"checkpoint {self.path.name} {why}: its run begins anew"))

    def used(self) -> None:
        """The run has gone on from what was found."""
        assert self.found is not None
        self._earlier, self.found, self.arrays = self.found, None, {}
        self.started, self.continued = self._earlier.started, self._earlier.continued + 1

    def neighbours(self) -> Neighbours:
        """What others did meanwhile, at the busiest of the run's processes."""
        seen = self._watch.seen()
        return seen.joined(self._earlier.neighbours) if self._earlier else seen

    def peak_memory(self) -> int | None:
        """The most bytes that one of the run's processes held."""
        peaks = [peak_memory(), self._earlier.peak_memory if self._earlier else None]
        return max(filter(None, peaks), default=None)

    def _find(self, path: Path) -> None:
        try:
            self.found, self.arrays = read(path)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self.leave(f"is damaged ({first_line(error)})")
            return
        if self.found.key != self.key:
            self.leave("is of other code, versions or settings, or of another device")


def write(path: Path, state: State, arrays: Arrays) -> None:
    """Write a checkpoint atomically. Raises OSError."""
    named = {f"{name} {n}": one for name, group in arrays.items() for n, one in enumerate(group)}
    named[STATE] = np.frombuffer(msgspec.json.encode(state), np.uint8)

    def fill(file: IO[bytes]) -> None:
        # With the digest in front, as an archive's end is where its reader begins.
        file.write(bytes(hashlib.sha256().digest_size))
        np.savez(file, allow_pickle=False, **named)
        content = _digest(file)
        file.seek(0)
        file.write(content)

    write_with(path, fill)


def read(path: Path) -> tuple[State, Arrays]:
    """A checkpoint as it was written. Raises OSError, and ValueError for anything else."""
    with path.open("rb") as file:
        said = file.read(hashlib.sha256().digest_size)
        if said != _digest(file):
            raise ValueError("its digest is another")
        file.seek(len(said))
        with np.load(file, allow_pickle=False) as found:
            state = msgspec.json.decode(found[STATE].tobytes(), type=State)
            arrays: dict[str, list[np.ndarray]] = {}
            for name in found.files:
                group, _, number = name.partition(" ")
                if number:
                    arrays.setdefault(group, []).append(found[name])
    return state, arrays


def _digest(file: IO[bytes]) -> bytes:
    """SHA-256 of what follows a file's own digest."""
    file.seek(hashlib.sha256().digest_size)
    return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]
