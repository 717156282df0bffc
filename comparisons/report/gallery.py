"""Test images that the headline's two arms disagree on, though both are sure.

Where no answers or no images are kept there is no gallery.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from comparisons.core.samples import Samples
from comparisons.findings.disputes import disputes
from comparisons.findings.view import View
from comparisons.report.strip import Pictured, answered, kept

MOST_BYTES = 100_000  # of the images of a page


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


def gallery(folder: Path, seen: View) -> Gallery | None:
    """The kept images that the headline's arms still disagree on; None without any."""
    samples = kept(folder, seen, disputed=True)
    found = disputes(folder, seen) if samples else None
    if samples is None or found is None:
        return None
    place = {int(row): i for i, row in enumerate(samples.rows)}
    rows = [row for row in found.rows.tolist() if row in place]
    order = np.array([place[row] for row in rows], int)
    some = Samples(samples.rows[order], samples.labels[order], samples.images[order])
    strip = answered(folder, seen, some, found.seed) if rows else None
    if strip is None:
        return None
    bytes_so_far = accumulate(len(picture.image) for picture in strip.pictures)
    pictures = tuple(
        picture
        for picture, size in zip(strip.pictures, bytes_so_far, strict=True)
        if size <= MOST_BYTES
    )
    if not pictures:
        return None
    first, second = (g.name for g in found.pair)
    return Gallery(
        pictures,
        (first, second),
        found.seed,
        len(found.rows),
        found.images,
        rows[: len(pictures)] == found.rows[: len(pictures)].tolist(),
        strip.left_out,
    )
