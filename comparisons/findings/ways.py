"""What tells ways of training apart, worked out from records, and the titles that say it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from comparisons.core.records import Record
from comparisons.findings import intervals, text, verdict
from comparisons.findings.groups import Group
from comparisons.findings.view import View, accuracy, mean, view

Blocks = tuple[str, ...]


@dataclass(frozen=True)
class Price:
    """What an arm takes to reach its accuracy, and how a title says it.

    `of` is a run's price, `said` a mean price in words, to which the first mention adds `unit`;
    `least` is said of the arm that no other is cheaper than.
    """

    of: Callable[[Record], float | None]
    said: Callable[[float], str]
    unit: str
    least: str


PARAMETERS = Price(
    lambda r: r.parameters.trainable or None,
    lambda n: f"with {text.scaled(n)}",
    " trainable parameters",
    "no arm trains fewer parameters",
)
SECONDS = Price(
    lambda r: intervals.learning(r) or None,
    lambda s: f"after {text.seconds(s)}",
    " of learning",
    "no arm is quicker",
)


def priced(seen: View, price: Price) -> list[tuple[Group, float]]:
    """The arms of the main size whose price is known, the most accurate first."""
    known = [(g, mean(g, price.of)) for g in seen.best_first(seen.size)]
    return [(g, paid) for g, paid in known if paid is not None]


def unbeaten(seen: View, size: int) -> list[Group]:
    """The arms of a size that no other beats in both accuracy and seconds, most accurate first."""
    found, least = [], math.inf
    for g in seen.best_first(size):
        paid = mean(g, SECONDS.of)
        if paid is not None and paid < least:
            found.append(g)
            least = paid
    return found


def parameters(records: Sequence[Record]) -> str:
    """The most accurate arm, and the one with the fewest parameters that keeps up with it."""
    return _bargain(view(records), PARAMETERS)


def seconds(records: Sequence[Record]) -> str:
    """The most accurate arm, and the quickest that keeps up with it."""
    return _bargain(view(records), SECONDS)


def _bargain(seen: View, price: Price) -> str:
    arms = priced(seen, price)
    if not arms:
        return "No run ended well that tells what it took"
    best, paid = arms[0]
    reached = text.percent(accuracy(best).mean)
    title = f"{seen.said(best.label)} ends highest, {reached} {price.said(paid)}{price.unit}"
    cheaper = [(g, p) for g, p in arms[1:] if p < paid]
    if not cheaper:
        return title if len(arms) == 1 else f"{title}, and {price.least}"
    level = [(g, p) for g, p in cheaper if verdict.verdict(best, g).equal]
    other, cost = min(level, key=lambda arm: (arm[1], arm[0].label)) if level else cheaper[0]
    name = seen.said(other.label)
    who = f"{name} is not clearly behind" if level else f"for less, {name} is best"
    return f"{title}; {who}, {text.percent(accuracy(other).mean)} {price.said(cost)}"


def moves(seen: View) -> dict[Blocks, list[tuple[Group, list[float]]]]:
    """For each base, told by its blocks: how far every arm moved each of them.

    Means over the seeds of the main size; an arm that tells of no block is left out.
    """
    found: dict[Blocks, list[tuple[Group, list[float]]]] = {}
    for g in seen.best_first(seen.size):
        runs = [r.moved for r in g.ok if r.moved]
        blocks = tuple(m.block for m in runs[0]) if runs else ()
        same = [run for run in runs if tuple(m.block for m in run) == blocks]
        if blocks:
            means = [
                sum(cell.relative for cell in cells) / len(same)
                for cells in zip(*same, strict=True)
            ]
            found.setdefault(blocks, []).append((g, means))
    return found


def moved(records: Sequence[Record]) -> str:
    """Which arm moved which block furthest, and which arm hardly moved any."""
    seen = view(records)
    cells = [
        (
            max(means),
            seen.said(g.label),
            blocks[means.index(max(means))],
            min(means),
            blocks[means.index(min(means))],
        )
        for blocks, arms in moves(seen).items()
        for g, means in arms
    ]
    if not cells:
        return "No run tells how far its blocks moved"
    far, arm, block, near, least = max(cells)
    if far == 0:
        return "No arm moved any block"
    title = f"{arm} moves {block} furthest, by {share(far)}"
    if len(cells) == 1:
        return f"{title}, and {least} least, by {share(near)}" if near < far else title
    reach, other, *_ = min(cells)
    return f"{title}; {other} moves none further than {share(reach)}"


def share(relative: float) -> str:
    """A relative change as per cent, with a decimal where it is small."""
    return text.percent(relative, 0 if relative >= 0.0995 else 1)


@dataclass(frozen=True)
class Trade:
    """What an arm lost on the source and won on the target, both as fractions, for each seed."""

    group: Group
    points: tuple[tuple[float, float], ...]

    @property
    def lost(self) -> float:
        """Mean accuracy forgotten on the source task."""
        return sum(x for x, _ in self.points) / len(self.points)

    @property
    def won(self) -> float:
        """Mean gain, or mean accuracy."""
        return sum(y for _, y in self.points) / len(self.points)


def forgotten(record: Record) -> float | None:
    """How much accuracy on its source task a run's base lost; negative where it gained some."""
    f = record.forgetting
    return None if f is None or record.status != "ok" else f.before - f.after


