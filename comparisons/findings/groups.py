"""Runs that differ in nothing but the seed, together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from comparisons.core.records import Record, decides, digest, full_name
from comparisons.findings.names import arm_name

MOST_WORDS, MOST_LETTERS = 3, 40  # of the differing settings that go into a label
AT_CHANCE = "no better than chance yet"
# What the error of such a run says, in older records too.
SAID_OF_CHANCE = (AT_CHANCE, "never left chance")


@dataclass(frozen=True)
class Group:
    """The runs of one arm at one size under the same settings on the same data.

    `label` is the arm's name, followed by the variant of a knob that it stands for, and by the
    settings that differ where the same was run under several at the same size.
    """

    arm: str
    train_size: int
    label: str
    data: str
    settings: str
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """What people call it; `label` is what tells it from all others."""
        return arm_name(self.label)

    @property
    def ok(self) -> tuple[Record, ...]:
        """The runs that ended well: only they enter means."""
        return tuple(r for r in self.records if r.status == "ok" and r.test is not None)

    @property
    def aside(self) -> tuple[Record, ...]:
        """The runs that were tested and yet did not end well, where none did: in no mean."""
        return () if self.ok else tuple(r for r in self.records if r.test is not None)

    def counts(self) -> dict[str, int]:
        """How many runs ended `ok`, `diverged` and `failed`."""
        found = Counter(r.status for r in self.records)
        return {status: found[status] for status in ("ok", "diverged", "failed")}


def ending(record: Record) -> str:
    """How a run ended, in words: its status, or that it is no better than chance yet."""
    if record.status == "diverged" and any(s in (record.error or "") for s in SAID_OF_CHANCE):
        return AT_CHANCE
    return record.status


def mishaps(records: Iterable[Record]) -> list[tuple[int, str]]:
    """How many runs did not end well, for each way to do so, the mildest first."""
    found = Counter(map(ending, records))
    return [(found[how], how) for how in (AT_CHANCE, "diverged", "failed") if found[how]]


def group_runs(records: Iterable[Record]) -> list[Group]:
    """Runs that differ in nothing but the seed, together: by data, size, then arm.

    The order of the records does not matter. Within a group they are sorted by seed.
    """
    found: dict[tuple[str, int, str, str], list[Record]] = defaultdict(list)
    for r in records:
        found[(data_key(r), r.train_size, r.arm, digest(decides(r.settings, r.phases)))].append(r)
    labels = _labels(found)
    return [
        Group(arm, size, labels[key], data, settings, tuple(sorted(runs, key=_by_seed)))
        for key, runs in sorted(found.items())
        for data, size, arm, settings in [key]
    ]


def data_key(record: Record) -> str:
    """What tells one data set from another: its name and fingerprint."""
    return f"{record.data.name} {record.data.fingerprint}"


def main_data(records: Sequence[Record]) -> list[Record]:
    """The records on the data set most of them used: figures never mix two data sets."""
    if not records:
        return []
    counts = Counter(map(data_key, records))
    chosen = max(counts, key=lambda key: (counts[key], key))
    return [r for r in records if data_key(r) == chosen]


def _by_seed(record: Record) -> tuple[int, str, str]:
    return record.seed, record.started, record.id


def _labels(
    found: dict[tuple[str, int, str, str], list[Record]],
) -> dict[tuple[str, int, str, str], str]:
    """The arm's name with its variant, and what tells it from the same ones at the same size."""
    rivals: dict[tuple[str, int, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for (data, size, arm, settings), runs in found.items():
        name = full_name(arm, runs[0].settings.variant)
        flat = dict(_leaves(decides(runs[0].settings, runs[0].phases)))
        rivals[data, size, name][settings] = flat
    labels = {}
    for key, runs in found.items():
        (data, size, arm, settings), variant = key, runs[0].settings.variant
        more = _difference(settings, rivals[data, size, full_name(arm, variant)])
        labels[key] = full_name(arm, variant, more)
    return labels


def _difference(settings: str, several: dict[str, dict[str, Any]]) -> str:
    """What tells one of several settings from the others, as `epochs 4`; empty for only one.

    `several` has the flat settings by their digest. Where words do not tell them apart, the
    digest does.
    """
    if len(several) == 1:
        return ""
    paths = dict.fromkeys(path for one in several.values() for path in one)
    differing = [p for p in paths if len({digest(one.get(p)) for one in several.values()}) > 1]

    def words(one: dict[str, Any]) -> str:
        return ", ".join(f"{p.rpartition('.')[2]} {one.get(p)}" for p in differing[:MOST_WORDS])

    said = words(several[settings])
    if len(said) > MOST_LETTERS or [words(one) for one in several.values()].count(said) > 1:
        said = f"settings {settings}"
    return said


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested settings with their paths: `phases.0.epochs`."""
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in items:
            yield from _leaves(inner, f"{path}.{name}")
    else:
        yield path, value
