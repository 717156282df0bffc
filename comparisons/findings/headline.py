"""What a set of records says, in a few sentences: on a knob, or on arms."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.core.records import Record
from comparisons.findings import knobs as said_of_knobs
from comparisons.findings import verdict
from comparisons.findings.view import View, view


def headline(records: Sequence[Record]) -> list[str]:
    """Two sentences where the records turn one knob, else those on the arms; never empty."""
    seen = view(records)
    knob = said_of_knobs.knob_of(seen.records)
    return said_of_knobs.sentences(seen, knob) if knob else verdict.headline(records)


def too_few(seen: View) -> bool:
    """Whether it says that the test images are too few to tell: nothing else may tell it then."""
    return not said_of_knobs.knob_of(seen.records) and bool(verdict.too_few(seen))
