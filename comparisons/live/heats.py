"""A heat: the runs that race each other, on the same images with the same seed; as data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import nlargest
from itertools import permutations

import msgspec

from comparisons.core.records import Epoch, Record
from comparisons.data.dataset import Dataset
from comparisons.findings import text
from comparisons.findings.groups import ending, group_runs
from comparisons.findings.looks import looks
from comparisons.findings.names import arm_name, shortened
from comparisons.plan.runs import Run

MOST_CLASSES = 12  # whose table can be read
MOST_MISTAKES = 3
MOST_LETTERS = 20  # of a class's name


class Point(msgspec.Struct, frozen=True):
    """What an epoch brought; `seconds` of learning since the start, with an empty cache."""

    epoch: int
    phase: str
    seconds: float
    train_loss: float | None
    train_accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None


class Mistake(msgspec.Struct, frozen=True):
    """A class that was called another one: `count` of its so many `images`."""

    truth: str
    called: str
    count: int
    images: int


class Confusion(msgspec.Struct, frozen=True):
    """What test images were taken for: the most frequent mistakes, and all counts.

    `rows` are [truth][called] in the order of `classes`; both are empty of too many classes.
    """

    classes: list[str]
    rows: list[list[int]]
    most: list[Mistake]


class Track(msgspec.Struct):
    """One run as it is shown: `epochs` are planned, `seconds` all that it learnt for.

    `status` is empty until it has ended; `test` is the accuracy on test images, `confusion` what
    these were taken for.
    """

    label: str
    name: str
    colour: str
    glyph: str
    epochs: int
    points: list[Point] = []
    seconds: float = 0.0
    status: str = ""
    error: str | None = None
    test: float | None = None
    confusion: Confusion | None = None


class Heat(msgspec.Struct):
    """Runs on the same images with the same seed; `validation` and `tests` count images."""

    key: str
    title: str
    tracks: list[Track]
    notices: list[str] = []
    validation: int | None = None
    tests: int | None = None


def point(entry: Epoch, number: int) -> Point:
    """An epoch of a record, the `number`-th of its run from 1 on."""
    return Point(
        number,
        entry.phase,
        entry.elapsed_cold,
        entry.train_loss,
        entry.train_accuracy,
        entry.val_loss,
        entry.val_accuracy,
    )


def of_records(records: Sequence[Record]) -> list[Heat]:
    """The heats of a folder's records: the one with most arms first, then by size and seed.

    A heat of a single arm is one too. Runs that failed before their first epoch are in it, so that
    nobody asks where they are.
    """
    labels = {r.id: g.label for g in group_runs(records) for r in g.records}
    found: dict[tuple[str, str, int, int], list[Record]] = defaultdict(list)
    for r in records:
        found[r.data.name, r.data.fingerprint, r.train_size, r.seed].append(r)
    heats: dict[tuple[str, str, int, int], Heat] = {}
    several = len({key[:2] for key in found}) > 1
    for key, runs in sorted(found.items()):
        name, fingerprint, size, seed = key
        sizes = [r.data.sizes for r in runs]
        by_label = {labels[r.id]: _track(labels[r.id], r) for r in runs}
        heats[key] = Heat(
            key=f"{f'{fingerprint[:6]}-' if several else ''}n{size}-s{seed}",
            title=_title(name, size, seed),
            tracks=_tracks(dict(sorted(by_label.items()))),
            notices=_notices(runs),
            validation=next((s.validation for s in sizes if s.validation), None),
            tests=next((s.test for s in sizes if s.test), None),
        )
    order = sorted(heats, key=lambda key: (-len(heats[key].tracks), -key[2], key[3]))
    return [heats[key] for key in order]


def of_plan(planned: Sequence[Run], data: Dataset, notices: Sequence[str]) -> Heat:
    """The heat that a plan of one size and seed will be."""
    first = planned[0]
    dealt = data.dealt(first.tested).tested_on(first.settings.test_on)
    rows = dealt.subset(first.seed, first.train_size, first.settings.validate_on)
    tracks = {run.name: _empty(run.name, sum(p.epochs for p in run.phases)) for run in planned}
    return Heat(
        key=f"n{first.train_size}-s{first.seed}",
        title=_title(data.name, first.train_size, first.seed),
        tracks=_tracks(tracks),
        notices=[*notices, *_drawn(data.synthetic)],
        validation=len(rows.validation),
        tests=len(dealt.x_test),
    )


def _title(name: str, size: int, seed: int) -> str:
    return f"{name} · {text.count(size)} training images · seed {seed}"


def _tracks(by_label: dict[str, Track]) -> list[Track]:
    """The same with the looks that these arms have together."""
    for label, look in looks(by_label).items():
        by_label[label].colour, by_label[label].glyph = look.colour, look.glyph
    return list(by_label.values())


def _empty(label: str, epochs: int) -> Track:
    return Track(label, arm_name(label), "", "", epochs)


def _track(label: str, record: Record) -> Track:
    track = _empty(label, len(record.history))
    track.points = [point(entry, n) for n, entry in enumerate(record.history, start=1)]
    end(track, record)
    return track


def end(track: Track, record: Record) -> None:
    """Take note of how a run ended."""
    track.seconds = record.seconds.learning_cold
    track.status, track.error = ending(record), record.error and text.clean(record.error)
    if record.test:
        track.test = record.test.accuracy
        track.confusion = _confusion(record.test.confusion, record.data.classes)


def _confusion(rows: list[list[int]], names: Sequence[str]) -> Confusion | None:
    """None where no confusion was noted."""
    if not rows or {len(rows), *map(len, rows)} != {len(names)}:
        return None
    classes = [shortened(name, MOST_LETTERS) for name in names]
    pairs = permutations(range(len(classes)), 2)
    worst = nlargest(MOST_MISTAKES, pairs, key=lambda pair: rows[pair[0]][pair[1]])
    most = [Mistake(classes[i], classes[j], rows[i][j], sum(rows[i])) for i, j in worst]
    room = len(classes) <= MOST_CLASSES
    shown = (classes, rows) if room else ([], [])
    return Confusion(*shown, [one for one in most if one.count])


def _notices(runs: Iterable[Record]) -> list[str]:
    notices = text.unique(note for r in runs for note in [*r.notices, r.data.note])
    notices += _drawn(any(r.data.synthetic for r in runs))
    if any(r.settings.live for r in runs):
        notices.append("Shown live when it ran: a demonstration, not evidence.")
    return text.unique(map(text.clean, notices))


def _drawn(synthetic: bool) -> list[str]:
    said = (
        "These images were drawn by a program: what they show holds for them, not for photographs."
    )
    return [said] if synthetic else []
