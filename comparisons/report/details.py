"""What few readers want and some need: each arm's settings, and where the runs computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from comparisons.core.records import Record, Weights
from comparisons.findings import text
from comparisons.findings.groups import Group, group_runs


@dataclass(frozen=True)
class Fact:
    """Something with all the values that it has in the records."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ArmSettings:
    """An arm's settings, and its phases as a table."""

    label: str
    weights: Weights | None
    settings: tuple[Fact, ...]
    columns: tuple[str, ...]
    phases: tuple[tuple[str, ...], ...]


def settings_of_arms(records: Sequence[Record]) -> list[ArmSettings]:
    """Those of each arm, by its largest size."""
    return [_settings(g) for g in {g.label: g for g in group_runs(records)}.values()]


def surroundings(records: Sequence[Record]) -> list[Fact]:
    """Each fact of the environment with all its values, in the order of first sight."""
    facts: dict[str, list[str]] = {}
    for r in records:
        for name, value in msgspec.to_builtins(r.environment).items():
            known = facts.setdefault(name.replace("_", " "), [])
            if (phrase := text.flat(value)) not in known:
                known.append(phrase)
    return [Fact(name, tuple(values)) for name, values in facts.items()]


def _settings(g: Group) -> ArmSettings:
    first = g.records[0]
    phases = [msgspec.to_builtins(phase) for phase in first.phases]
    columns = text.unique(["name", "trainable", *(key for phase in phases for key in phase)])
    return ArmSettings(
        label=g.label,
        weights=next((r.weights for r in g.records if r.weights), None),
        settings=tuple(
            Fact(name.replace("_", " "), (text.flat(value),))
            for name, value in msgspec.to_builtins(first.settings).items()
        ),
        columns=tuple(name.replace("_", " ") for name in columns),
        phases=tuple(tuple(text.flat(phase.get(c)) for c in columns) for phase in phases),
    )
