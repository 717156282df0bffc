"""What was measured before, for advice: a point for each arm, data set and size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from comparisons.core.probe import Speed
from comparisons.core.records import Record
from comparisons.findings import intervals
from comparisons.findings.groups import Group, group_runs

ACCELERATORS = ("gpu", "tpu")  # whose times are never mixed with those of processors
DRAWN = ("mnist", "shapes", "shapes-source")  # data sets that are no photographs
# Pixels a side of the images of data sets that are known by name.
SIDES = {"cifar10": 32, "cifar100": 32, "mnist": 28, "shapes": 32, "shapes-source": 32}
PACKAGED = Path(__file__).parent / "experience.json"


class Point(msgspec.Struct, frozen=True):
    """What an arm reached on a data set with so many training images, over its seeds.

    `family` is the data set that this one is a part of, or itself; `accuracy` the mean on test
    images, `seconds` of learning with an empty cache, `measuring` those of measuring. `seen` is
    how many images training showed, each epoch counted; `photographs` whether they are some.
    `records` are the IDs of its runs, which had `tested` test images between them (0: not known);
    `side` is how many pixels a side the images have (0: not known).
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
    measuring: float = 0.0
    seen: float = 0.0
    photographs: bool = True
    tested: int = 0
    side: int = 0


class Experience(msgspec.Struct, frozen=True):
    """Points, and how fast the machines were that made them, by their names."""

    points: tuple[Point, ...]
    speeds: dict[str, Speed] = {}


def joined(known: Iterable[Point], own: Sequence[Point]) -> list[Point]:
    """Both, a point of one's own in place of those of the same arm, data and size."""
    new = {(p.arm, p.data, p.images) for p in own}
    return [*(p for p in known if (p.arm, p.data, p.images) not in new), *own]


def ratios(points: Iterable[Point], speeds: Mapping[str, Speed], here: Speed) -> dict[str, float]:
    """How many times as long this machine takes as each that made a point, where that is known."""
    return {d: here.slower(speeds[d]) for d in {p.device for p in points} if d in speeds}


def scaled(points: Iterable[Point], times: Mapping[str, float]) -> list[Point]:
    """The points with the seconds that another machine takes: `times` as many, by who made them."""
    return [
        replace(p, seconds=p.seconds * t, measuring=p.measuring * t)
        for p in points
        for t in [times.get(p.device, 1.0)]
    ]


def packaged() -> Experience:
    """The points of the committed evidence, as they come with this package."""
    return msgspec.json.decode(PACKAGED.read_bytes(), type=Experience)


def family(data: str) -> str:
    """The data set that one is a part of, by its name in records, or itself."""
    return data.partition(" (")[0]


def photographs(data: str) -> bool:
    """Whether the images of a data set are taken to be photographs, by its name in records."""
    return family(data) not in DRAWN


def side(data: str) -> int:
    """Pixels a side of the images of a data set, by its name in records; 0 where nobody knows."""
    return SIDES.get(family(data), 0)


def on_processors(records: Iterable[Record]) -> list[Record]:
    """The runs that no GPU or TPU did."""
    return [r for r in records if r.environment.device_kind not in ACCELERATORS]


def points(records: Iterable[Record]) -> list[Point]:
    """A point for each arm, data set and size of runs that ended well.

    Of an arm that was run in several ways, or on several machines, the one with most seeds; no
    variants of knobs, none that was shown live or shared its machine. Whose runs are handed in
    together are to be of one kind of device.
    """
    # By ID: a run that lies in two folders is one run.
    suited = {
        r.id: r
        for r in records
        if r.settings.knob is None
        and not r.settings.live
        and not r.neighbours.runs
        and len(r.data.classes) > 1
    }
    by_key: dict[tuple[str, str, int], list[Point]] = defaultdict(list)
    for device in sorted({r.environment.device for r in suited.values()}):
        for g in group_runs([r for r in suited.values() if r.environment.device == device]):
            if g.ok:
                found = _point(g)
                by_key[found.arm, found.data, found.images].append(found)
    return [max(some, key=lambda p: p.seeds) for _, some in sorted(by_key.items())]


def _point(group: Group) -> Point:
    """What the runs of a group that ended well reached."""
    ended = group.ok
    # Not of the group's first run: one that failed may not have known its data.
    data = ended[0].data

    def mean(value: Callable[[Record], float | None]) -> float:
        return intervals.mean_of(map(value, ended)) or 0.0

    return Point(
        arm=group.arm,
        data=data.name,
        family=family(data.name),
        classes=len(data.classes),
        images=group.train_size,
        accuracy=mean(intervals.accuracy),
        seconds=mean(intervals.learning),
        seeds=len(ended),
        device=ended[0].environment.device,
        records=tuple(r.id for r in ended),
        measuring=mean(lambda r: r.seconds.measuring_cold),
        seen=mean(lambda r: r.images_seen),
        photographs=photographs(data.name) and not data.synthetic,
        tested=intervals.tested_in_all(ended),
        side=ended[0].settings.image_size or side(data.name),
    )
