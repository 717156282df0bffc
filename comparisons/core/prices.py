"""What an hour of computing costs and draws, as whoever reads a page says: in no record, no run."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

from comparisons.core.errors import ComparisonError

HOUR = 3600.0  # seconds
HIGHEST = 1e9


@dataclass(frozen=True)
class Prices:
    """Money for an hour, in any currency, and watts, each where it was named.

    Raises ComparisonError for one that is no positive number.
    """

    per_hour: float | None = None
    watts: float | None = None

    def __post_init__(self) -> None:
        for flag, value in (("--price-per-hour", self.per_hour), ("--watts", self.watts)):
            if value is not None and not 0 < value <= HIGHEST:
                raise ComparisonError(f"{flag} {value:g}: give a number above 0, to {HIGHEST:g}")

    def money(self, seconds: float) -> str:
        """What so many seconds cost; nothing without a price."""
        return "" if self.per_hour is None else _written(seconds / HOUR * self.per_hour)

    def energy(self, seconds: float) -> str:
        """Watts times seconds, in watt-hours; nothing without watts."""
        return "" if self.watts is None else f"{_written(seconds / HOUR * self.watts)}\u00a0Wh"


UNPRICED = Prices()


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Let a door take prices for its page; `asked` reads them."""
    parser.add_argument(
        "--price-per-hour", type=float, metavar="P", help="for the page: what an hour costs you"
    )
    parser.add_argument(
        "--watts", type=float, metavar="W", help="for the page: what your machine draws"
    )


def asked(options: argparse.Namespace) -> Prices:
    """The prices that were named. Raises ComparisonError."""
    return Prices(options.price_per_hour, options.watts)


def _written(value: float) -> str:
    """Two digits or more, at least two of them after the point: `12.30`, `0.018`."""
    digits = 1 - math.floor(math.log10(value)) if 0 < value < 1 else 2
    return f"{value:,.{max(digits, 2)}f}"
