"""What advice scales recorded times by: how fast this machine multiplies and moves numbers."""

from __future__ import annotations

from comparisons.benchmarks.measure import Result, Side, result
from comparisons.core.probe import COPIED, MATRIX, probe

ROUNDS = 5
PRODUCT, COPY = "matrix product", "memory copy"


def run(rounds: int) -> Result:
    """The probe of comparisons.advise, several times."""
    found = [probe() for _ in range(rounds)]
    product, copied = 2 * MATRIX**3, 2 * COPIED
    sides = [
        Side(PRODUCT, [product / one.product for one in found], product, "FLOP"),
        Side(COPY, [copied / one.copy for one in found], copied, "byte"),
    ]
    return result("speed", "How fast does this machine multiply and move numbers?", sides, [])
