"""What corruptions of the test images cost the arms, over their seeds."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.core.records import Record, Robustness
from comparisons.findings import intervals, race, text
from comparisons.findings.groups import Group
from comparisons.findings.view import View, mean, view

CLEAN = 0  # the severity of images as they are


def known(record: Record) -> Robustness | None:
    """What was noted of a run, if anything."""
    found = record.test.robustness if record.test else None
    return found if found and found.corrupted else None


def shown(seen: View) -> list[Group]:
    """The arms of the main size that met corrupted images, the most accurate first."""
    return [g for g in seen.best_first(seen.size) if any(map(known, g.ok))]


def corruptions(groups: Sequence[Group]) -> list[str]:
    """The corruptions that runs of these arms met, in the order of first sight."""
    noted = [found for g in groups for r in g.ok if (found := known(r))]
    return text.unique(one.corruption for found in noted for one in found.corrupted)


def corrupted(record: Record) -> float | None:
    """A run's accuracy on corrupted images: the mean over corruptions and severities."""
    found = known(record)
    return intervals.mean_of(one.accuracy for one in found.corrupted) if found else None


def cost(record: Record, corruption: str | None = None) -> float | None:
    """The accuracy that corruption takes from a run on the same images; that of one, or of all."""
    found = known(record)
    if found is None:
        return None
    left = intervals.mean_of(
        one.accuracy for one in found.corrupted if corruption in (None, one.corruption)
    )
    return None if left is None else found.clean - left


def course(group: Group, corruption: str | None = None) -> list[tuple[int, float]]:
    """An arm's accuracy by severity, CLEAN first, mean over seeds; by one corruption or by all."""
    noted = [found for r in group.ok if (found := known(r))]
    clean = intervals.mean_of(found.clean for found in noted)
    by_severity: dict[int, list[float]] = {}
    for found in noted:
        for one in found.corrupted:
            if corruption in (None, one.corruption):
                by_severity.setdefault(one.severity, []).append(one.accuracy)
    means = [(severity, sum(each) / len(each)) for severity, each in sorted(by_severity.items())]
    return [(CLEAN, clean), *means] if clean is not None else []


def images(groups: Sequence[Group]) -> int:
    """How many test images were corrupted: the smallest number, to be cautious."""
    return min((found.images for g in groups for r in g.ok if (found := known(r))), default=0)


def title(records: Sequence[Record]) -> str:
    """What corruption costs the headline's two arms, whether seeds tell them apart, and the worst.

    The costs are means over the seeds that both have.
    """
    seen = view(records)
    groups = shown(seen)
    if not groups:
        return "No arm met corrupted images"
    pair = race.rivals(groups)
    if pair is None:
        (alone,) = groups
        lost = text.points(mean(alone, cost), sign=False)
        return f"Corruption costs {seen.said(alone.label)} {lost} points; {_worst(groups)}"
    # Who loses more comes first.
    more, less = sorted(pair, key=lambda g: -(mean(g, cost) or 0.0))
    each = [text.points(mean(g, cost), sign=False) for g in (more, less)]
    said = (
        f"Corruption costs {seen.said(more.label)} {each[0]} points and "
        f"{seen.said(less.label)} {each[1]}"
    )
    s = intervals.paired(more.ok, less.ok, cost).summary
    if s.includes_zero:
        said += ", which these seeds do not tell apart"
    return f"{said}; {_worst((more, less))}"


def _worst(groups: Sequence[Group]) -> str:
    """Which corruption takes most from each of one or two arms."""
    names = [max(corruptions([g]), key=lambda name: _cost(g, name)) for g in groups]
    if len(names) == 1:
        return f"{names[0]} takes most"
    if names[0] == names[1]:
        return f"{names[0]} takes most from both"
    return f"{names[0]} takes most from the first, {names[1]} from the second"


def _cost(group: Group, corruption: str) -> float:
    return mean(group, lambda r: cost(r, corruption)) or 0.0
