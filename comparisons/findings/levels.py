"""Time to accuracy: what it took each arm to get to one level after another."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from comparisons.findings import intervals
from comparisons.findings.groups import Group
from comparisons.findings.view import View

STEP, MOST = 5, 6  # points of accuracy between two levels, and how many of these are told


class Reached(msgspec.Struct, frozen=True):
    """What it took an arm until so many of the validation images were right, by its runs' means.

    Seconds of learning with an empty cache and with features at hand, the training images that
    were shown, each epoch counted, and FLOP of learning, None where a record did not count them.
    """

    label: str
    train_size: int
    level: float
    seconds_cold: float
    seconds_warm: float
    images: float
    flops: float | None


def levels(seen: View, sizes: Iterable[int]) -> list[Reached]:
    """At each of some sizes for each arm the highest levels that anyone reached there.

    As far as all runs of the arm did. Levels are multiples of five points, and more than chance;
    there are none where one validation image is more than what lies between two.
    """
    found = []
    for size in sizes:
        groups = [g for g in seen.best_first(size) if _tells(g)]
        for level in _levels(groups):
            found += [one for g in groups if (one := _reached(g, level))]
    return found


def _tells(g: Group) -> bool:
    return all((r.data.sizes.validation or 0) * STEP >= 100 for r in g.ok)


def _levels(groups: list[Group]) -> list[float]:
    bests = [b for g in groups for r in g.ok if (b := intervals.best_validation(r)) is not None]
    if not bests:
        return []
    chance = 1 / max(len(groups[0].ok[0].data.classes), 1)
    # 1e-9: 0.55 * 100 is 55.00000000000001 in binary, and 0.29 * 100 is less than 29.
    highest = math.floor((max(bests) + 1e-9) * 100 / STEP)
    some = (n * STEP / 100 for n in range(max(highest - MOST + 1, 1), highest + 1))
    return [level for level in some if level > chance]


def _reached(g: Group, level: float) -> Reached | None:
    """None where not all of its runs that ended well got there."""
    places = [(r, at) for r in g.ok if (at := intervals.first_at(r, level)) is not None]
    if len(places) < len(g.ok):
        return None
    cold, warm, images = (
        intervals.mean_of(values) or 0.0
        for values in (
            (intervals.clock(r)[at] for r, at in places),
            (intervals.clock(r, cold=False)[at] for r, at in places),
            (sum(e.images_seen for e in r.history[: at + 1]) for r, at in places),
        )
    )
    flops = [r.history[at].flops for r, at in places]
    work = intervals.mean_of(flops) if all(flops) else None
    return Reached(g.label, g.train_size, level, cold, warm, images, work)
