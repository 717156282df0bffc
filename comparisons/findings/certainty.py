"""How far the arms' certainty can be trusted, over their seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from comparisons.core.card import Card
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


@dataclass(frozen=True)
class Selective:
    """An arm that keeps silent where it is not sure, means over its seeds.

    `risks` are the shares of wrong answers among the surest twentieth of the test images, two
    twentieths, and so on; at the threshold that validation chose it answers `answered` of them, of
    which `wrong` are wrong (None: it answers none).
    """

    group: Group
    risks: tuple[float, ...]
    answered: float | None
    wrong: float | None

    @property
    def coverages(self) -> list[float]:
        """The shares of images answered that `risks` are of."""
        return [(i + 1) / len(self.risks) for i in range(len(self.risks))]


def selective(seen: View) -> list[Selective]:
    """The arms of the main size of which it is known, the most accurate first."""
    return [one for g in shown(seen) if (one := _selective(g))]


def _selective(group: Group) -> Selective | None:
    noted = [one for one in known(group) if one.risks]
    if len({len(one.risks) for one in noted}) != 1:
        return None
    return Selective(
        group,
        tuple(math.fsum(each) / len(noted) for each in zip(*(n.risks for n in noted), strict=True)),
        intervals.mean_of(one.answered for one in noted),
        intervals.mean_of(one.answered_wrong for one in noted),
    )


def selective_title(records: Sequence[Record]) -> str:
    """Of the headline's two arms: how much each answers when it is sure, and how well."""
    seen = view(records)
    found = {one.group.label: one for one in selective(seen) if one.answered is not None}
    groups = [one.group for one in found.values()]
    chosen = race.rivals(groups) or groups[:1]
    if not chosen:
        return "No threshold of certainty was noted"
    return "; ".join(f"{seen.said(g.label)} {_answers(found[g.label])}" for g in chosen)


def _answers(one: Selective) -> str:
    if one.wrong is None:
        return "is never sure"
    share = text.percent(one.answered, 0)
    return f"is sure of {share} of the images, {text.percent(one.wrong)} of these wrongly"


def of_kept(card: Card, name: str) -> str:
    """Which model is kept, called `name`, and why this one, in sentences."""
    said = f"The model that is kept here is {name} ({card.chosen}; test images choose nothing)."
    if not card.sure.chosen_on:
        said += " It calls no answer sure: its validation images were too few to choose when."
    return said


def of_strangers(card: Card) -> str:
    """What the kept model says of pictures of no class, in sentences.

    Empty where it met none, or is never sure.
    """
    met = card.sure.strangers
    if met is None or not card.sure.chosen_on:
        return ""
    return (
        f"The model that is kept here was shown {text.count(met.images)} pictures of none of its "
        f"classes (drawn {met.name}): {text.percent(met.sure)} of them it calls one all the same, "
        f"and is sure. Of its own test pictures it is sure of {text.percent(card.sure.answered)}. "
        f"When it is sure was chosen by {text.plural(card.sure.chosen_on, 'validation image')}."
    )


def title(records: Sequence[Record]) -> str:
    """Of the headline's two arms: how much surer than right each is."""
    seen = view(records)
    groups = shown(seen)
    chosen = [g for g in race.rivals(groups) or groups[:1] if surplus(g) is not None]
    if not chosen:
        return "No certainty was noted"
    return "; ".join(f"{seen.said(g.label)} is {_sure(surplus(g) or 0.0)}" for g in chosen)


def _sure(more: float) -> str:
    if abs(more) < CLOSE:
        return "about as sure as it is right"
    how = "surer" if more > 0 else "less sure"
    return f"{text.points(abs(more), sign=False)} points {how} than it is right"
