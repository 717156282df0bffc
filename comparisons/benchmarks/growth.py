"""How time and memory of a frozen base grow: with images, pixels, epochs and views."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result, within
from comparisons.benchmarks.training import command

ROUNDS = 1
TEST_IMAGES = 1000  # the same ones at every size


@dataclass(frozen=True)
class Case:
    """A run on `images`, a tenth of which are held out; memory `limit` in bytes, where one is."""

    images: int
    size: int = 160
    strategy: str = "frozen"
    epochs: int = 10
    limit: float | None = None

    @property
    def arm(self) -> str:
        """What is run."""
        return f"mobilenet@0.25x{self.size}:{self.strategy}"

    @property
    def name(self) -> str:
        """What tells the case from the others."""
        return f"{self.images:,} images, {self.size} px, {self.strategy}, {self.epochs} epochs"


BY_IMAGES = [Case(images) for images in (1_000, 5_000, 25_000, 50_000, 500_000)]
LARGE = Case(50_000, size=224, limit=3e9)
FEW, MANY = (Case(25_000, epochs=epochs) for epochs in (2, 20))
VIEWS = Case(25_000, strategy="frozen-views")
CASES = [*BY_IMAGES, LARGE, FEW, MANY, VIEWS]
# Which seconds are compared for one image, and which memory: the second's with the first's.
TIMES = [(case, BY_IMAGES[-1]) for case in BY_IMAGES[:-1]]
MEMORIES = [(FEW, MANY), (BY_IMAGES[2], VIEWS)]


def run(rounds: int) -> Result:
    """Whole runs, from reading the data to the test metrics, with an empty cache."""
    peaks: dict[Case, list[int]] = {case: [] for case in CASES}

    def seconds(case: Case) -> float:
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / f"repeated-{case.images}.npz"
            repeat(case.images, data)
            (record,), _ = command(
                *("--data", str(data), "--arms", case.arm, "--epochs", str(case.epochs)),
                variables={"COMPARISONS_CACHE": f"{folder}/cache"},
            )
        if record.peak_memory is None:
            raise RuntimeError("this system does not say how much memory a process held")
        peaks[case].append(record.peak_memory)
        return record.seconds.total

    taken = alternate({case.name: partial(seconds, case) for case in CASES}, rounds)
    sides = {}
    for case in CASES:
        side = sides[case] = Side(case.name, taken[case.name], case.images, "image")
        side.notes["peak memory"] = f"{max(peaks[case]) / 1e9:.2f} GB"
        if case.limit:
            side.notes[f"limit {case.limit / 1e9:.0f} GB"] = within(peaks[case], case.limit)
    for less, more in MEMORIES:
        times = max(peaks[more]) / max(peaks[less])
        sides[more].notes["of the memory of"] = f"{less.name}: {times:.2f} times"
    ratios = [ratio(sides[few], sides[many]) for few, many in TIMES]
    question = "Do time and memory of a frozen base grow with images, pixels, epochs and views?"
    return result("growth", question, [*sides.values()], ratios)


def repeat(images: int, path: Path) -> None:
    """Write an .npz file of CIFAR-10's training images, as often as it takes.

    It is tested on some of the same: here only time and memory count.
    """
    from comparisons.data import prepare

    data = prepare("cifar10", None)
    rows = np.arange(images) % len(data.y_train)
    some = slice(TEST_IMAGES)
    np.savez(
        path,
        x_train=data.x_train[rows],
        y_train=data.y_train[rows],
        x_test=data.x_train[some],
        y_test=data.y_train[some],
        classes=np.array(data.classes),
    )
