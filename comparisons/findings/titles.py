"""The title of each figure: what it shows, computed from the records it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from comparisons.core.records import Record
from comparisons.findings import intervals, race, text, verdict
from comparisons.findings.groups import Group
from comparisons.findings.names import brief
from comparisons.findings.view import View, cold, incomparable, mean, view
from comparisons.findings.view import accuracy as accuracy_of

RISEN = 1.05  # validation loss this far above its lowest has risen, not wavered
FALLING = 0.99  # and one that still fell below this share of the epoch before is not done

MANY = 3  # more arms than this are counted in a title, not named
MOST_LETTERS = 190  # of what a title says of sizes: three lines of a wide page

# How a validation loss can go: said of one arm, and of several.
FATES = {
    "improving": (
        "is still improving in its last epoch",
        "are still improving in their last epoch",
    ),
    "level": ("has levelled off", "have levelled off"),
    "overfits": ("overfits after epoch {}", "overfit after epoch {}"),
    "worse": ("gets worse after epoch {}", "get worse after epoch {}"),
}


def loss(records: Sequence[Record]) -> str:
    """How each arm's validation loss went, arms of the same fate together."""
    seen = view(records)
    met = {seen.said(g.label): found for g in seen.at(seen.size) if (found := _fate(g))}
    if not met:
        return _nothing(seen, "loss curve")
    phrases = []
    for fate in sorted({fate for fate, _ in met.values()}):
        names = [name for name, (own, _) in met.items() if own == fate]
        epochs = sorted({met[name][1] for name in names})
        when = str(epochs[0]) if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]}"
        who = text.listing(names) if len(met) <= MANY else str(len(names))
        phrases.append(f"{who} {FATES[fate][len(names) > 1].format(when)}")
    if len(met) <= MANY:
        return "; ".join(phrases)
    if len(phrases) == 1:
        return f"All {phrases[0].replace(' ', ' arms ', 1)}"
    return f"Of {len(met)} arms {text.listing(phrases)}"


def loss_by_size(records: Sequence[Record]) -> str:
    """How many arms overfit at which sizes."""
    seen = view(records)
    said: dict[int, Said] = {}
    for size in seen.sizes:
        fates = [fate[0] for g in seen.at(size) if (fate := _fate(g))]
        overfit = fates.count("overfits")
        arms = text.plural(len(fates), "arm")
        if fates:
            said[size] = (f"{overfit} of {arms} overfit" if overfit else "no arm overfits", "", "")
    return _over_sizes(said) if said else loss(records)


def accuracy(records: Sequence[Record]) -> str:
    """Who reached the highest validation accuracy, and when."""
    seen = view(records)
    found = peaks(seen, seen.size)
    if not found:
        return _nothing(seen, "accuracy curve")
    top, *others = found
    title = (
        f"{top.name} reaches {text.percent(top.accuracy)} on validation images, "
        f"in epoch {top.epoch} of {top.epochs}"
    )
    if not others:
        return title
    rival = others[0]
    if round(rival.accuracy, 3) == round(top.accuracy, 3):
        names = f"{top.name} and {rival.name}"
        return f"{names} both reach {text.percent(top.accuracy)} on validation images"
    return f"{title}; {rival.name} {text.percent(rival.accuracy)}"


def accuracy_by_size(records: Sequence[Record]) -> str:
    """Who reached the highest validation accuracy at which sizes."""
    seen = view(records)
    tops = {size: found[0] for size in seen.sizes if (found := peaks(seen, size))}
    if not tops:
        return accuracy(records)
    said = {n: (f"{p.name} reaches", text.percent(p.accuracy), "") for n, p in tops.items()}
    return _over_sizes(said, " on validation images")


