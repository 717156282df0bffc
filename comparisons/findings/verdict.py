"""Sentences computed from records: the headline, the figures' titles, the differences.

Nothing here is canned: swap two arms' numbers and the sentences swap their names. Where the
records do not tell two arms apart, the sentence says that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from comparisons.core.records import Record
from comparisons.findings import crossings, family, intervals, race, text
from comparisons.findings.groups import Group, mishaps
from comparisons.findings.view import View, accuracy, cold, incomparable, mean, view, warm
from comparisons.plan import budget

SIGNS = 6  # images on which two arms differ, the fewest that a sign test makes anything of
FEW_TESTS = 500  # test images: fewer of them are called few
NOTHING = 0.0005  # a smaller difference of accuracies rounds to no points at all
FEW_SIZES = 2  # with more, who leads at each of them is for the figure to show


@dataclass(frozen=True)
class Verdict:
    """Two arms at one size, the more accurate first, and what the seeds say of the gap.

    `gap` is a difference of accuracies, `noise` what the luck of the test images can do to it.
    """

    first: Group
    second: Group
    gap: float
    noise: float
    paired: intervals.Paired

    @property
    def equal(self) -> bool:
        """Whether no winner may be named.

        With too few test images to tell anything. With an interval: it includes zero, or lies
        within a point of it (`tie`). With too few seeds for one: the gap is no larger than the luck
        of drawing the test images. Always: the gap rounds to nothing, or the seeds in common speak
        against the means of all seeds.
        """
        records = [*self.first.ok, *self.second.ok]
        if intervals.tested_in_all(records) < _needed(records):
            return True
        unsure = self.paired.summary.includes_zero
        if unsure is None:
            unsure = self.gap < self.noise
        return unsure or self.tie or self.gap < NOTHING

    @property
    def tie(self) -> bool:
        """Whether the interval says that the two are within a point of each other."""
        return family.tied(self.paired.summary)


def verdict(a: Group, b: Group) -> Verdict:
    """Compare two groups that both have a run that ended well."""
    first, second = sorted((a, b), key=lambda g: (-(accuracy(g).mean or 0.0), g.label))
    pairs = intervals.paired(first.ok, second.ok)
    top = accuracy(first).mean or 0.0
    gap = pairs.summary.mean
    if gap is None:
        gap = top - (accuracy(second).mean or 0.0)
    return Verdict(
        first, second, gap, intervals.sampling_noise(top, intervals.images_tested(first.ok)), pairs
    )


def headline(records: Sequence[Record]) -> list[str]:
    """What the records say, in a few sentences, the most important first."""
    seen = view(records)
    if not seen.records:
        return ["There are no runs yet."]
    if few := too_few(seen):
        return [few, *_mishaps(seen)]
    ended = seen.best_first(seen.size)
    if not ended:
        return [f"No run ended well: {endings(seen.groups)}."]
    pair = race.rivals(ended)
    where = f"With {text.count(seen.size)} training images, "
    met = race.race(seen, seen.size)
    answer = _contest(verdict(*pair), met) if pair else f"{alone(ended[0])}."
    if pair and max(len(g.ok) for g in pair) == 1:
        where += "and one run of each, "
    return [where + answer, *sure(seen), *over_sizes(seen), *_mishaps(seen)]


def too_few(seen: View) -> str:
    """That no number of test images so small can tell arms apart; empty where it may.

    An arm that is always right against one that guesses differs on all images but those guessed:
    by a sign test it takes six of them for p < 5 %, as 2 / 2^5 is more and 2 / 2^6 less.
    """
    ended = seen.best_first(seen.size)
    records = [r for g in seen.at(seen.size) for r in g.records if r.test]
    images, needed = intervals.tested_in_all(records), _needed(records)
    if not images or images >= needed:
        return ""
    each = [f"{g.name} has {text.percent(accuracy(g).mean, 0)} right" for g in ended]
    return (
        f"Too few to tell: with {text.plural(images, 'test image')} in all, even an arm that is "
        f"always right cannot be told from one that guesses; that takes {needed}. "
        f"{text.listing(each) or 'No run ended well'}, which says nothing."
    )


def _needed(records: Sequence[Record]) -> int:
    """The fewest test images on which an arm that is always right may be told from guessing."""
    guessed = 1 / max(2, len(records[0].data.classes)) if records else 0.0
    return math.ceil(SIGNS / (1 - guessed))


def over_sizes(seen: View) -> list[str]:
    """Who leads at each size where there are few of them, else where the two cross."""
    found = crossings.leading(seen)
    crossing = crossings.sentences(found, seen)
    told = found and (found.outcome == "between" or len(seen.sizes) > FEW_SIZES)
    return crossing if told else [*by_size(seen), *crossing]


def sure(seen: View) -> list[str]:
    """How far to trust what the headline says: one sentence or two, or none without a run."""
    ended = seen.best_first(seen.size)
    pair = race.rivals(ended)
    if pair:
        met = None if too_few(seen) else race.race(seen, seen.size)
        return [evidence(verdict(*pair)), *([race.sooner(met)] if met else [])]
    return [_alone_evidence(g) for g in ended[:1]]


def care(seen: View) -> list[str]:
    """What else bears on trusting a gap: the seeds that would show it, the luck of the test set."""
    ended = seen.best_first(seen.size)
    pair = race.rivals(ended)
    images = intervals.images_tested(r for g in ended for r in g.ok)
    if pair is None or not images:
        return []
    found = verdict(*pair)
    s, lines = found.paired.summary, []
    if s.includes_zero and s.spread and not family.tied(s) and abs(found.gap) >= NOTHING:
        needed = family.seeds_needed(s.spread, found.gap, s.overlap, s.of_images)
        count = f"about {needed} seeds" if needed else f"more than {family.MOST_SEEDS} seeds"
        if needed == math.inf:
            count = "more images to test on: with these no number of seeds would do"
        lines.append(
            f"To show a difference of {text.points(found.gap, sign=False)} points in four of five "
            f"such experiments would take {count}."
        )
    alone = intervals.luck_of_images(accuracy(found.first).mean or 0.0, images)
    lines.append(
        f"Another draw of {text.count(images)} test images would alone move an accuracy like that "
        f"of {found.first.name} by {text.points(alone, sign=False)} points (standard deviation)."
    )
    if images < FEW_TESTS:
        reached = accuracy(found.first).mean or 0.0
        low, high = (text.percent(share, 0) for share in intervals.wilson(reached, images))
        lines.append(
            f"A test set of {text.count(images)} images is small: {text.percent(reached)} right "
            f"on so many says that {low} to {high} are, by their number alone (Wilson's interval)."
        )
    return lines


def evidence(found: Verdict) -> str:
    """How far to trust the gap between two arms."""
    s, names = found.paired.summary, f"{found.first.name} − {found.second.name}"
    gap = f"{text.points(found.gap)}{text.SPACE}points"
    if s.n == 0:
        return f"{names}: {gap}, a difference of means, for the arms have no seed in common."
    if s.n >= intervals.MIN_SEEDS:
        span = f"{text.points(s.low)} to {text.points(s.high)}"
        zero = ", which includes zero" if s.includes_zero else ""
        if found.tie:
            zero = ", all within a point of zero: a tie"
        return f"{names} is {gap} on {s.n} seeds, {s.method} {span}{zero}."
    images = text.count(intervals.images_tested(found.first.ok))
    luck = f" Luck in drawing {images} test images can alone make a gap of this size."
    luck = luck if abs(found.gap) < found.noise else ""
    each = (
        "" if s.n == 1 else f" ({text.listing([text.points(d) for d in found.paired.differences])})"
    )
    return f"{names} is {gap}{each}. {text.plural(s.n, 'seed').capitalize()}: no interval.{luck}"


def difference(found: Verdict) -> str:
    """The gap in a few words, for a title."""
    s = found.paired.summary
    gap = f"{text.points(found.gap, sign=False)}{text.SPACE}points"
    if s.includes_zero is None:
        few = "no seed in common" if s.n == 0 else f"{text.plural(s.n, 'seed')}, no interval"
        return f"difference {gap} ({few})"
    if s.includes_zero:
        return f"difference {gap}, and the interval includes zero"
    return f"difference {gap}, interval {text.points(s.low)} to {text.points(s.high)}"


def alone(g: Group) -> str:
    """What a single arm reached, and in which time."""
    return (
        f"{g.name} reaches {text.percent(accuracy(g).mean)} on the test set after "
        f"{_again(cold(g), warm(g), OF_LEARNING)}"
    )


def _alone_evidence(g: Group) -> str:
    s = accuracy(g)
    if s.low is None:
        return f"{text.plural(s.n, 'seed').capitalize()}: no interval, and no other arm to compare."
    span = f"{text.percent(s.low)} to {text.percent(s.high)}"
    return f"On {s.n} seeds: {s.method} {span}. There is no other arm to compare."


OF_LEARNING = " of learning"


def _again(cold_seconds: float | None, warm_seconds: float | None, what: str = "") -> str:
    """A time, `what` of, and the one with features found ready where that makes a difference."""
    slow, fast = cold_seconds or 0.0, warm_seconds or 0.0
    again = f" ({text.seconds(fast)} once features are cached)" if fast < 0.95 * slow else ""
    return f"{text.seconds(slow)}{what}{again}"


def _reached(found: race.Race, g: Group, what: str = "") -> str:
    """When an arm was at the level of a race."""
    ready = mean(g, lambda r: intervals.time_to_accuracy(r, found.level, cold=False))
    return _again(found.of(g), ready, what)


def _contest(found: Verdict, met: race.Race | None) -> str:
    """Accuracy and time of two arms in one sentence, naming winners only where there are any."""
    a, b = found.first, found.second
    x, y = text.percent(accuracy(a).mean), text.percent(accuracy(b).mean)
    same = f"there is no clear difference in accuracy between {a.name} ({x}) and {b.name} ({y})"
    nor = ", nor in time"
    if found.tie:
        same = f"{a.name} ({x}) and {b.name} ({y}) tie in accuracy, within a point of each other"
        nor = "; in time there is no clear difference"
    if why := incomparable((a, b)):
        leads = same if found.equal else f"{a.name} is more accurate: {x} against {y} for {b.name}"
        return f"{leads}; their times are not compared: {why}."
    if met is None:
        times = f"{_again(cold(a), warm(a), OF_LEARNING)} and {_again(cold(b), warm(b))}"
        if found.equal:
            return f"{same}, after {times}; {race.NOWHERE}."
        return f"{a.name} is more accurate: {x} against {y} for {b.name}, after {times}."
    quick = met.faster
    goal = f"{text.percent(met.level, 0)} of the validation images are right"
    times = f"{_reached(met, a, OF_LEARNING)} against {_reached(met, b)}"
    if found.equal:
        if quick is None:
            return f"{same}{nor}: {goal} after {times}."
        slow = b if quick is a else a
        times = f"{_reached(met, quick, OF_LEARNING)} against {_reached(met, slow)}"
        return f"{same}, but {quick.name} is faster: {goal} after {times}."
    numbers = f"{x} against {y} for {b.name}; {goal} after {times}"
    if quick is None:
        return f"{a.name} is more accurate in about the same time: {numbers}."
    if quick is a:
        return f"{a.name} is more accurate and faster: {numbers}."
    return f"{a.name} is more accurate, {b.name} is faster: {numbers}."


def by_size(seen: View) -> list[str]:
    """Who leads at each size, where there are several: one sentence, or none."""
    pair = race.rivals(seen.best_first(seen.size))
    if pair is None:
        return []
    wanted = {g.label for g in pair}
    found = {}
    for size in seen.sizes:
        groups = [g for g in seen.best_first(size) if g.label in wanted]
        if len(groups) == 2:
            found[size] = verdict(*groups)
    if len(found) < 2:
        return []

    leaders = {None if v.equal else v.first.label for v in found.values()}
    if len(leaders) == 1 and None not in leaders:
        any_one = found[max(found)]
        gaps = [
            f"by {text.points(v.gap, sign=False)} points with {text.count(size)} images"
            for size, v in found.items()
        ]
        return [f"{any_one.first.name} leads {any_one.second.name} {text.listing(gaps)}."]
    return ["; ".join(f"with {text.count(n)} images {_lead(v)}" for n, v in found.items())
            .replace("with", "With", 1) + "."]  # fmt: skip


def _lead(found: Verdict) -> str:
    a, b = found.first.name, found.second.name
    if found.equal:
        return f"{a} and {b} {'tie' if found.tie else 'are not clearly apart'}"
    return f"{a} leads {b} by {text.points(found.gap, sign=False)} points"


def _mishaps(seen: View) -> list[str]:
    bad = [g for g in seen.groups if len(g.ok) < len(g.records)]
    return [f"Not every run ended well: {endings(bad)}."] if bad else []


def endings(groups: Sequence[Group]) -> str:
    """How many runs of which arm diverged or failed."""
    return "; ".join(f"{g.name} {notes(g)}" for g in groups)


def stopped_early(group: Group) -> str:
    """That an arm is stopped early by its epochs, where tuning showed it; else nothing."""
    first = group.records[0]
    early = first.data.name == budget.DATA and not first.settings.variant
    if early and budget.stopped_early(group.arm, group.train_size, first.phases):
        return budget.STOPPED_EARLY
    return ""


def notes(group: Group) -> str:
    """How many of a group's runs did not end well, as `1 of 3 diverged`; empty for none."""
    whole = len(group.records)
    return ", ".join(f"{n} of {whole} {how}" for n, how in mishaps(group.records))
