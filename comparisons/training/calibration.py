"""How far a network's certainty can be trusted: calibration, before and after temperature scaling.

Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv:1706.04599).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize_scalar

from comparisons.core.records import Bin, Calibration
from comparisons.training import selective

BINS = 15
HOTTEST = 100.0  # the temperature, or one over it, that is tried at most


def calibration(
    logits: np.ndarray, labels: np.ndarray, temperature: float, threshold: float | None = None
) -> Calibration:
    """What logits [n, classes] say of labels [n], as they are and divided by a temperature.

    `threshold` is the certainty, scaled, above which an answer is sure.
    """
    plain, scaled = bins(logits, labels), bins(logits / temperature, labels)
    sure, right = selective.certainty(logits / temperature), logits.argmax(axis=1) == labels
    answered, wrong = None, None
    if threshold is not None:
        answered, wrong = selective.answered(sure, right, threshold)
    return Calibration(
        temperature=temperature,
        error=expected_error(plain),
        error_scaled=expected_error(scaled),
        loss_scaled=cross_entropy(logits / temperature, labels),
        bins=plain,
        bins_scaled=scaled,
        threshold=threshold,
        answered=answered,
        answered_wrong=wrong,
        risks=selective.risks(sure, right),
    )


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """What to divide logits [n, classes] by so that their cross-entropy is lowest; 1 for none."""

    def loss(log: float) -> float:
        found = cross_entropy(logits / math.exp(log), labels)
        return math.inf if found is None else found

    if not len(labels) or not math.isfinite(loss(0.0)):
        return 1.0
    most = math.log(HOTTEST)
    return math.exp(float(minimize_scalar(loss, bounds=(-most, most), method="bounded").x))


def bins(logits: np.ndarray, labels: np.ndarray) -> list[Bin]:
    """How certain and how often right, over fifteen even stretches of certainty from 0 to 1."""
    certainty = selective.certainty(logits)
    right = logits.argmax(axis=1) == labels
    place = np.minimum((certainty * BINS).astype(int), BINS - 1)
    found = []
    for i in range(BINS):
        here = place == i
        n = int(here.sum())
        found.append(
            Bin(n, float(certainty[here].mean()), float(right[here].mean()))
            if n
            else Bin(0, (i + 0.5) / BINS, 0.0)
        )
    return found


def expected_error(found: list[Bin]) -> float:
    """The mean distance of certainty from accuracy, over images: the expected calibration error."""
    whole = sum(one.images for one in found)
    apart = sum(one.images * abs(one.certainty - one.accuracy) for one in found)
    return apart / whole if whole else 0.0


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float | None:
    """Mean of -log softmax(logits) at the labels, in nats; None when it is not finite."""
    with np.errstate(all="ignore"):
        shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
        chosen = shifted[np.arange(len(labels)), labels]
        loss = float((np.log(np.exp(shifted).sum(axis=1)) - chosen).mean())
    return loss if np.isfinite(loss) else None
