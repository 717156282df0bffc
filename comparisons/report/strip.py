"""A few test images with what each arm answered, from files that the runs left beside the records.

Where these files are not there (older results, committed evidence) there is no strip.
"""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup
from PIL import Image

from comparisons.core import samples
from comparisons.core.records import Record
from comparisons.findings import race
from comparisons.findings.groups import Group
from comparisons.findings.view import View

MOST_ARMS = 6  # whose answers fit under an image


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
    """A test image as a data URI, its true class and its row in the test set."""

    image: Markup
    truth: str
    row: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Strip:
    """The images, which seeds' runs answered, and whether other arms had no room."""

    pictures: tuple[Pictured, ...]
    seeds: tuple[int, ...]
    left_out: int


def strip(folder: Path, seen: View) -> Strip | None:
    """The samples under `folder` and the answers of the main size's arms; None without any."""
    if not seen.records:
        return None
    data = seen.records[0].data
    # Where each seed has a test set of its own, one of these is shown.
    only = min(r.seed for r in seen.records) if data.drawn_from else None
    found = samples.read(folder, data.fingerprint, only)
    if found is None or not all(0 <= label < len(data.classes) for label in found.labels):
        return None
    told = [(g, *one) for g in _rivals_first(seen) if (one := _told(folder, g, found.rows, only))]
    if not told:
        return None
    shown = told[:MOST_ARMS]
    pictures = tuple(
        Pictured(
            _data_uri(image),
            data.classes[label],
            int(row),
            tuple(_answer(g, shares[i], int(label)) for g, _, shares in shown),
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
    folder: Path, g: Group, rows: np.ndarray, only: int | None
) -> tuple[int, np.ndarray] | None:
    """The first seed of an arm whose logits are there, and its certainties [n, classes].

    Of one seed alone where one is named.
    """
    for record in (r for r in g.ok if only in (None, r.seed)):
        shares = _shares(folder, record, rows)
        if shares is not None:
            return record.seed, shares
    return None


def _shares(folder: Path, record: Record, rows: np.ndarray) -> np.ndarray | None:
    """Softmax of a run's logits for some test images; None where they cannot be used."""
    path = folder / "predictions" / f"{Path(record.id).name}.npy"
    try:
        logits = np.load(path, mmap_mode="r", allow_pickle=False)
        shape = (record.data.sizes.test, len(record.data.classes))
        # Of a part of the test images nobody knows here which they are.
        if (
            record.settings.test_on
            or logits.shape != shape
            or logits.dtype.kind != "f"
            or not (rows >= 0).all()
        ):
            return None
        some = logits[rows].astype(np.float64)
    except Exception:
        # Not there, or damaged: a header is read by Python's own parser.
        return None
    if not np.isfinite(some).all():
        return None
    odds = np.exp(some - some.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _answer(g: Group, shares: np.ndarray, truth: int) -> Answer:
    called = int(shares.argmax())
    classes = g.records[0].data.classes
    return Answer(g.label, g.name, classes[called], float(shares[called]), called == truth)


def _data_uri(image: np.ndarray) -> Markup:
    file = io.BytesIO()
    Image.fromarray(image if image.shape[-1] == 3 else image[..., 0]).save(file, "png")
    return Markup(f"data:image/png;base64,{b64encode(file.getvalue()).decode()}")
