"""Why the arms ended where they did: what the headline's two arms did differently, in sentences.

Every sentence is worked out from the records, whichever way they went.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from comparisons.core.records import Epoch, Record
from comparisons.findings import disputes, intervals, race, text
from comparisons.findings import knobs as said_of_knobs
from comparisons.findings.groups import Group
from comparisons.findings.view import View, from_scratch, mean

LEVEL = 0.005  # two accuracies closer than this are called the same


@dataclass(frozen=True)
class Reason:
    """A sentence, and in a word or two what it is about."""

    about: str
    says: str


@dataclass(frozen=True)
class Side:
    """One of the two arms, and what it is called where both are named."""

    name: str
    runs: Group

    def mean(self, value: Callable[[Record], float | None]) -> float | None:
        """The mean of a number over the seeds that ended well."""
        return mean(self.runs, value)


def reasons(seen: View) -> list[Reason]:
    """What tells the headline's two arms apart; of a knob, what is special to it."""
    if knob := said_of_knobs.knob_of(seen.records):
        return [Reason("In these runs", said_of_knobs.special(seen, knob))]
    ended = seen.best_first(seen.size)
    pair = race.rivals(ended)
    sides = [Side(g.name, g) for g in pair or ended[:1]]
    found: list[Reason | None] = []
    if pair:
        if from_scratch(pair[0]):
            sides.reverse()
        found = [_start(*sides), _race(seen), _by_heart(*sides), _who(seen), _trains(*sides)]
    return [reason for reason in (*found, *map(_paid, sides)) if reason]


def _start(a: Side, b: Side) -> Reason | None:
    """Where the two stand after one epoch, and what is left of it at the end."""
    x, y = (_validation(side, lambda r: r.history[0]) for side in (a, b))
    p, q = (_validation(side, lambda r: r.history[-1]) for side in (a, b))
    if x is None or y is None or p is None or q is None:
        return None
    says = (
        f"After one epoch {a.name} has {text.percent(x)} of the validation images right, "
        f"{b.name} {text.percent(y)}"
    )
    brings = from_scratch(b.runs) and not from_scratch(a.runs)
    if x - y > LEVEL:
        says += f": {'the base brings ' if brings else ''}a head start of {_points(x - y)}"
    elif brings:
        says += ": the base brings no head start"
    if abs(p - q) <= LEVEL:
        return Reason("The start", f"{says}. At the end they are level on these.")
    leader = a if p > q else b
    turned = "" if (x > y) == (p > q) else "now "
    ahead = f"{leader.name} is {turned}ahead on these by {_points(abs(p - q))}"
    return Reason("The start", f"{says}. At the end {ahead}.")


def _race(seen: View) -> Reason | None:
    """When each was at the accuracy that both reached, and how much of that was preparation."""
    found = race.race(seen, seen.size)
    if found is None:
        return None
    each = []
    for g, seconds in zip((found.first, found.second), found.seconds, strict=True):
        before = text.seconds(mean(g, intervals.start))
        warm = mean(g, lambda r: intervals.time_to_accuracy(r, found.level, cold=False))
        says = f"{g.name} after {text.seconds(seconds)}, {before} of them to prepare"
        if warm is not None and warm < 0.95 * seconds:
            says += f", or {text.seconds(warm)} with its features found ready"
        each.append(says)
    goal = text.percent(found.level, 0)
    return Reason(
        "The clock", f"Both get {goal} of the validation images right: {'; '.join(each)}."
    )


def _by_heart(a: Side, b: Side) -> Reason | None:
    """How much better each ends on the images that it trains on."""
    x, y = a.mean(said_of_knobs.gap), b.mean(said_of_knobs.gap)
    if x is None or y is None:
        return None
    first, second = (f"{text.points(gap)}{text.SPACE}points" for gap in (x, y))
    return Reason(
        "By heart",
        f"Training accuracy minus validation accuracy ends at {first} with {a.name} and at "
        f"{second} with {b.name}.",
    )


def _who(seen: View) -> Reason | None:
    """How often both are right, one alone, or neither: what two arms together could reach."""
    found, pair = disputes.shares_right(seen), race.rivals(seen.best_first(seen.size))
    if found is None or pair is None:
        return None
    both, one, other, neither = map(text.percent, found)
    first, second = (g.name for g in pair)
    return Reason(
        "Who is right",
        f"Both name {both} of the test images rightly, {first} alone {one}, {second} alone "
        f"{other}, neither of them {neither}.",
    )


def _trains(a: Side, b: Side) -> Reason | None:
    """How many parameters each trains, of how many."""
    if not all(side.mean(lambda r: r.parameters.total) for side in (a, b)):
        return None
    trained = [text.scaled(side.mean(lambda r: r.parameters.trainable)) for side in (a, b)]
    whole = [text.scaled(side.mean(lambda r: r.parameters.total)) for side in (a, b)]
    return Reason(
        "What trains",
        f"{a.name} trains {trained[0]} of its {whole[0]} parameters, "
        f"{b.name} {trained[1]} of {whole[1]}.",
    )


def _paid(side: Side) -> Reason | None:
    """What was paid before the run for what it began with."""
    first = side.runs.ok[0]
    if first.weights is None or from_scratch(side.runs):
        return None
    if first.source:
        spent = text.seconds(side.mean(lambda r: r.seconds.source_cold))
        says = f"{side.name} first trained its base here on {first.source.data.name}, in {spent}."
        return Reason("Paid before", says)
    images, epochs, whole = (_count(first, k) for k in ("images", "epochs", "images_seen"))
    if images is None and whole is None:
        says = f"What the base of {side.name} cost before is not known; that is not nothing."
        return Reason("Paid before", says)
    shown = whole or (images or 0) * (epochs or 1)
    times = shown / max(1.0, side.mean(lambda r: r.images_seen) or 1.0)
    if whole or epochs:
        had = f"had seen {text.count(shown)} images in its pretraining:"
    else:
        had = (
            f"was trained on {text.count(shown)} images, for how many epochs is not published: "
            "one alone is"
        )
    ratio = f"{text.count(times)} times" if times >= 10 else f"{times:.1f} times"
    return Reason("Paid before", f"The base of {side.name} {had} {ratio} what was shown here.")


def _points(gap: float) -> str:
    return f"{text.points(gap, sign=False)}{text.SPACE}points"


def _validation(side: Side, of: Callable[[Record], Epoch]) -> float | None:
    return side.mean(lambda r: of(r).val_accuracy if r.history else None)


def _count(record: Record, name: str) -> int | None:
    """A number of what is known of the pretraining; None where it is not known."""
    value = record.weights.upstream.get(name) if record.weights else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
