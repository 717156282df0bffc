"""The title of each figure: what it shows, computed from the records it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comparisons.core.records import Record
from comparisons.findings import intervals, text, verdict
from comparisons.findings.groups import Group
from comparisons.findings.view import View, cold, view
from comparisons.findings.view import accuracy as accuracy_of

RISEN = 1.05  # validation loss this far above its lowest has risen, not wavered
FALLING = 0.99  # and one that still fell below this share of the epoch before is not done

MANY = 3  # more arms than this are counted in a title, not named

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
    met = {seen.name(g.label): found for g in seen.at(seen.size) if (found := _fate(g))}
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
    """How many arms overfit at each size."""
    seen = view(records)
    phrases = {}
    for size in seen.sizes:
        fates = [fate[0] for g in seen.at(size) if (fate := _fate(g))]
        overfit = fates.count("overfits")
        phrases[size] = f"{overfit or 'none'} of {text.plural(len(fates), 'arm')} overfit"
    return _each_size(phrases)


def accuracy(records: Sequence[Record]) -> str:
    """Who reached the highest validation accuracy, and when."""
    seen = view(records)
    peaks = _peaks(seen, seen.size)
    if not peaks:
        return _nothing(seen, "accuracy curve")
    top, *others = peaks
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
    """Who reached the highest validation accuracy at each size."""
    seen = view(records)
    tops = {size: peaks[0] for size in seen.sizes if (peaks := _peaks(seen, size))}
    phrases = {n: f"{p.name} reaches {text.percent(p.accuracy)}" for n, p in tops.items()}
    return f"{_each_size(phrases)} on validation images" if phrases else accuracy(records)


@dataclass(frozen=True)
class Race:
    """When two arms reached the same validation accuracy, the first to do so first."""

    level: float
    first: Group
    second: Group
    seconds: tuple[float, float]

    @property
    def close(self) -> bool:
        """Whether the two times are about the same."""
        return self.seconds[1] - self.seconds[0] <= verdict.SAME_TIME * self.seconds[1]


def race(seen: View, size: int) -> Race | None:
    """The two rivals of a size on their way to the highest accuracy that both reached."""
    pair = verdict.rivals(seen.best_first(size))
    level = intervals.common_level(pair) if pair else None
    if pair is None or level is None:
        return None
    (t1, _, first), (t2, _, second) = sorted(
        ((_reach(g, level), g.label, g) for g in pair), key=lambda item: item[:2]
    )
    return Race(level, first, second, (t1, t2))


def time(records: Sequence[Record]) -> str:
    """Who reached the common accuracy first, all preparation charged."""
    seen = view(records)
    ended = seen.best_first(seen.size)
    if not ended:
        return _nothing(seen, "accuracy to reach")
    if len(ended) == 1:
        return verdict.alone(ended[0])
    found = race(seen, seen.size)
    if found is None:
        names = text.listing([seen.name(g.label) for g in verdict.rivals(ended) or ended])
        return f"{names} reached no validation accuracy in common"
    goal = text.percent(found.level, 0)
    first, second = (text.seconds(t) for t in found.seconds)
    if found.close:
        names = text.listing([seen.name(g.label) for g in (found.first, found.second)])
        return f"{names} reach {goal} in about the same time, {first} and {second}"
    one, other = (seen.name(g.label) for g in (found.first, found.second))
    return f"{one} reaches {goal} in {first}; {other} needs {second}"


def time_by_size(records: Sequence[Record]) -> str:
    """Who reached the common accuracy first at each size."""
    seen = view(records)
    phrases = {}
    for size in seen.sizes:
        if found := race(seen, size):
            goal = text.percent(found.level, 0)
            names = [seen.name(g.label) for g in (found.first, found.second)]
            phrases[size] = (
                f"{names[0]} and {names[1]} reach {goal} together"
                if found.close
                else f"{names[0]} is at {goal} before {names[1]}"
            )
    return _each_size(phrases) if phrases else time(records)


def final(records: Sequence[Record]) -> str:
    """The test accuracies of the headline's two arms, and what the seeds say of their gap."""
    seen = view(records)
    ended = seen.best_first(seen.size)
    pair = verdict.rivals(ended)
    if not ended:
        return _nothing(seen, "test accuracy")
    if pair is None:
        only = accuracy_of(ended[0])
        return f"{seen.name(ended[0].label)}: {text.percent(only.mean)} on the test set"
    if sizes := verdict.by_size(seen, short=True):
        return sizes[0].rstrip(".")
    found = verdict.verdict(*pair)
    each = ", ".join(f"{seen.name(g.label)} {text.percent(accuracy_of(g).mean)}" for g in pair)
    return f"{each}: {verdict.difference(found)}"


