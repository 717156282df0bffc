"""What was measured before, for advice: a point for each arm, data set and size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from comparisons.core.probe import Speed
from comparisons.core.records import Record
from comparisons.findings import intervals
from comparisons.findings.groups import group_runs

ACCELERATORS = ("gpu", "tpu")  # whose times are never mixed with those of processors
PACKAGED = Path(__file__).parent / "experience.json"


class Point(msgspec.Struct, frozen=True):
    """What an arm reached on a data set with so many training images, over its seeds.

    `family` is the data set that this one is a part of, or itself; `accuracy` the mean on test
    images, `seconds` of learning with an empty cache. `records` are the IDs of its runs.
    """

    arm: str
    data: str
    family: str
    classes: int
    images: int
    accuracy: float
    seconds: float
    seeds: int
    device: str
    records: tuple[str, ...] = ()


class Experience(msgspec.Struct, frozen=True):
    """Points, and how fast the machines were that made them, by their names."""

    points: tuple[Point, ...]
    speeds: dict[str, Speed] = {}

    def joined(self, points: Sequence[Point], speeds: dict[str, Speed]) -> Experience:
        """With other points, which take the place of those of the same arm, data and size."""
        new = {(p.arm, p.data, p.images) for p in points}
        kept = tuple(p for p in self.points if (p.arm, p.data, p.images) not in new)
        return Experience((*kept, *points), {**self.speeds, **speeds})


def packaged() -> Experience:
    """The points of the committed evidence, as they come with this package."""
    return msgspec.json.decode(PACKAGED.read_bytes(), type=Experience)


def points(records: Iterable[Record]) -> list[Point]:
    """A point for each arm, data set and size of runs that ended well by their own recipe.

    Of an arm that was run in several ways at a size, the one with most seeds; no variants of
    knobs, no runs on other devices than a processor, none that was shown live.
    """
    suited = [
        r
        for r in records
        if r.settings.knob is None
        and not r.settings.live
        and r.environment.device_kind not in ACCELERATORS
    ]
    by_key: dict[tuple[str, str, int], list[Point]] = defaultdict(list)
    for g in group_runs(suited):
        ended, first = g.ok, g.records[0]
        if not ended or first.status == "failed":
            continue
        by_key[g.arm, first.data.name, g.train_size].append(
            Point(
                arm=g.arm,
                data=first.data.name,
                family=first.data.name.partition(" (")[0],
                classes=len(first.data.classes),
                images=g.train_size,
                accuracy=intervals.mean_of(map(intervals.accuracy, ended)) or 0.0,
                seconds=intervals.mean_of(map(intervals.learning, ended)) or 0.0,
                seeds=len(ended),
                device=ended[0].environment.device,
                records=tuple(r.id for r in ended),
            )
        )
    return [max(some, key=lambda p: p.seeds) for _, some in sorted(by_key.items())]