def time(records: Sequence[Record]) -> str:
    """Who reached the common accuracy first, all of learning charged."""
    seen = view(records)
    ended = seen.best_first(seen.size)
    if not ended:
        return _nothing(seen, "accuracy to reach")
    if len(ended) == 1:
        return verdict.alone(ended[0])
    found = race.race(seen, seen.size)
    if found is None:
        pair = race.rivals(ended) or ended
        names = text.listing([seen.said(g.label) for g in pair])
        if why := incomparable(pair):
            return f"The times of {names} are not compared: {why}"
        return f"{names}: {race.NOWHERE}"
    goal = text.percent(found.level, 0)
    first, second = (text.seconds(t) for t in found.seconds)
    if found.close:
        names = text.listing([seen.said(g.label) for g in (found.first, found.second)])
        if found.near:
            return f"{names} reach {goal} in about the same time, {first} and {second}"
        return f"{names} reach {goal} in {first} and {second}, but the seeds do not tell them apart"
    one, other = (seen.said(g.label) for g in (found.first, found.second))
    return f"{one} reaches {goal} in {first}; {other} needs {second}"


def time_by_size(records: Sequence[Record]) -> str:
    """Who reached the common accuracy first at which sizes."""
    seen = view(records)
    said: dict[int, Said] = {}
    for size in seen.sizes:
        if found := race.race(seen, size):
            one, other = (seen.said(g.label) for g in (found.first, found.second))
            goal = text.percent(found.level, 0)
            said[size] = (
                (f"{one} and {other} are not told apart on the way to", goal, "")
                if found.close
                else (f"{one} is at", goal, f"before {other}")
            )
    return _over_sizes(said) if said else time(records)


def final(records: Sequence[Record]) -> str:
    """The test accuracies of the headline's two arms, and what the seeds say of their gap."""
    seen = view(records)
    ended = seen.best_first(seen.size)
    pair = race.rivals(ended)
    if not ended:
        return _nothing(seen, "test accuracy")
    if pair is None:
        only = accuracy_of(ended[0])
        return f"{seen.said(ended[0].label)}: {text.percent(only.mean)} on the test set"
    found = verdict.verdict(*pair)
    each = ", ".join(f"{seen.said(g.label)} {text.percent(accuracy_of(g).mean)}" for g in pair)
    return f"{each}: {verdict.difference(found)}"


def split(records: Sequence[Record]) -> str:
    """On what each of the headline's arms spent most of its time."""
    seen = view(records)
    ended = seen.best_first(seen.size)
    if not ended:
        return _nothing(seen, "time to split")
    phrases = []
    for g in race.rivals(ended) or ended[:1]:
        parts, whole = bill(g, LEARNING), cold(g) or 0.0
        name = max(parts, key=lambda part: parts[part])
        share = parts[name] / whole if whole else 0.0
        phrases.append(
            f"{seen.said(g.label)} spends {text.percent(share, 0)} of its {text.seconds(whole)} "
            f"of learning on {name}"
        )
    return "; ".join(phrases)


Fields = str | tuple[str, ...]  # of comparisons.core.bill.Seconds
# What the parts of a bill are called, in the order in which they come.
LEARNING: dict[str, Fields] = {
    "reading data": "read",
    "setting up": "setup_cold",
    "the source phase": "source_cold",
    "compiling": "compile",
    "passing training images through the frozen base": "extract_train_cold",
    "training": "train",
}
MEASURING: dict[str, Fields] = {
    "passing validation and test images through the frozen base": (
        "extract_validation_cold",
        "extract_test_cold",
    ),
    "validating": "validate",
    "testing": "test",
    "testing on corrupted images": "robustness_cold",
}
WATCHING: dict[str, Fields] = {"watching": "watch"}


def bill(group: Group, parts: Mapping[str, Fields]) -> dict[str, float]:
    """Mean seconds of parts of a run, cold, by their names."""

    def spent(r: Record, fields: Fields) -> float:
        names = (fields,) if isinstance(fields, str) else fields
        return sum(getattr(r.seconds, name) for name in names)

    return {
        name: mean(group, lambda r, own=fields: spent(r, own)) or 0.0  # type: ignore[misc]
        for name, fields in parts.items()
    }


