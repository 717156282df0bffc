"""Test sets: the only file that opens the labels of any while something trains, the run's own once.

Ten of them are opened again after the last run, for the page (comparisons.core.samples).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from comparisons.core import records
from comparisons.core.records import Robustness, Test
from comparisons.data import Dataset
from comparisons.training.calibration import calibration, cross_entropy


@dataclass(frozen=True)
class Corrupted:
    """Logits [n, classes] of corrupted copies of some test images, by corruption and severity.

    `rows` [n] says which of the test images these are.
    """

    rows: np.ndarray
    logits: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)


def test_metrics(
    logits: np.ndarray,
    dataset: Dataset,
    temperature: float = 1.0,
    threshold: float | None = None,
    corrupted: Corrupted | None = None,
) -> Test:
    """Compare logits [n, classes] with the test labels. Opens them: once in a run.

    Other labels chose the `temperature` that calibration divides the logits by and the `threshold`
    of certainty above which an answer is sure; `corrupted` are the answers to corrupted copies of
    some of the images, where there are any.
    """
    labels = dataset.open_test_labels()
    classes = len(dataset.classes)
    predicted = logits.argmax(axis=1)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    return Test(
        accuracy=float((predicted == labels).mean()),
        macro_f1=macro_f1(confusion),
        loss=cross_entropy(logits, labels),
        confusion=confusion.tolist(),
        right=np.packbits(predicted == labels).tobytes(),
        calibration=calibration(logits, labels, temperature, threshold),
        robustness=_robustness(predicted, labels, corrupted) if corrupted else None,
    )


def _robustness(predicted: np.ndarray, labels: np.ndarray, corrupted: Corrupted) -> Robustness:
    right, rows = labels[corrupted.rows], corrupted.rows
    return Robustness(
        images=len(rows),
        clean=float((predicted[rows] == right).mean()),
        corrupted=[
            records.Corrupted(name, severity, float((logits.argmax(axis=1) == right).mean()))
            for (name, severity), logits in corrupted.logits.items()
        ],
    )


def source_accuracy(predicted: np.ndarray, source: Dataset) -> float:
    """The share of a source data set's first test images whose class was predicted, int [n].

    These labels are another data set's than the run's, and nothing in the run is chosen by them:
    a base that moves may be asked before and after.
    """
    return float((predicted == source.sealed_test_labels[: len(predicted)]).mean())


def macro_f1(confusion: np.ndarray) -> float:
    """The mean over classes of 2 TP / (2 TP + FP + FN); 0 for a class never seen nor named."""
    hits = np.diag(confusion)
    total = confusion.sum(axis=0) + confusion.sum(axis=1)
    return float(np.divide(2 * hits, total, out=np.zeros(len(hits)), where=total > 0).mean())
