"""What a page's own records advise for their data: at the sizes measured, within some minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from comparisons.core.records import Record
from comparisons.findings import advice
from comparisons.findings.advice import Advice, Task
from comparisons.findings.experience import Point, points
from comparisons.findings.view import View, some_of

MINUTES = (1, 5, 30)  # of learning
MOST_SIZES = 4


@dataclass(frozen=True)
class Choice:
    """Advice for so many images, the same within each of these minutes.

    `label` is that of the advised arm; `changes` says what would change it.
    """

    size: int
    minutes: tuple[int, ...]
    label: str
    advice: Advice
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Choices:
    """All that a page advises, and the machines that its seconds are of."""

    rows: list[Choice]
    devices: list[str]


def choices(seen: View) -> Choices | None:
    """What comparisons.advise would say of this data by these records alone; None of one arm.

    Devices are never mixed: of several kinds, the one that did most runs.
    """
    runs = _of_one_kind(seen.records)
    measured = points(runs)
    if len({p.arm for p in measured}) < 2:
        return None
    labels = {r.id: g.label for g in seen.groups for r in g.records}
    sizes = some_of(sorted({p.images for p in measured}), MOST_SIZES)
    rows = [row for size in sizes for row in _at(size, measured, labels)]
    return Choices(rows, sorted({p.device for p in measured}))


def _at(size: int, measured: Sequence[Point], labels: dict[str, str]) -> list[Choice]:
    """The advice at one size, minutes with the same answer together."""
    first = measured[0]
    tasks = {m: Task(size, first.classes, 60.0 * m, first.data, side=first.side) for m in MINUTES}
    said: list[tuple[int, Advice]] = []
    for minutes, task in tasks.items():
        found = advice.advise(task, measured)
        assert found is not None  # there are points
        said.append((minutes, found))
    rows = []
    for _, same in groupby(said, key=lambda one: (one[1].arm, one[1].notes)):
        together = list(same)
        found = together[0][1]
        within = tuple(minutes for minutes, _ in together)
        changes = advice.changes([tasks[minutes] for minutes in within], measured, found.arm)
        label = labels[found.evidence[0].records[0]]
        rows.append(Choice(size, within, label, found, tuple(changes)))
    return rows


def _of_one_kind(records: Sequence[Record]) -> list[Record]:
    """The runs of the kind of device that did most of them."""
    if not records:
        return []
    ((kind, _),) = Counter(r.environment.device_kind for r in records).most_common(1)
    return [r for r in records if r.environment.device_kind == kind]
