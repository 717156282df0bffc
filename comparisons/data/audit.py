"""What is seen in pictures before any training: copies, near copies, odd, dark, blank and blurred.

Thresholds of dark and odd shapes are those of cleanvision 0.3.6; near copies are found by the
perceptual hash of imagehash 4.3 (phash) and confirmed on small grey pictures.
"""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from comparisons.core.audit import MOST_SHOWN, Audit, Found, Kind, Left, Picture, Sides, shown
from comparisons.data.listing import File
from comparisons.data.pictures import Seen

# Raise when other pictures are found to be the same: kept copies of older rules are not used.
RULES = 1
DARK = 0.32 * 255  # 99 % of the pixels are below
FLAT = 12  # between the 1st and the 99th percentile of brightness
BLURRED = 4.0  # standard deviation of the Laplacian
LONG = 1 / 0.35  # the longer side over the shorter
APART = 7  # bits of 64 in which the hashes of near copies differ at most
ALIKE = 0.85  # of small near copies: contrast and structure of SSIM, 1 for the same
FLOOR = 50.0  # what keeps that from being 0 / 0 for blank ones: a variance of brightness
BLOCK = 2048  # hashes compared at once
THUMBNAIL = 96


@dataclass(frozen=True)
class Looked:
    """The pictures that were read, row by row: their files, and what is known of each."""

    files: Sequence[File]
    seen: Sequence[Seen]

    def __len__(self) -> int:
        return len(self.files)


def same(looked: Looked) -> np.ndarray:
    """For each picture the number of the group of pictures that show the same, int32 [n].

    Near copies of near copies are in one group.
    """
    # Loaded here: what only asks which data sets there are does without it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    small = np.stack([seen.small for seen in looked.seen])
    pairs = [*_equal([seen.digest for seen in looked.seen]), *_near(small)]
    left, right = np.array(pairs or [(0, 0)]).T
    n = len(looked)
    joined = coo_array((np.ones(len(left), bool), (left, right)), shape=(n, n))
    return connected_components(joined, directed=False)[1].astype(np.int32)


def audit(
    looked: Looked,
    groups: np.ndarray,
    picture: Callable[[int], np.ndarray],
    left_out: Sequence[Left],
    notes: Sequence[str],
    drawn: bool,
    name: str,
    fingerprint: str,
) -> Audit:
    """What was seen; `picture` gives the kept copy of a row, uint8 [side, side, 3]."""
    side = len(picture(0))
    found: list[Found] = []
    counts: Counter[Kind] = Counter()
    for kind, rows, about in [*_repeated(looked, groups), *_alone(looked, side)]:
        counts[kind] += 1
        pictures = [
            Picture(
                shown(looked.files[row].name),
                shown(looked.files[row].label),
                looked.files[row].part,
                about,
                _thumbnail(picture(row)) if counts[kind] <= MOST_SHOWN and place < 2 else b"",
            )
            for place, row in enumerate(rows)
        ]
        found.append(Found(kind, pictures))
    classes: dict[str, dict[str, int]] = defaultdict(Counter)
    for file in looked.files:
        classes[shown(file.label)][file.part] += 1
    return Audit(
        data=name,
        fingerprint=fingerprint,
        image_size=side,
        classes={label: dict(parts) for label, parts in sorted(classes.items())},
        sides=_sides(looked.seen),
        drawn=drawn,
        left_out=list(left_out),
        found=found,
        notes=list(notes),
    )


def hashes(small: np.ndarray) -> np.ndarray:
    """Perceptual hashes, uint64 [n], of grey pictures uint8 [n, SMALL, SMALL].

    A bit for each of the 64 lowest frequencies: whether it is above their median.
    """
    from scipy.fft import dct

    found = [np.zeros(0, np.uint64)]
    for begin in range(0, len(small), BLOCK):
        values = small[begin : begin + BLOCK].astype(np.float32)
        low = dct(dct(values, axis=1)[:, :8], axis=2)[:, :, :8].reshape(len(values), 64)
        bits = np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)
        found.append(bits.view(np.uint64)[:, 0])
    return np.concatenate(found)


def _equal(keys: Sequence[object]) -> Iterator[tuple[int, int]]:
    """Each row with the first that has the same key."""
    first: dict[object, int] = {}
    for row, key in enumerate(keys):
        if (before := first.setdefault(key, row)) != row:
            yield before, row


