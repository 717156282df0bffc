"""Test images that results chose: what two arms disagree on, and what the arms get wrong.

Where no answers or no images are kept there is no gallery.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path

import numpy as np
from markupsafe import Markup

from comparisons.core.samples import Samples, data_uri, read_looked
from comparisons.findings import mistakes as found_mistakes
from comparisons.findings import suspects, text
from comparisons.findings.disputes import SHOWN, disputes
from comparisons.findings.mistakes import EACH, Answered, Confusion, confusions, examples, mistakes
from comparisons.findings.names import shortened
from comparisons.findings.view import View
from comparisons.report.strip import MOST_LETTERS, Pictured, Strip, answered, kept

MOST_BYTES = 100_000  # of the images of a gallery
LOOKED = "; below each, where it looked (Grad-CAM): what is dark there spoke for nothing"


@dataclass(frozen=True)
class Gallery:
    """The images, what the two arms are called, and of how many images they differ on how many.

    `surest` says whether no others are disputed by two arms as sure; `left_out` counts arms whose
    answers have no room; `looker` is the arm whose network is known to have looked where, if any.
    """

    pictures: tuple[Pictured, ...]
    names: tuple[str, str]
    seed: int
    different: int
    images: int
    surest: bool
    left_out: int
    looker: str = ""


@dataclass(frozen=True)
class Shelf:
    """Some images, and what they have in common."""

    says: str
    pictures: tuple[Pictured, ...]


@dataclass(frozen=True)
class Wrong:
    """Each arm's surest mistakes, the most frequent confusions, and what has a doubtful label."""

    surest: tuple[Shelf, ...]
    confused: tuple[Shelf, ...]
    doubted: tuple[Shelf, ...]


@dataclass(frozen=True)
class _Kept:
    """The kept images that results chose, with what each arm's run of a seed answered."""

    folder: Path
    seen: View
    samples: Samples
    by_seed: dict[int, Strip | None] = field(default_factory=dict)

    def strip(self, seed: int) -> Strip | None:
        """All of them, answered by the runs of a seed."""
        if seed not in self.by_seed:
            self.by_seed[seed] = answered(self.folder, self.seen, self.samples, seed)
        return self.by_seed[seed]

    def of(self, rows: np.ndarray, seed: int, most_bytes: int = MOST_BYTES) -> tuple[Pictured, ...]:
        """Those of some rows of the test set, in that order, as many as there is room for."""
        strip = self.strip(seed)
        by_row = {picture.row: picture for picture in strip.pictures} if strip else {}
        wanted = [by_row[row] for row in rows.tolist() if row in by_row]
        so_far = accumulate(len(picture.image) for picture in wanted)
        return tuple(p for p, size in zip(wanted, so_far, strict=True) if size <= most_bytes)


def gallery(folder: Path, seen: View) -> Gallery | None:
    """The kept images that the headline's arms still disagree on; None without any."""
    samples = kept(folder, seen, chosen=True)
    found = disputes(folder, seen) if samples else None
    if samples is None or found is None:
        return None
    images = _Kept(folder, seen, samples)
    rows = found.rows[np.isin(found.rows, samples.rows)][:SHOWN]
    pictures, strip = images.of(rows, found.seed), images.strip(found.seed)
    if not pictures or strip is None:
        return None
    first, second = (g.name for g in found.pair)
    lit = [_lit(folder, record, pictures) for record in found.records]
    looker = next((name for name, some in zip((first, second), lit, strict=True) if some), "")
    return Gallery(
        next(filter(None, lit), pictures),
        (first, second),
        found.seed,
        len(found.rows),
        found.images,
        [p.row for p in pictures] == found.rows[: len(pictures)].tolist(),
        strip.left_out,
        looker,
    )


def wrong(folder: Path, seen: View) -> Wrong | None:
    """The kept images that arms name wrongly, or whose label may be wrong; None without any."""
    samples = kept(folder, seen, chosen=True)
    answers = found_mistakes.answered(folder, seen) if samples else []
    if samples is None or not answers:
        return None
    images = _Kept(folder, seen, samples)
    found = Wrong(_surest(images, answers), _confused(images, answers), _doubted(images, answers))
    return found if found.surest or found.confused or found.doubted else None


def _surest(images: _Kept, answers: Sequence[Answered]) -> tuple[Shelf, ...]:
    """Of each arm the mistakes that it is surest of."""
    found = mistakes(answers)
    # Where some of these are not among the images, others must not pass for them.
    whole = [one for one in found if np.isin(one.rows[:EACH], images.samples.rows).all()]
    each = []
    for one in whole:
        says = (
            f"{one.of.group.name} (seed {one.of.record.seed}) names "
            f"{_share(len(one.rows), one.of)} wrongly"
        )
        some = images.of(one.rows[:EACH], one.of.record.seed, MOST_BYTES // len(whole))
        lit = _lit(images.folder, one.of.record.id, some)
        each.append((says + (LOOKED if lit else ""), lit or some))
    return _shelves(each)


def _lit(folder: Path, record: str, some: Sequence[Pictured]) -> tuple[Pictured, ...]:
    """The same with where the run's network looked in each; none where that is not known of all."""
    found = read_looked(folder, record)
    by_row = dict(zip(found.rows.tolist(), found.images, strict=True)) if found else {}
    if not all(picture.row in by_row for picture in some):
        return ()
    return tuple(replace(p, looked=Markup(data_uri(by_row[p.row]))) for p in some)


def _confused(images: _Kept, answers: Sequence[Answered]) -> tuple[Shelf, ...]:
    """The most frequent confusions."""
    found = confusions(answers)
    names = [shortened(n, MOST_LETTERS) for n in images.seen.records[0].data.classes]
    return _shelves(
        (
            f"{names[one.truth]} taken for {names[one.called]}: {_counted(one)}",
            images.of(
                examples(one, images.samples.rows, images.samples.labels)[:EACH],
                one.of[0].record.seed,
                MOST_BYTES // len(found),
            ),
        )
        for one in found
    )


def _doubted(images: _Kept, answers: Sequence[Answered]) -> tuple[Shelf, ...]:
    """Images whose label is probably wrong, on one shelf."""
    of, rows = answers[0], np.array(images.samples.suspects, int)
    by = f"by what {of.group.name} (seed {of.record.seed}) answered"
    return _shelves(
        [(f"{_share(len(rows), of)}, {by}", images.of(rows[: suspects.SHOWN], of.record.seed))]
    )


def _shelves(each: Iterable[tuple[str, tuple[Pictured, ...]]]) -> tuple[Shelf, ...]:
    """Those that have any images on them."""
    return tuple(Shelf(says, pictures) for says, pictures in each if pictures)


def _counted(found: Confusion) -> str:
    each = zip(found.of, found.counts, strict=True)
    return text.listing([f"{text.count(count)} by {one.group.name}" for one, count in each])


def _share(count: int, of: Answered) -> str:
    return f"{text.count(count)} of {text.count(len(of.certainties))} test images"
