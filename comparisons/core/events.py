"""What happens in a run, as those who watch it hear it.

A worker writes events as lines of JSON, the runner reads them back and hands them on.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from comparisons.core import records


class _Event(msgspec.Struct, tag_field="event", tag=str.lower):
    """One thing that happened."""


class Start(_Event):
    """The runner takes up a run."""

    arm: str


class Stage(_Event):
    """A step of a run begins; `text` says which, in a few words."""

    text: str


class Device(_Event):
    """What a run computes on: `count` devices of a `kind`."""

    kind: str
    name: str
    count: int


class Phase(_Event):
    """A phase of training begins."""

    name: str
    epochs: int


class Epoch(_Event):
    """An epoch has ended."""

    entry: records.Epoch


class Answers(_Event):
    """What the network in training says of the pictures on show: `chances` [n][classes]."""

    chances: list[list[float]]


class Looked(_Event):
    """What a kept network calls a picture, how certainly, what it saw of it and where it looked.

    Both are data URIs; `looked` is None where that cannot be told. So are the maps `found`, of what
    its first filters find there; none where it has no filters.
    """

    called: str
    certainty: float
    sure: bool
    seen: str
    looked: str | None
    found: list[str] = []


class Inside(_Event):
    """What is inside a kept network: its first filters, and how it orders held-out pictures.

    `filters`, and what they `found` in the first picture, are data URIs; `plane` are the pictures'
    places by what the head reads of them, [] of too few; `alike` is the share of those whose
    nearest other one is of the same class.
    """

    filters: list[str]
    found: list[str]
    plane: list[tuple[float, float]] = []
    alike: float = 0.0


class Continued(_Event):
    """A phase goes on where a checkpoint has it, after these epochs of all phases."""

    entries: list[records.Epoch]


class Note(_Event):
    """Something that whoever watches must know, in one line."""

    text: str


class Features(_Event):
    """Features of `done` of `total` images of a part of the data set are there."""

    part: str
    done: int
    total: int


class Record(_Event):
    """A run has ended, or was found `kept` from before."""

    record: records.Record
    kept: bool = False


class Error(_Event):
    """A task could not be done; `text` is one line, `exit_code` as in ComparisonError."""

    text: str
    exit_code: int = 1


class Done(_Event):
    """A task without a record has ended."""


class Lost(_Event):
    """Whoever did a run is gone; another will take it up, from its beginning."""


Step = Stage | Device | Phase | Epoch | Answers | Continued | Note | Features
Event = Start | Step | Record | Error | Done | Lost | Looked | Inside
# What a run tells of itself, and what hears it with its run's place in the plan.
Tell = Callable[[Event], None]
Listener = Callable[[int, Event], None]
