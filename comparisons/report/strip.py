"""A few test images with what each arm answered, from files that the runs left beside the records.

Where these files are not there (older results, committed evidence) there is no strip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from comparisons.core import predictions, samples
from comparisons.core.samples import Samples
from comparisons.findings import race
from comparisons.findings.disputes import own_test_set
from comparisons.findings.groups import Group
from comparisons.findings.names import shortened
from comparisons.findings.view import View

MOST_ARMS = 6  # whose answers fit under an image
MOST_LETTERS = 40  # of a class's name, or a file's


@dataclass(frozen=True)
class Answer:
    """What an arm called an image, how certain it was (0 to 1), and whether it was right."""

    label: str
    name: str
    called: str
    certainty: float
    right: bool


@dataclass(frozen=True)
class Pictured:
    """A test image as a data URI, its true class, its row in the test set and its file, if any.

    `looked` is the same, lit where the arm whose mistake it is looked, if that is known.
    """

    image: Markup
    truth: str
    row: int
    file: str
    answers: tuple[Answer, ...]
    looked: Markup | None = None


@dataclass(frozen=True)
class Strip:
    """The images, which seeds' runs answered, and whether other arms had no room."""

    pictures: tuple[Pictured, ...]
    seeds: tuple[int, ...]
    left_out: int


def strip(folder: Path, seen: View) -> Strip | None:
    """The samples under `folder` and the answers of the main size's arms; None without any."""
    found = kept(folder, seen)
    return answered(folder, seen, found) if found else None


def kept(folder: Path, seen: View, chosen: bool = False) -> Samples | None:
    """The samples of the records' test images, or those that results chose, if any fit."""
    if not seen.records:
        return None
    data = seen.records[0].data
    seed = own_test_set(seen)
    found = samples.read(folder, data.fingerprint, seed, chosen)
    if found is None or not all(0 <= label < len(data.classes) for label in found.labels):
        return None
    sizes = [r.data.sizes.test or 0 for r in seen.records if seed in (None, r.seed)]
    tests = min(filter(None, sizes), default=0)  # a run that failed early has none
    return found if all(0 <= row < tests for row in found.rows) else None


def answered(folder: Path, seen: View, found: Samples, seed: int | None = None) -> Strip | None:
    """Some test images and the answers of the main size's arms; None without any.

    By each arm's run of `seed`, or else by the first one whose logits are there. Where each seed
    has a test set of its own, no other will do.
    """
    only = own_test_set(seen)
    seed = seed if only is None else only
    told = [
        (g, *one)
        for g in _rivals_first(seen)
        if (one := _told(folder, g, found.rows, seed, strict=only is not None))
    ]
    if not told:
        return None
    shown = told[:MOST_ARMS]
    names = [shortened(name, MOST_LETTERS) for name in seen.records[0].data.classes]
    pictures = tuple(
        Pictured(
            Markup(samples.data_uri(image)),
            names[label],
            int(row),
            shortened(found.files[i], MOST_LETTERS) if found.files else "",
            tuple(_answer(g, shares[i], int(label), names) for g, _, shares in shown),
        )
        for i, (image, label, row) in enumerate(
            zip(found.images, found.labels, found.rows, strict=True)
        )
    )
    return Strip(pictures, tuple(sorted({seed for _, seed, _ in shown})), len(told) - len(shown))


def _rivals_first(seen: View) -> list[Group]:
    """The arms of the main size, the headline's two before the others."""
    ended = seen.best_first(seen.size)
    first = race.rivals(ended) or ()
    return [*first, *(g for g in ended if g not in first)]


def _told(
    folder: Path, g: Group, rows: np.ndarray, seed: int | None, strict: bool
) -> tuple[int, np.ndarray] | None:
    """The seed of a run of an arm whose logits are there, and its certainties [n, classes]."""
    some = [r for r in g.ok if r.seed == seed] if strict else g.ok
    for record in sorted(some, key=lambda r: r.seed != seed):
        shares = predictions.shares(folder, record, rows)
        if shares is not None:
            return record.seed, shares
    return None


def _answer(g: Group, shares: np.ndarray, truth: int, names: Sequence[str]) -> Answer:
    called = int(shares.argmax())
    return Answer(g.label, g.name, names[called], float(shares[called]), called == truth)
