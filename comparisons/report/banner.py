"""What a reader must know before believing a number."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.core.neighbours import CONTENDED
from comparisons.core.records import Record
from comparisons.findings import text
from comparisons.findings.view import View, busy_before


def warnings(seen: View) -> list[str]:
    """Sentences of warning on the records of a view; each said once, none where all is well."""
    records = seen.records
    lines = _notices(records)
    for d in (r.data for r in records):
        if d.synthetic:
            lines.append(
                f"Synthetic data: the images of {d.name} were drawn by a program. These numbers "
                "show how the arms compare on them, not on photographs."
            )
        if not d.complete:
            lines.append(f"Not the whole data set: only a part of {d.name} was at hand.")
        lines.append(d.note)
    if any(r.settings.live for r in records):
        lines.append(
            "Shown live: runs that people watched, and could pause, are a demonstration. Run the "
            "same by comparisons.cifar before you quote a number."
        )
    for g in seen.groups:
        if len({r.environment.device for r in g.ok}) > 1:
            lines.append(f"The times of {g.name} are means over different devices.")
    return text.unique([*lines, *on_times(records), *_costs_from_before(records)])


def on_times(records: Sequence[Record]) -> list[str]:
    """What makes the times of some runs say less."""
    return [*contended(records), *_continued(records)]


def contended(records: Sequence[Record]) -> list[str]:
    """Whether other runs shared the machine or others kept it busy, so that times say less."""
    beside = [r.neighbours.runs for r in records if r.neighbours.runs]
    alone = [r for r in records if not r.neighbours.runs]
    shares = [share for r in alone if (share := r.neighbours.share) > CONTENDED]

    def some(runs: Sequence[float]) -> str:
        return text.part(len(runs), len(records), "run")

    lines = []
    if beside:
        lines.append(
            f"{some(beside).capitalize()} shared a machine with up to "
            f"{text.plural(max(beside), 'other')}: such times are longer than alone, and are never "
            "compared with those of runs that had theirs alone."
        )
    if shares:
        lines.append(
            f"Times are contended: in {some(shares)} others used up to "
            f"{text.percent(max(shares), 0)} of the processors. Run it again with --fresh on a "
            "quiet machine before you compare seconds."
        )
    before = [share for r in alone if (share := busy_before(r)) > CONTENDED]
    if before:
        lines.append(
            f"Cold times of {some(before)} hold a cost that was kept from a busy moment, "
            f"when others used up to {text.percent(max(before), 0)} of the processors; --fresh "
            "measures it again."
        )
    return lines


def _continued(records: Sequence[Record]) -> list[str]:
    """Whether runs were cut off and went on from a checkpoint."""
    count = sum(r.continued > 0 for r in records)
    if not count:
        return []
    return [
        f"Times are put together: {text.part(count, len(records), 'run')} went on from a "
        "checkpoint in another process. Each second of learning is counted once, but not all were "
        "measured in one go: do not compare seconds closely."
    ]


def _costs_from_before(records: Sequence[Record]) -> list[str]:
    """Whether what features or a base cost was measured before these runs, and when."""
    first = min((r.started for r in records if r.started), default="")
    dates = [r.kept_costs.measured for r in records if r.kept_costs]
    older = sorted({date[:10] for date in dates if date < first})
    if not older:
        return []
    return [
        "What features cost (cold) was not measured in this session but on "
        f"{text.listing(older)}; --fresh measures it again."
    ]


def _notices(records: Sequence[Record]) -> list[str]:
    """The runs' own notices, with the arms they concern where that is not all of them."""
    concerned: dict[str, set[str]] = {}
    for r in records:
        for notice in r.notices:
            concerned.setdefault(notice, set()).add(r.arm)
    everyone = {r.arm for r in records}
    return [
        notice if arms == everyone else f"{', '.join(sorted(arms))}: {notice}"
        for notice, arms in concerned.items()
    ]
