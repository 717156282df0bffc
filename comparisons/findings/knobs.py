"""What turning a knob showed, in two sentences, and the titles of its figures.

The first sentence says which variant ended highest and which lowest; the second what is special
to the knob, from the same runs. Variants that the records do not tell apart are not ranked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from comparisons.core.records import RangeTest, Record, Start
from comparisons.findings import intervals, text
from comparisons.findings.groups import Group
from comparisons.findings.names import arm_name
from comparisons.findings.verdict import notes, verdict
from comparisons.findings.view import View, accuracy, incomparable, mean, view

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ALIVE = 0.01  # of its first layer's spread: a signal weaker than this share has faded


def knob_of(records: Sequence[Record]) -> str | None:
    """The knob that all records turn; None where they turn none, or several."""
    names = {r.settings.knob for r in records}
    name = names.pop() if len(names) == 1 else None
    return name if isinstance(name, str) else None


def turns_time(seen: View) -> bool:
    """Whether seconds tell something of what is compared: not where a knob leaves epochs as long.

    A knob changes how long an epoch takes where it changes the images in a step. Nor where some
    runs had their machine alone and others had not.
    """
    if incomparable(seen.groups):
        return False
    sizes = {r.phases[-1].batch_size for g in seen.groups for r in g.records if r.phases}
    return knob_of(seen.records) is None or len(sizes) > 1


def sentences(seen: View, knob: str) -> list[str]:
    """Two sentences on what a knob did at the main size; one where it turns on several arms."""
    several = len({g.arm for g in seen.groups}) > 1
    return [special(seen, knob)] if several else [_ranking(seen, knob), special(seen, knob)]


def special(seen: View, knob: str) -> str:
    """A sentence on what is special to a knob."""
    return SPECIAL.get(knob, _race)(seen)


def short(seen: View, group: Group) -> str:
    """A variant without the network that all share."""
    return seen.name(group.label)


def _ranking(seen: View, knob: str) -> str:
    """Which variant ended highest, which lowest, and which did not end well."""
    where, what = f"With {text.count(seen.size)} training images", knob.replace("-", " ")
    ended = seen.best_first(seen.size)
    bad = [f"{short(seen, g)}: {notes(g)}" for g in seen.at(seen.size) if notes(g)]
    if any(notes(g) for g in ended):
        bad.append("means are of the other runs")
    mishaps = f" ({'; '.join(bad)})" if bad else ""
    if not ended:
        return f"{where}, no setting of the {what} ended well{mishaps}."
    best, worst = ended[0], ended[-1]
    top, low = (text.percent(accuracy(g).mean) for g in (best, worst))
    if best is worst:
        return (
            f"{where}, only {what} {short(seen, best)} ended well, with {top} of the test images "
            f"right{mishaps}."
        )
    if verdict(best, worst).equal:
        return (
            f"{where}, the settings of the {what} are not clearly apart: from {low} of the test "
            f"images right with {short(seen, worst)} to {top} with {short(seen, best)}{mishaps}."
        )
    level = [g for g in ended[1:-1] if verdict(best, g).equal]
    near = f" (not clearly ahead of {_names(seen, level)})" if level else ""
    return (
        f"{where}, {what} {short(seen, best)} ends highest, with {top} of the test images "
        f"right{near}, and {short(seen, worst)} lowest, with {low}{mishaps}."
    )


def _names(seen: View, groups: Sequence[Group]) -> str:
    return text.listing([short(seen, g) for g in groups])


def _race(seen: View) -> str:
    """Which variant was first, in epochs, at the accuracy that all of them reached."""
    ended = seen.best_first(seen.size)
    level = intervals.common_level(ended)
    if level is None or len(ended) < 2:
        return "There are no two settings whose speed of learning could be compared."
    passes = {g.label: mean(g, lambda r: _epochs_to(r, level)) or math.inf for g in ended}
    first = min(passes.values())
    last = max(passes.values())
    goal = f"{text.percent(level, 0)} of the validation images"
    if first == last:
        return f"With all that ended well {goal} are right after {_epochs(first)}."
    quick = _names(seen, [g for g in ended if passes[g.label] == first])
    slow = _names(seen, [g for g in ended if passes[g.label] == last])
    return (
        f"{goal} are right after {_epochs(first)} with {quick}, and after {_epochs(last)} "
        f"with {slow}."
    )


def _epochs_to(record: Record, level: float) -> float | None:
    known = (e.val_accuracy is not None and e.val_accuracy >= level for e in record.history)
    return next((float(n) for n, reached in enumerate(known, start=1) if reached), None)


def _epochs(number: float) -> str:
    return "one epoch" if number == 1 else f"{number:.3g} epochs"


def _faded(seen: View) -> str:
    """What came of the signal on its way through the untrained network."""
    shares = {g.label: faded(g.records) for g in seen.at(seen.size)}
    told = [
        f"{_times(share)} with {seen.name(label)}"
        for label, share in sorted(shares.items(), key=lambda item: -(item[1] or 0.0))
        if share is not None
    ]
    if not told:
        return "No run tells what its signals were like before training."
    return (
        "In the untrained network, what the last hidden layer has of the first one's signal (their "
        f"standard deviations, the geometric mean over seeds) is {text.listing(told)}."
    )


def faded(records: Sequence[Record]) -> float | None:
    """The last hidden layer's spread over the first one's, the geometric mean over runs."""
    logs = []
    for r in records:
        known = [s.activations for s in r.at_start[:-1]]  # the last layer makes logits
        if len(known) > 1 and known[0] and known[-1]:
            logs.append(math.log(known[-1] / known[0]))
    return math.exp(sum(logs) / len(logs)) if logs else None


def _times(share: float) -> str:
    if share >= 0.001:
        return text.percent(share, 1)
    digit, _, power = f"{share:.0e}".partition("e")
    return f"{digit}·10{str(int(power)).translate(RAISED)}"


def _rates(seen: View) -> str:
    """What the range test chose, and what the multiples of it were."""
    groups = seen.at(seen.size)
    chosen = [r.range_test.chosen for g in groups for r in g.records if r.range_test]
    if not chosen:
        return "No run has a range test."
    used = {
        short(seen, g): rates
        for g in groups
        if (rates := [r.history[0].learning_rate for r in g.records if r.history])
    }
    slowest_first = sorted(used, key=lambda name: max(used[name]))
    told = text.listing([f"{name} is {_span(used[name])}" for name in slowest_first])
    return f"The range test chose a rate of {_span(chosen)}" + (f"; {told}." if told else ".")


def _span(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2g}", f"{max(values):.2g}"
    return low if low == high else f"{low} to {high}"


def _by_heart(seen: View) -> str:
    """How far accuracy on training images ran ahead of that on validation images."""
    gaps = {g.label: far for g in seen.best_first(seen.size) if (far := mean(g, gap)) is not None}
    if len(gaps) < 2:
        return "There are no two settings whose overfitting could be compared."
    least, most = min(gaps, key=lambda k: (gaps[k], k)), max(gaps, key=lambda k: (gaps[k], k))
    said = {label: f"{text.points(gaps[label])}{text.SPACE}points" for label in (least, most)}
    if said[least] == said[most]:
        return f"Training accuracy ends {said[most]} from validation accuracy in all of them."
    return (
        "Training accuracy minus validation accuracy, what is learnt by heart, is largest with "
        f"{seen.name(most)}, {said[most]}, and smallest with {seen.name(least)}, {said[least]}."
    )


def gap(record: Record) -> float | None:
    """Training minus validation accuracy in the epoch whose weights were tested."""
    if not record.history:
        return None
    entry = record.history[(record.best_epoch or len(record.history)) - 1]
    if entry.train_accuracy is None or entry.val_accuracy is None:
        return None
    return entry.train_accuracy - entry.val_accuracy


def _pace(seen: View) -> str:
    """How long an epoch takes, and how many steps it has."""
    paces = {
        g.label: (pace, math.ceil(g.train_size / g.records[0].phases[-1].batch_size))
        for g in seen.best_first(seen.size)
        if (pace := mean(g, lambda r: intervals.mean_of(e.seconds for e in r.history))) is not None
    }
    if len(paces) < 2 or incomparable(seen.best_first(seen.size)):
        return "There are no two settings whose pace could be compared."
    slow, quick = max(paces, key=lambda k: (paces[k], k)), min(paces, key=lambda k: (paces[k], k))
    told = [
        f"{text.seconds(paces[label][0])} with {seen.name(label)} "
        f"({text.plural(paces[label][1], 'step')})"
        for label in (slow, quick)
    ]
    return f"An epoch of training takes {told[0]} and {told[1]}."


def _gains(seen: View) -> str:
    """What the last variant of each arm brings over its first, on the same seeds."""
    told = []
    for arm in dict.fromkeys(g.arm for g in seen.at(seen.size)):
        own = [g for g in seen.at(seen.size) if g.arm == arm and g.ok]
        plain = [g for g in own if not _more_looks(g)]
        more = [g for g in own if _more_looks(g)]
        if plain and more:
            gain = intervals.paired(more[0].ok, plain[0].ok).summary
            span = (
                ""
                if gain.low is None
                else (f" ({gain.method} {text.points(gain.low)} to {text.points(gain.high)})")
            )
            told.append(f"{text.points(gain.mean)} points to {arm_name(arm)}{span}")
    if not told:
        return "No arm was tested with one look at each test image and with two."
    return f"A second look at each test image, its mirror image, brings {text.listing(told)}."


def _more_looks(group: Group) -> bool:
    phases = group.records[0].phases
    return bool(phases) and len(phases[-1].views_at_test) > 1


SPECIAL: dict[str, Callable[[View], str]] = {
    "init": _faded,
    "learning-rate": _rates,
    "regularisation": _by_heart,
    "batch-size": _pace,
    "test-views": _gains,
}


def tests_of(seen: View) -> list[tuple[Record, RangeTest]]:
    """One range test for each seed of the main size: its variants have the same."""
    found = {
        r.seed: (r, r.range_test)
        for g in reversed(seen.at(seen.size))
        for r in g.records
        if r.range_test and any(v is not None for v in r.range_test.smoothed)
    }
    return [found[seed] for seed in sorted(found)]


def range_title(records: Sequence[Record]) -> str:
    """What the range test chose, and where the loss was lowest."""
    tests = [test for _, test in tests_of(view(records))]
    if not tests:
        return "No run has a range test"
    lowest = _span([test.rates[bottom(test)] for test in tests])
    broke = sum(test.exploded for test in tests)
    ends = [test.rates[-1] for test in tests if test.exploded]
    title = (
        f"The loss is lowest at a rate of {lowest}, so the range test chooses "
        f"{_span([test.chosen for test in tests])}"
    )
    if not broke:
        return f"{title}; the loss never broke out"
    return f"{title}; the loss breaks out at {_span(ends)}"


def bottom(test: RangeTest) -> int:
    """The step at which the smoothed loss was lowest."""
    known = [math.inf if v is None else v for v in test.smoothed]
    return known.index(min(known))


def starts(seen: View) -> dict[str, list[Start]]:
    """Each variant's layers before training, geometric means over its seeds, by label."""
    found = {}
    for g in seen.at(seen.size):
        runs = [r.at_start for r in g.records if r.at_start]
        if runs:
            same = [run for run in runs if len(run) == len(runs[0])]
            found[g.label] = [_mean_start(layers) for layers in zip(*same, strict=True)]
    return found


def _mean_start(layers: Sequence[Start]) -> Start:
    def middle(field: str) -> float | None:
        known = [value for layer in layers if (value := getattr(layer, field))]
        return math.exp(math.fsum(map(math.log, known)) / len(known)) if known else None

    return Start(layers[0].layer, *map(middle, ("weights", "activations", "gradients")))


def start_title(records: Sequence[Record]) -> str:
    """Which variants let the signal through the untrained network."""
    seen = view(records)
    shares = {g.label: faded(g.records) for g in seen.at(seen.size)}
    known = {seen.name(label): share for label, share in shares.items() if share is not None}
    if not known:
        return "No run tells what its layers were like before training"
    through = text.listing([name for name, share in known.items() if share >= ALIVE])
    lost = text.listing([name for name, share in known.items() if share < ALIVE])
    if not lost:
        return f"The signal comes through all layers with {through}"
    if not through:
        return f"The signal fades on its way through the layers with {lost}"
    return f"The signal fades on its way through the layers with {lost}, not with {through}"
