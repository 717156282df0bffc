"""How long until the command line answers, the package is imported, and a first step is done."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result, within

ROUNDS = 7
PROCESSES = {
    "python alone": ["-c", "pass"],
    "import comparisons": ["-c", "import comparisons"],
    "import comparisons.report": ["-c", "import comparisons.report"],
    "cifar --help": ["-m", "comparisons.cifar", "--help"],
    "cifar --list": ["-m", "comparisons.cifar", "--list"],
}
LIMITS = {"import comparisons": 0.2, "cifar --help": 0.5}  # seconds
STEPPING = ["cnn:scratch", "mobilenet@0.25x160:frozen"]
IMAGES = 20  # all of them in one step


def run(rounds: int) -> Result:
    """Whole processes, from start to end; those of one step end with its page."""

    with tempfile.TemporaryDirectory() as folder:
        variables = os.environ | {"COMPARISONS_CACHE": f"{folder}/cache"}
        few = write_few(Path(folder) / "few.npz")

        def process(arguments: list[str]) -> None:
            command = [sys.executable, *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=variables)

        # A single step leaves chance by luck alone; that the page then says so is no matter here.
        stepping = {
            f"one step of {arm}, start to page": [
                *("-m", "comparisons.cifar", "--data", str(few), "--arms", arm),
                *("--epochs", "1", "--fresh", "--out", f"{folder}/out"),
            ]
            for arm in STEPPING
        }
        timed: dict[str, Callable[[], None]] = {
            name: partial(process, arguments) for name, arguments in (PROCESSES | stepping).items()
        }
        for each in timed.values():
            each()  # a first time, so that files are in the system's cache
        taken = alternate(timed, rounds)
    sides = [Side(name, seconds) for name, seconds in taken.items()]
    for side in sides:
        if limit := LIMITS.get(side.name):
            side.notes[f"limit {limit} s"] = within(side.seconds, limit)
    alone, *answering = sides[: len(PROCESSES)]
    question = "How long until the command line answers, and until a first step is done?"
    return result("startup", question, sides, [ratio(side, alone) for side in answering])


def write_few(path: Path) -> Path:
    """Write an .npz file of a few images of noise: enough for one step and no more."""
    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (IMAGES, 32, 32, 3), np.uint8), np.arange(IMAGES) % 2
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return path
