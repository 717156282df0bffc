"""Advice asked for: what is known of the data, what was measured, how fast this machine is."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from comparisons.core.console import plain_console
from comparisons.core.errors import ComparisonError
from comparisons.core.probe import probe
from comparisons.core.records import data_name
from comparisons.data import DATASETS, catalog
from comparisons.findings import advice, experience, text
from comparisons.findings.advice import Advice, Expected, Task
from comparisons.findings.names import arm_name
from comparisons.running import measured, supplies
from comparisons.running.measured import Measured

WIDTH = 100


@dataclass(frozen=True)
class KnownData:
    """What advice needs of a data set: its name in records, images to train on, classes.

    And whether they are photographs, and how many pixels a side they have (0: not known).
    """

    data: str
    images: int
    classes: int
    photographs: bool
    side: int


def known(name: str, data_dir: Path | None) -> KnownData:
    """What is known of a data set without decoding it. Raises ComparisonError."""
    about = catalog.describe(name, data_dir)
    classes = len(about.classes) if about else DATASETS[name].classes
    named, most = data_name(name), supplies.described(name, data_dir).most
    side = supplies.image_size(name) or (about.image_shape[0] if about else 0)
    side = side or experience.side(named)
    return KnownData(named, most, classes, experience.photographs(named), side)


def advise(
    images: int,
    classes: int,
    minutes: float | None,
    data: str | None,
    photographs: bool,
    side: int,
    folders: Sequence[Path],
    as_json: bool,
) -> None:
    """Print advice on a task. Raises ComparisonError where nothing was measured."""
    seconds = math.inf if minutes is None else 60 * minutes
    task = Task(images, classes, seconds, data, photographs, side)
    own, left_out = measured.own(folders)
    known = measured.here(own, probe())
    for line in left_out:
        print(f"left out: {line}", file=sys.stderr)
    found = advice.advise(task, known.points)
    if found is None:
        raise ComparisonError("there is no evidence to advise by: run a comparison first")
    if as_json:
        content = msgspec.json.format(msgspec.json.encode(found), indent=1)
        print(content.decode())
        return
    _print(found, task, known, plain_console())


def _print(found: Advice, task: Task, known: Measured, console: Console) -> None:
    width = min(WIDTH, console.width)

    def say(line: str, style: str = "") -> None:
        console.print(Text(line, style=style), width=width)

    what = "images" if task.photographs else "drawn images"
    given = "" if math.isinf(task.seconds) else f" within {text.seconds(task.seconds)} of learning"
    say(
        f"With {text.count(task.images)} training {what} of {text.count(task.classes)} classes"
        f"{given}: {arm_name(found.arm)} ({found.arm}).", "bold",
    )  # fmt: skip
    say(_expectation("Expected", Expected(found.arm, found.accuracy, found.seconds)))
    if found.runner_up:
        name = f"Next: {arm_name(found.runner_up.arm)} ({found.runner_up.arm}),"
        say(_expectation(name, found.runner_up))
    for line in found.notes:
        say(line, "yellow")
    nearest = [
        f"{e.data} with {text.count(e.images)} images ({text.plural(len(e.records), 'run')}, "
        f"{text.decimal(e.distance, 1)} away)"
        for e in found.evidence
    ]
    say(f"By what was measured on {text.listing(nearest)}; 1 away is near.")
    for line in known.said:
        say(line)
    for line in found.would_change:
        say(line)


def _expectation(first: str, found: Expected) -> str:
    a = found.accuracy
    return (
        f"{first} {text.percent(a.mean, 0)} on test images (95 % interval for one more task "
        f"{text.percent(a.low, 0)} to {text.percent(a.high, 0)}) after "
        f"{text.seconds(found.seconds.learning)} of learning, with an empty cache."
    )
