"""Runs of the main job in processes of their own, for benchmarks to time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from comparisons.records import Record, load_all


def trained(
    arm: str, epochs: int, images: int | None = None, variables: dict[str, str] | None = None
) -> Record:
    """The record of one arm on CIFAR-10, run afresh; on all images where `images` is None."""
    with tempfile.TemporaryDirectory() as folder:
        size = ["--train-size", str(images)] if images else []
        flags = ["--data", "cifar10", "--arms", arm, "--epochs", str(epochs), *size]
        subprocess.run(
            [sys.executable, "-m", "comparisons.cifar", *flags, "--out", folder],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | (variables or {}),
        )
        records, _ = load_all(Path(folder))
    (record,) = records
    if record.status != "ok":
        raise RuntimeError(f"{arm} ended {record.status}: {record.error}")
    return record
