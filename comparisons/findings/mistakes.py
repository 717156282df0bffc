"""Which test images say most about the arms' mistakes: the surest ones, and what they confuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from comparisons.core import predictions
from comparisons.core.records import Record
from comparisons.findings import intervals, race
from comparisons.findings.disputes import SHOWN, disputes, own_test_set
from comparisons.findings.groups import Group
from comparisons.findings.view import View

MOST_ARMS = 6  # whose mistakes are worth showing
EACH = 5  # images of an arm's mistakes, and of a confusion
MOST_PAIRS = 4  # of classes that are taken for each other


@dataclass(frozen=True)
class Answered:
    """What an arm's run answered to all test images: certainties [n, classes]."""

    group: Group
    record: Record
    certainties: np.ndarray


@dataclass(frozen=True)
class Mistakes:
    """The test images that a run named wrongly: rows int64 [n], the surest first."""

    of: Answered
    rows: np.ndarray


@dataclass(frozen=True)
class Confusion:
    """Test images of class `truth` that were called `called`; how many by each of the runs."""

    truth: int
    called: int
    of: tuple[Answered, ...]
    counts: tuple[int, ...]


def answered(folder: Path, seen: View) -> list[Answered]:
    """A run of each arm of the main size whose answers are kept, the most accurate first."""
    found = (_answered(folder, g, own_test_set(seen)) for g in seen.best_first(seen.size))
    return [one for one in found if one][:MOST_ARMS]


def _answered(folder: Path, g: Group, only: int | None) -> Answered | None:
    for record in g.ok:
        certainties = predictions.shares(folder, record) if only in (None, record.seed) else None
        if certainties is not None:
            return Answered(g, record, certainties)
    return None


def mistakes(answers: Sequence[Answered]) -> list[Mistakes]:
    """What each run named wrongly, where that was noted image by image and there is any."""
    found = []
    for one in answers:
        right = intervals.named_rightly(one.record)
        if right is not None and len(right) == len(one.certainties):
            wrong = np.flatnonzero(~right)
            surest = np.argsort(-one.certainties.max(axis=1)[wrong], kind="stable")
            found.append(Mistakes(one, wrong[surest]))
    return [one for one in found if len(one.rows)]


def confusions(answers: Sequence[Answered]) -> list[Confusion]:
    """The classes that the headline's two arms take for others most often, or that a single arm."""
    pair = race.rivals([one.group for one in answers])
    of = tuple(one for one in answers if pair is None or one.group in pair)
    tables = [np.array(one.record.test.confusion) for one in of if one.record.test]
    sides = {one.certainties.shape[1:] * 2 for one in of} | {table.shape for table in tables}
    if len(sides) != 1:
        return []
    each = np.stack(tables)
    off = each.sum(axis=0)
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:MOST_PAIRS]
    pairs = np.stack(np.unravel_index(order, off.shape), axis=1).tolist()
    return [
        Confusion(truth, called, of, tuple(each[:, truth, called].tolist()))
        for truth, called in pairs
        if off[truth, called]
    ]


def examples(found: Confusion, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Those of some test images, `rows` with `labels`, that any of the runs confuses so.

    Those first that all together hold for the wrong class most.
    """
    some = rows[labels == found.truth]
    shares = np.stack([one.certainties[some] for one in found.of])
    confused = (shares.argmax(axis=2) == found.called).any(axis=0)
    held = shares[..., found.called].mean(axis=0)[confused]
    return some[confused][np.argsort(-held, kind="stable")]


def worth_showing(folder: Path, seen: View, labels: np.ndarray) -> np.ndarray:
    """Rows of the test images [n] that a page has something to say of, each once."""
    disputed = disputes(folder, seen)
    answers = answered(folder, seen)
    everything = np.arange(len(labels))
    if any(len(one.certainties) != len(labels) for one in answers):
        return everything[:0]
    found = [
        everything[:0],
        *([disputed.rows[:SHOWN]] if disputed else []),
        *(one.rows[:EACH] for one in mistakes(answers)),
        *(examples(one, everything, labels)[:EACH] for one in confusions(answers)),
    ]
    return np.unique(np.concatenate(found))
