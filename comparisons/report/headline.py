"""What a set of records says, in a few sentences: on a knob, or on arms."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.records import Record
from comparisons.report import findings, knobs
from comparisons.report.view import view


def headline(records: Sequence[Record]) -> list[str]:
    """Two sentences where the records turn one knob, else those on the arms; never empty."""
    seen = view(records)
    knob = knobs.knob_of(seen.records)
    return knobs.sentences(seen, knob) if knob else findings.headline(records)
