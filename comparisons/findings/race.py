"""Who is faster: two arms on their way to the same validation accuracy, in seconds of learning.

The headline, the figure over time, the tables and the terminal all take their times from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comparisons.findings import intervals, text
from comparisons.findings.groups import Group
from comparisons.findings.view import View, from_scratch, incomparable, mean

# Where there is no level to race to, though the means of some runs may well meet.
NOWHERE = "no validation accuracy was reached by every run of both"
SAME_TIME = 0.05  # of too few seeds: times closer than this share of the longer are the same


@dataclass(frozen=True)
class Race:
    """When two arms reached the same validation accuracy, the first to do so first.

    `seconds` are means over seeds, cold; `paired` the differences second - first by seed.
    """

    level: float
    first: Group
    second: Group
    seconds: tuple[float, float]
    paired: intervals.Paired

    @property
    def close(self) -> bool:
        """Whether neither may be called the faster.

        With an interval: it includes zero. With too few seeds for one: the times are nearly equal.
        """
        unsure = self.paired.summary.includes_zero
        return self.near if unsure is None else unsure

    @property
    def near(self) -> bool:
        """Whether the two times are nearly equal."""
        return self.seconds[1] - self.seconds[0] <= SAME_TIME * self.seconds[1]

    @property
    def faster(self) -> Group | None:
        """The arm that reached it sooner; None where neither may be called so."""
        return None if self.close else self.first

    def of(self, group: Group) -> float:
        """The seconds of one of the two."""
        return self.seconds[0 if group is self.first else 1]


def rivals(groups: Sequence[Group]) -> tuple[Group, Group] | None:
    """The best arm and the best of the other kind (scratch or pretrained), else the runner-up.

    `groups` come the most accurate first.
    """
    if len(groups) < 2:
        return None
    best, *others = groups
    kind = from_scratch(best)
    return best, next((g for g in others if from_scratch(g) != kind), others[0])


def level(seen: View, size: int) -> float | None:
    """The accuracy that times are taken to at a size: the highest that both rivals reached.

    Of a single arm, the highest that all of its runs reached.
    """
    ended = seen.best_first(size)
    return intervals.common_level(rivals(ended) or ended)


def race(seen: View, size: int) -> Race | None:
    """The two rivals of a size on their way to the highest accuracy that both reached.

    None where they reached none, or their seconds are not compared.
    """
    pair, goal = rivals(seen.best_first(size)), level(seen, size)
    if pair is None or goal is None or incomparable(pair):
        return None

    def seconds(g: Group) -> float:
        return mean(g, lambda r: intervals.time_to_accuracy(r, goal)) or 0.0

    first, second = sorted(pair, key=lambda g: (seconds(g), g.label))
    return Race(
        goal,
        first,
        second,
        (seconds(first), seconds(second)),
        intervals.paired(second.ok, first.ok, lambda r: intervals.time_to_accuracy(r, goal)),
    )


def sooner(found: Race) -> str:
    """How much sooner the first was there, in a sentence, and how far to trust that."""
    s, goal = found.paired.summary, text.percent(found.level, 0)
    there = f"{goal} of the validation images"
    if found.close:
        span = ""
        if s.low is not None:
            span = f" ({s.method} of the difference {_span(s)})"
        return f"Which of the two gets {there} right sooner is not clear{span}."
    gain = text.seconds(found.seconds[1] - found.seconds[0])
    said = f"{found.first.name} gets {there} right {gain} of learning sooner"
    if s.low is not None:
        return f"{said}, {s.method} {_span(s)}."
    few = "no seed in common" if s.n == 0 else f"{text.plural(s.n, 'seed')}, no interval"
    return f"{said} ({few})."


def _span(s: intervals.Summary) -> str:
    low, high = (text.seconds(v).replace("-", "−") for v in (s.low, s.high))
    return f"{low} to {high}"
