"""What oneDNN brings, which TensorFlow leaves unused on many processors."""

from __future__ import annotations

import tempfile
from functools import partial

from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result
from comparisons.benchmarks.training import command

ROUNDS = 3
IMAGES, EPOCHS = 2000, 2
VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
# What is run, and which of its seconds are timed.
ARMS = {
    "tutorial-cnn:scratch": "train",
    "cnn:scratch": "train",
    "mobilenet@0.25x96:frozen": "extract_train_cold",
}


def run(rounds: int) -> Result:
    """Training, and features by a TensorFlow graph; each run is a process with an empty cache."""
    sides, ratios = [], []
    for arm, field in ARMS.items():
        timed = {
            f"{arm} without": partial(seconds, arm, field, "0"),
            f"{arm} with oneDNN": partial(seconds, arm, field, "1"),
        }
        without, used = (Side(name, each) for name, each in alternate(timed, rounds).items())
        sides += [without, used]
        ratios.append(ratio(without, used))
    question = "What does oneDNN bring, which TensorFlow uses unasked on some processors only?"
    return result("onednn", question, sides, ratios)


def seconds(arm: str, field: str, used: str) -> float:
    """The timed seconds of a run of an arm, with oneDNN `used` ("1") or not ("0")."""
    flags = ["--data", "cifar10", "--arms", arm, "--engine", "tensorflow"]
    flags += ["--epochs", str(EPOCHS), "--train-size", str(IMAGES)]
    with tempfile.TemporaryDirectory() as cache:
        (record,), _ = command(*flags, variables={VARIABLE: used, "COMPARISONS_CACHE": cache})
    return float(getattr(record.seconds, field))