def _near(small: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of near copies.

    Hashes that differ in at most APART of 64 bits agree in one byte of eight at least, so only
    those within a byte's bucket are compared.
    """
    bits = hashes(small)
    unique, first, inverse = np.unique(bits, return_index=True, return_inverse=True)
    for row in np.flatnonzero(first[inverse] != np.arange(len(bits))):
        if _alike(small[row][None], small[first[inverse[row]]][None])[0]:
            yield int(first[inverse[row]]), int(row)
    for byte in range(8):
        part = unique.view(np.uint8).reshape(-1, 8)[:, byte]
        order = np.argsort(part, kind="stable")
        for bucket in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
            for a, b in _close(unique, bucket):
                a, b = first[a], first[b]
                alike = _alike(small[a], small[b])
                yield from zip(a[alike].tolist(), b[alike].tolist(), strict=True)


def _close(bits: np.ndarray, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of rows whose hashes differ in few bits, a block at a time."""
    for i in range(0, len(rows), BLOCK):
        for j in range(i, len(rows), BLOCK):
            a, b = rows[i : i + BLOCK], rows[j : j + BLOCK]
            apart = np.bitwise_count(bits[a][:, None] ^ bits[b][None])
            left, right = np.nonzero(apart <= APART)
            once = left < right if i == j else np.ones(len(left), bool)
            pairs = np.stack([a[left[once]], b[right[once]]])
            for k in range(0, pairs.shape[1], BLOCK):
                yield pairs[0, k : k + BLOCK], pairs[1, k : k + BLOCK]


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether small pictures [n, SMALL, SMALL] are nearly the same, up to their brightness.

    By (2 cov + c) / (var + var + c), the second and third factor of SSIM over the whole picture
    (Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity",
    IEEE Transactions on Image Processing 13:600-612).
    """
    x, y = (one.astype(np.float32).reshape(len(one), -1) for one in (a, b))
    x, y = (one - one.mean(axis=1, keepdims=True) for one in (x, y))
    together = 2 * (x * y).mean(axis=1) + FLOOR
    return together / ((x * x).mean(axis=1) + (y * y).mean(axis=1) + FLOOR) > ALIKE


Row = tuple[Kind, list[int], str]


def _repeated(looked: Looked, groups: np.ndarray) -> Iterator[Row]:
    """Groups of several pictures, each once, by the worst that can be said of it."""
    order = np.argsort(groups, kind="stable")
    for together in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(together) < 2:
            continue
        rows = [int(row) for row in together]
        files = [looked.files[row] for row in rows]
        exact = len({looked.seen[row].digest for row in rows}) == 1
        about = "the same file" if exact else "nearly the same"
        kind: Kind = "copies" if exact else "alike"
        if len({file.part for file in files}) > 1:
            kind = "leaked"
        if len({file.label for file in files}) > 1:
            kind = "mislabelled"
            # One of each class first: these are shown.
            rows = sorted(rows, key=lambda row: looked.files[row].label)
            rows = [rows[0], rows[-1], *rows[1:-1]]
        yield kind, rows, about


def _alone(looked: Looked, side: int) -> Iterator[Row]:
    """Pictures that are odd in themselves; each by the first that applies."""
    for row, seen in enumerate(looked.seen):
        short, long = sorted((seen.width, seen.height))
        size = f"{seen.width}x{seen.height} pixels"
        if seen.bright - seen.dark < FLAT:
            yield "blank", [row], ""
        elif seen.bright < DARK:
            yield "dark", [row], ""
        elif seen.edges < BLURRED:
            yield "blurred", [row], ""
        elif long / short > LONG or 2 * short < side:
            yield "odd", [row], size


def _sides(seen: Sequence[Seen]) -> Sides:
    by_area = sorted((one.width * one.height, one.width, one.height) for one in seen)
    smallest, middle, largest = (by_area[i][1:] for i in (0, len(by_area) // 2, -1))
    return Sides(smallest, middle, largest)


def _thumbnail(picture: np.ndarray) -> bytes:
    image = Image.fromarray(picture)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    file = io.BytesIO()
    image.save(file, "jpeg", quality=80)
    return file.getvalue()
