"""Test images that results chose: what two arms disagree on, and what the arms get wrong.

Where no answers or no images are kept there is no gallery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from comparisons.core.samples import Samples
from comparisons.findings import mistakes as found_mistakes
from comparisons.findings import text
from comparisons.findings.disputes import SHOWN, disputes
from comparisons.findings.mistakes import EACH, Confusion, Mistakes, confusions, examples
from comparisons.findings.names import shortened
from comparisons.findings.view import View
from comparisons.report.strip import MOST_LETTERS, Pictured, Strip, answered, kept

MOST_BYTES = 100_000  # of the images of a gallery


@dataclass(frozen=True)
class Gallery:
    """The images, what the two arms are called, and of how many images they differ on how many.

    `surest` says whether no others are disputed by two arms as sure; `left_out` counts arms whose
    answers have no room.
    """

    pictures: tuple[Pictured, ...]
    names: tuple[str, str]
    seed: int
    different: int
    images: int
    surest: bool
    left_out: int


@dataclass(frozen=True)
class Shelf:
    """Some images, and what they have in common."""

    says: str
    pictures: tuple[Pictured, ...]


@dataclass(frozen=True)
class Wrong:
    """Each arm's surest mistakes, and the most frequent confusions."""

    surest: tuple[Shelf, ...]
    confused: tuple[Shelf, ...]


def gallery(folder: Path, seen: View) -> Gallery | None:
    """The kept images that the headline's arms still disagree on; None without any."""
    samples = kept(folder, seen, chosen=True)
    found = disputes(folder, seen) if samples else None
    if samples is None or found is None:
        return None
    rows = found.rows[np.isin(found.rows, samples.rows)][:SHOWN]
    shown = _pictured(folder, seen, samples, rows, found.seed)
    if shown is None:
        return None
    first, second = (g.name for g in found.pair)
    return Gallery(
        shown.pictures,
        (first, second),
        found.seed,
        len(found.rows),
        found.images,
        [p.row for p in shown.pictures] == found.rows[: len(shown.pictures)].tolist(),
        shown.left_out,
    )


def wrong(folder: Path, seen: View) -> Wrong | None:
    """The kept images that arms name wrongly; None without any."""
    samples = kept(folder, seen, chosen=True)
    if samples is None:
        return None
    answers = found_mistakes.answered(folder, seen)
    # Of an arm whose surest mistakes are not among the kept images others must not pass for them.
    known = [
        one
        for one in found_mistakes.mistakes(answers)
        if np.isin(one.rows[:EACH], samples.rows).all()
    ]
    pairs = confusions(answers)
    names = [shortened(name, MOST_LETTERS) for name in seen.records[0].data.classes]

    def shelf(says: str, rows: np.ndarray, seed: int, shelves: int) -> Shelf | None:
        found = _pictured(folder, seen, samples, rows[:EACH], seed, MOST_BYTES // shelves)
        return Shelf(says, found.pictures) if found else None

    surest = [shelf(_mistaken(m), m.rows, m.of.record.seed, len(known)) for m in known]
    confused = [
        shelf(
            _confused(c, names),
            examples(c, samples.rows, samples.labels),
            c.of[0].record.seed,
            len(pairs),
        )
        for c in pairs
    ]
    found = Wrong(tuple(filter(None, surest)), tuple(filter(None, confused)))
    return found if found.surest or found.confused else None


def _pictured(
    folder: Path,
    seen: View,
    samples: Samples,
    rows: np.ndarray,
    seed: int,
    most_bytes: int = MOST_BYTES,
) -> Strip | None:
    """Those rows of the kept images in their order, as many as there is room for; None for none."""
    place = {int(row): i for i, row in enumerate(samples.rows)}
    order = np.array([place[row] for row in rows.tolist()], int)
    found = answered(folder, seen, samples.some(order), seed) if len(order) else None
    if found is None:
        return None
    so_far = accumulate(len(picture.image) for picture in found.pictures)
    shown = [p for p, size in zip(found.pictures, so_far, strict=True) if size <= most_bytes]
    return Strip(tuple(shown), found.seeds, found.left_out) if shown else None


def _mistaken(found: Mistakes) -> str:
    of = found.of
    share = f"{text.count(len(found.rows))} of {text.count(len(of.certainties))} test images"
    return f"{of.group.name} (seed {of.record.seed}) names {share} wrongly"


def _confused(found: Confusion, names: Sequence[str]) -> str:
    each = (
        f"{text.count(count)} by {one.group.name}"
        for one, count in zip(found.of, found.counts, strict=True)
    )
    return f"{names[found.truth]} taken for {names[found.called]}: {text.listing(list(each))}"
