"""How long until the command line answers, the package is imported, and a first step is done."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.measure import Result, Side, alternate, ratio, result
from benchmarks.training import command

ROUNDS = 7
PROCESSES = {
    "python alone": ["-c", "pass"],
    "import comparisons": ["-c", "import comparisons"],
    "import comparisons.report": ["-c", "import comparisons.report"],
    "cifar --help": ["-m", "comparisons.cifar", "--help"],
    "cifar --list": ["-m", "comparisons.cifar", "--list"],
}
STEPPING = ["cnn:scratch", "mobilenet@0.25x160:frozen"]
IMAGES = 20  # all of them in one step


def run(rounds: int) -> Result:
    """Whole processes, from start to end; those of one step end with its page."""

    def process(arguments: list[str]) -> None:
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as folder:

        def step(arm: str) -> float:
            _, seconds = command(
                *("--data", str(few), "--arms", arm, "--epochs", "1"),
                variables={"COMPARISONS_CACHE": f"{folder}/cache"},
            )
            return seconds

        few = write_few(Path(folder) / "few.npz")
        timed: dict[str, Callable[[], float | None]] = {
            **{name: partial(process, arguments) for name, arguments in PROCESSES.items()},
            **{f"one step of {arm}, start to page": partial(step, arm) for arm in STEPPING},
        }
        for each in timed.values():
            each()  # a first time, so that files are in the system's cache
        taken = alternate(timed, rounds)
    sides = [Side(name, seconds) for name, seconds in taken.items()]
    alone, *others = sides
    question = "How long until the command line answers, and until a first step is done?"
    return result("startup", question, sides, [ratio(side, alone) for side in others])


def write_few(path: Path) -> Path:
    """Write an .npz file of a few images of noise: enough for one step and no more."""
    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (IMAGES, 32, 32, 3), np.uint8), np.arange(IMAGES) % 2
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return path
