"""The model that one of the runs left beside its records, as the page tells of it."""

from __future__ import annotations

from pathlib import Path

from comparisons.core import card as cards
from comparisons.core.card import Card
from comparisons.core.errors import ComparisonError
from comparisons.findings.view import View


def model(folder: Path, seen: View) -> Card | None:
    """Its card; None without any that can be read, or of another comparison."""
    try:
        card = cards.read(folder / cards.FOLDER / cards.CARD)
    except ComparisonError:
        return None
    return card if card.record in {r.id for r in seen.records} else None