def confusion(records: Sequence[Record]) -> str:
    """The pair of classes that the arms confuse most."""
    seen = view(records)
    worst: list[tuple[float, int, int, str]] = []
    for g in seen.best_first(seen.size):
        matrix = intervals.mean_confusion(g.ok) or []
        cells = [
            (-share, i, j, seen.said(g.label))
            for i, row in enumerate(matrix)
            for j, share in enumerate(row)
            if i != j
        ]
        worst += sorted(cells)[:1]
    if not worst:
        return _nothing(seen, "confusion matrix")
    if min(worst)[0] == 0:
        return "No arm confuses any two classes"
    share, i, j, name = min(worst)
    names = seen.records[0].data.classes
    true, called = (names[k] if k < len(names) else f"class {k}" for k in (i, j))
    return f"Most confused: {true} called {called}, {text.percent(-share, 0)} of them by {name}"


def _nothing(seen: View, what: str) -> str:
    """Why there is nothing to say."""
    if any(g.ok for g in seen.groups):
        return f"No run that ended well has a full {what}"
    return f"No run ended well: {verdict.endings(seen.groups)}" if seen.groups else "No runs yet"


@dataclass(frozen=True)
class Peak:
    """The highest mean validation accuracy of an arm, and the epoch it was reached in."""

    label: str
    name: str
    accuracy: float
    epoch: int
    epochs: int


def peaks(seen: View, size: int) -> list[Peak]:
    """Every arm's peak at one size, the highest first."""
    found = []
    for g in seen.at(size):
        curve = intervals.curve(g.ok, "val_accuracy")
        if known := [v for v in curve if v is not None]:
            best = max(known)
            at = curve.index(best) + 1
            found.append(Peak(g.label, seen.said(g.label), best, at, len(curve)))
    return sorted(found, key=lambda p: (-p.accuracy, p.name))


def _fate(group: Group) -> tuple[str, int] | None:
    """Which of FATES the mean validation loss met, and after which epoch (0: no matter).

    Overfitting is a validation loss that rises while the training loss goes on falling.
    None where there is no curve to judge.
    """
    curve = intervals.curve(group.ok, "val_loss")
    train = intervals.curve(group.ok, "train_loss")
    looks = [epoch for epoch, loss in enumerate(curve) if loss is not None]
    known = [loss for loss in curve if loss is not None]
    if len(known) < 2 or looks[-1] != len(curve) - 1:
        return None
    best = known.index(min(known))
    if known[-1] > RISEN * known[best]:
        now, then = train[-1], train[looks[best]]
        falls = now is not None and then is not None and now < then
        return ("overfits" if falls else "worse"), looks[best] + 1
    return ("improving" if known[-1] < FALLING * known[-2] else "level"), 0


# What is said of a size: words, a number where there is one, and more words.
Said = tuple[str, str, str]


def _over_sizes(said: Mapping[int, Said], of_all: str = "") -> str:
    """What is said of which sizes, neighbours of which the same is said together.

    Where that is too long, of the smallest and of the largest ones, or of the largest alone.
    `of_all` holds for each.
    """
    spans = groupby(said.items(), lambda one: (one[1][0], one[1][2]))
    each = [_over_span(dict(span)) for _, span in spans]
    for some in (each, [each[0], each[-1]], each[-1:]):
        title = brief("; ".join(some)) + of_all
        if len(title) <= MOST_LETTERS:
            break
    return title[:1].upper() + title[1:]


def _over_span(said: Mapping[int, Said]) -> str:
    """What is said of sizes next to each other, which differs in its number alone."""
    sizes = [*said]
    first, last = sizes[0], sizes[-1]
    images = " to ".join(text.unique(map(text.count, (first, last))))
    words, _, more = said[first]
    number = " to ".join(text.unique(said[size][1] for size in (first, last)))
    return " ".join(text.unique([f"with {images} images", words, number, more]))
