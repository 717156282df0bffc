"""What a run answered to every test image: logits, in a file beside its record."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np

from comparisons.core.files import write_with
from comparisons.core.records import Record


def file(folder: Path, run: str) -> Path:
    """Where the test logits of a run, by its ID, are under a folder of results."""
    return folder / "predictions" / f"{Path(run).name}.npy"


def keep(record: Record, path: Path, content: bytes) -> None:
    """Write the file of a run's test logits; its record says so where it cannot be."""
    try:
        write_with(path, lambda file: file.write(content))
        record.predictions = hashlib.sha256(content).hexdigest()
    except OSError as error:
        # What was trained is worth more than its predictions.
        record.notices.append(f"its predictions are not kept: {error.strerror or error}")


def shares(folder: Path, record: Record, rows: np.ndarray | None = None) -> np.ndarray | None:
    """Softmax of a run's logits, float64 [n, classes], for rows of the test images or for all.

    None where they are not there, cannot be used, or are not those that the record was made with.
    """
    try:
        content = file(folder, record.id).read_bytes()
        if record.predictions not in (None, hashlib.sha256(content).hexdigest()):
            return None
        logits = np.load(io.BytesIO(content), allow_pickle=False)
        shape = (record.data.sizes.test, len(record.data.classes))
        # Of a part of the test images nobody knows here which they are.
        if record.settings.test_on or logits.shape != shape or logits.dtype.kind != "f":
            return None
        if rows is not None and not (rows >= 0).all():
            return None
        some = logits[slice(None) if rows is None else rows].astype(np.float64)
    except Exception:
        # Not there, or damaged: a header is read by Python's own parser.
        return None
    if not np.isfinite(some).all():
        return None
    return softmax(some)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities, float64 [n, classes], of logits [n, classes]."""
    odds = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