def trades(seen: View) -> tuple[list[Trade], bool]:
    """Forgetting against gain at the main size, and whether gains are over `frozen`.

    They are where each arm has a seed in common with `frozen` on the same model, and then of
    those seeds alone. Otherwise every arm has its plain accuracies: one axis, one meaning.
    """
    arms = [g for g in seen.best_first(seen.size) if any(forgotten(r) is not None for r in g.ok)]
    relative = [_trade(g, _gains(seen, g)) for g in arms]
    if all(t.points for t in relative):
        return relative, bool(arms)
    return [_trade(g, {r.seed: intervals.accuracy(r) or 0.0 for r in g.ok}) for g in arms], False


def forgetting(records: Sequence[Record]) -> str:
    """What the arm that gains most forgets, and what the one that forgets least gains."""
    seen = view(records)
    found, relative = trades(seen)
    if not found:
        return "No run that ended well tells what its base forgot"
    top = max(found, key=lambda t: (t.won, t.group.label))
    keen = min(found, key=lambda t: (t.lost, t.group.label))
    first = _bought(seen, top, relative)
    if top is keen:
        return first if len(found) == 1 else f"{first}, the least of all"
    return f"{first}; {_bought(seen, keen, relative)}"


def _frozen(seen: View, g: Group) -> Group | None:
    """The runs of `frozen` on a group's model at its size."""
    same = (r for r in seen.at(g.train_size) if r.records[0].model == g.records[0].model)
    return next((r for r in same if r.records[0].strategy == "frozen" and r.ok), None)


def _gains(seen: View, g: Group) -> dict[int, float]:
    """Accuracy minus that of `frozen`, for each seed that both have."""
    frozen = _frozen(seen, g)
    pairs = intervals.paired(g.ok, frozen.ok if frozen else ())
    return dict(zip(pairs.seeds, pairs.differences, strict=True))


def _trade(g: Group, won: dict[int, float]) -> Trade:
    lost = {r.seed: x for r in g.ok if (x := forgotten(r)) is not None}
    return Trade(g, tuple((lost[seed], won[seed]) for seed in sorted(lost.keys() & won.keys())))


def _bought(seen: View, t: Trade, relative: bool) -> str:
    """What an arm won, and what it forgot for that."""
    points = f"{text.points(abs(t.won), sign=False)}{text.SPACE}points"
    frozen = _frozen(seen, t.group)
    if not relative or frozen is None:
        won = f"reaches {text.percent(t.won)}"
    elif verdict.verdict(t.group, frozen).equal:
        won = f"is not clearly apart from frozen ({text.points(t.won)}{text.SPACE}points)"
    else:
        won = f"gains {points} over frozen" if t.won > 0 else f"loses {points} against frozen"
    lost = text.points(t.lost, sign=False) if t.lost >= 0.0005 else "nothing"
    return f"{seen.said(t.group.label)} {won} and forgets {lost}"