def split(records: Sequence[Record]) -> str:
    """On what each of the headline's arms spent most of its time."""
    seen = view(records)
    ended = seen.best_first(seen.size)
    if not ended:
        return _nothing(seen, "time to split")
    phrases = []
    for g in verdict.rivals(ended) or ended[:1]:
        parts, whole = time_parts(g), cold(g) or 0.0
        name = max(parts, key=lambda part: parts[part])
        share = parts[name] / whole if whole else 0.0
        phrases.append(
            f"{seen.name(g.label)} spends {text.percent(share, 0)} of its {text.seconds(whole)} "
            f"on {name}"
        )
    return "; ".join(phrases)


def time_parts(group: Group) -> dict[str, float]:
    """Mean seconds of each part of a cold run; `other` is what no clock was put on."""
    runs = [r.seconds for r in group.ok]
    n = max(1, len(runs))
    parts = {
        "reading data": sum(s.setup for s in runs) / n,
        "source phase": sum(s.source_cold for s in runs) / n,
        "extracting features": sum(s.extract_cold for s in runs) / n,
        "compiling": sum(s.compile for s in runs) / n,
        "training": sum(s.train for s in runs) / n,
        "evaluating": sum(s.evaluate for s in runs) / n,
    }
    return {**parts, "other": max(0.0, (cold(group) or 0.0) - sum(parts.values()))}


def confusion(records: Sequence[Record]) -> str:
    """The pair of classes that the arms confuse most."""
    seen = view(records)
    worst: list[tuple[float, int, int, str]] = []
    for g in seen.best_first(seen.size):
        matrix = intervals.mean_confusion(g.ok) or []
        cells = [
            (-share, i, j, seen.name(g.label))
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

    name: str
    accuracy: float
    epoch: int
    epochs: int


def _peaks(seen: View, size: int) -> list[Peak]:
    """Every arm's peak at one size, the highest first."""
    peaks = []
    for g in seen.at(size):
        curve = intervals.curve(g.ok, "val_accuracy")
        if known := [v for v in curve if v is not None]:
            peaks.append(
                Peak(seen.name(g.label), max(known), curve.index(max(known)) + 1, len(curve))
            )
    return sorted(peaks, key=lambda p: (-p.accuracy, p.name))


def _fate(group: Group) -> tuple[str, int] | None:
    """Which of FATES the mean validation loss met, and after which epoch (0: no matter).

    Overfitting is a validation loss that rises while the training loss goes on falling.
    None where there is no curve to judge.
    """
    curve = intervals.curve(group.ok, "val_loss")
    train = intervals.curve(group.ok, "train_loss")
    known = [v for v in curve if v is not None]
    if len(known) < 2 or len(known) < len(curve):
        return None
    best = known.index(min(known))
    if known[-1] > RISEN * known[best]:
        now, then = train[-1], train[best]
        falls = now is not None and then is not None and now < then
        return ("overfits" if falls else "worse"), best + 1
    return ("improving" if known[-1] < FALLING * known[-2] else "level"), 0


def _each_size(phrases: Mapping[int, str]) -> str:
    return "; ".join(
        f"{'with' if i else 'With'} {text.count(size)} images {phrase}"
        for i, (size, phrase) in enumerate(phrases.items())
    )


def _reach(group: Group, level: float) -> float:
    times = [intervals.time_to_accuracy(r, level) for r in group.ok]
    return intervals.mean_of(times) or 0.0
