"""What a worker can be given to do."""

from __future__ import annotations

import msgspec

from comparisons.plan.runs import Run


class _Task(msgspec.Struct, tag_field="task", tag=str.lower):
    """One thing to do."""


class Prepare(_Task):
    """Decode or fetch a data set into the cache."""

    name: str
    data_dir: str | None = None
    image_size: int | None = None


class Fetch(_Task):
    """Download the published weights of an arm's base."""

    written: str


class Rehearse(_Task):
    """Find the device and build the networks of arms, to see whether they can be."""

    device: str
    written: list[str]
    image_shape: tuple[int, int, int]
    classes: int


class Train(_Task):
    """Do one run; the test logits go into the file `predictions`, if one is named.

    Where it is goes into the file `checkpoint`, at the end of an epoch, `every` so many seconds; it
    begins where that file has it.
    """

    run: Run
    predictions: str | None = None
    checkpoint: str | None = None
    every: float = 0.0


class Export(_Task):
    """Export the model in a folder; its run says which test pictures it has to answer."""

    run: Run
    folder: str
    formats: list[str]


class Look(_Task):
    """Keep under `out` where the model in a folder looked in some test images of its run."""

    run: Run
    folder: str
    rows: list[int]
    out: str


class Answer(_Task):
    """Say what kept networks see in pictures, for as long as they are asked.

    `networks` are the files of their cards; `pictures` that of held-out images and their labels.
    """

    networks: list[str]
    pictures: str


Task = Prepare | Fetch | Rehearse | Train | Export | Look | Answer
