"""The clock of a run: like that of chess, it charges every second to exactly one part."""

from __future__ import annotations

import datetime
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from comparisons.core.bill import LEARNING, MEASURING, Seconds, summed


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock on the wall, and those of all processors together."""

    wall: float = 0.0
    processor: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.processor + other.processor)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.wall - other.wall, self.processor - other.processor)

    def __mul__(self, times: float) -> Cost:
        return Cost(self.wall * times, self.processor * times)


def now() -> Cost:
    """What both clocks show, from any beginning."""
    return Cost(time.perf_counter(), time.process_time())


def timestamp() -> str:
    """The date and time, UTC, to the second; two of them are in the order of their letters."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


PAUSED = "paused"  # waiting because somebody asked for it: on no bill
CHECKPOINT = "checkpoint"  # keeping where a run is, and coming back to it


@dataclass(frozen=True)
class Account:
    """What a clock shows, part by part: spent, and saved by a cache."""

    spent: dict[str, Cost]
    saved: dict[str, Cost]


class Clock:
    """What each part of a run has cost so far (comparisons.core.bill.Seconds names them).

    What no `charge` covers goes to `setup`. `save` says how much more a part costs where the
    cache is empty.
    """

    def __init__(self) -> None:
        self.saved: dict[str, Cost] = defaultdict(Cost)
        self._spent: dict[str, Cost] = defaultdict(Cost)
        self.before = Cost()  # spent by processes before this one
        self._part, self._since = "setup", now()

    @contextmanager
    def charge(self, part: str) -> Iterator[None]:
        """Charge what happens within to a part, and to no other."""
        before = self._part
        self._turn(part)
        try:
            yield
        finally:
            self._turn(before)

    def add(self, part: str, cost: Cost) -> None:
        """Charge to a part what was spent elsewhere."""
        self._spent[part] += cost

    def move(self, source: str, target: str, cost: Cost) -> None:
        """Charge to another part what was charged to one."""
        self._spent[source] -= cost
        self._spent[target] += cost

    def save(self, part: str, cost: Cost) -> None:
        """Note that a part costs so much more, or less, with an empty cache."""
        self.saved[part] += cost

    def spent(self, *parts: str) -> Cost:
        """What parts have cost so far, together."""
        self._turn(self._part)
        return sum((self._spent[part] for part in parts), Cost())

    def account(self) -> Account:
        """What it shows now."""
        self._turn(self._part)
        return Account(dict(self._spent), dict(self.saved))

    def go_on(self, account: Account) -> None:
        """Go on from what the clock of an earlier process showed.

        What this process has spent was spent there before: it goes to `checkpoint`, so that what
        is learnt once is charged once.
        """
        self._turn(self._part)
        again = sum(self._spent.values(), Cost())
        self._spent = defaultdict(Cost, account.spent)
        self.saved = defaultdict(Cost, account.saved)
        self.before = sum(self._spent.values(), Cost())
        self._spent[CHECKPOINT] += again

    def learning(self) -> Cost:
        """What learning has cost so far."""
        return self.spent(*LEARNING)

    def learning_cold(self) -> Cost:
        """The same with an empty cache."""
        return self.learning() + sum((self.saved[part] for part in LEARNING), Cost())

    def measuring(self) -> Cost:
        """What measuring has cost so far."""
        return self.spent(*MEASURING)

    def bill(self, engine: Cost = Cost()) -> tuple[Seconds, Seconds]:
        """Where the time went so far: seconds by the wall, and seconds of processors.

        `engine` is what preparing the engine costs, a part of `setup`.
        """
        self._turn(self._part)
        walls, processors = (
            summed(
                {part: getattr(cost, of) for part, cost in self._spent.items()},
                {part: getattr(cost, of) for part, cost in self.saved.items()},
                getattr(engine, of),
            )
            for of in ("wall", "processor")
        )
        return walls, processors

    def _turn(self, part: str) -> None:
        time_now = now()
        self._spent[self._part] += time_now - self._since
        self._part, self._since = part, time_now
