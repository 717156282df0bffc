"""How far the arms' certainty can be trusted, over their seeds."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.core.records import Bin, Calibration, Record
from comparisons.findings import intervals, race, text
from comparisons.findings.groups import Group
from comparisons.findings.view import View, view

FEW = 10  # images in a bin: fewer tell nothing
CLOSE = 0.02  # certainty and accuracy this close are as good as the same


def known(group: Group) -> list[Calibration]:
    """What was noted of a group's runs that ended well."""
    return [r.test.calibration for r in group.ok if r.test and r.test.calibration]


def shown(seen: View) -> list[Group]:
    """The arms of the main size whose certainty is known, the most accurate first."""
    return [g for g in seen.best_first(seen.size) if known(g)]


def pooled(several: Sequence[Sequence[Bin]]) -> list[Bin]:
    """The bins of several runs as those of one; without those of a few images."""
    found = []
    for bins in zip(*several, strict=False):
        images = sum(b.images for b in bins)
        if images >= FEW * len(bins):
            certainty, accuracy = (
                sum(b.images * getattr(b, what) for b in bins) / images
                for what in ("certainty", "accuracy")
            )
            found.append(Bin(images, certainty, accuracy))
    return found


def surplus(group: Group) -> float | None:
    """By how much an arm is surer than it is right, over all test images; None where unknown."""
    bins = [b for one in known(group) for b in one.bins]
    images = sum(b.images for b in bins)
    if not images:
        return None
    return sum(b.images * (b.certainty - b.accuracy) for b in bins) / images


def errors(group: Group) -> tuple[float | None, float | None]:
    """The expected calibration error before and after scaling, mean over seeds."""
    noted = known(group)
    return (
        intervals.mean_of(one.error for one in noted),
        intervals.mean_of(one.error_scaled for one in noted),
    )


def title(records: Sequence[Record]) -> str:
    """Of the headline's two arms: how much surer than right each is."""
    seen = view(records)
    groups = shown(seen)
    chosen = [g for g in race.rivals(groups) or groups[:1] if surplus(g) is not None]
    if not chosen:
        return "No certainty was noted"
    return "; ".join(f"{seen.name(g.label)} is {_sure(surplus(g) or 0.0)}" for g in chosen)


def _sure(more: float) -> str:
    if abs(more) < CLOSE:
        return "about as sure as it is right"
    how = "surer" if more > 0 else "less sure"
    return f"{text.points(abs(more), sign=False)} points {how} than it is right"
