"""Whether a run learnt anything, and still knows it at its end."""

from __future__ import annotations

import math

import numpy as np

from comparisons.core.records import Epoch
from comparisons.training.fitting import Fit

# Of what a network had above chance at its best, the least that it keeps in the end. Of all
# records under results/evidence, none keeps less than nine tenths, and the first epoch at the
# highest rate that unfreezes a base, the deepest dip, keeps more than a third.
KEPT = 1 / 4


def without_result(result: Fit, labels: np.ndarray) -> str | None:
    """A line where training was no better than chance, or has lost what it learnt; else None.

    `labels` int64 [n] are those trained on. Chance is always naming the commonest class.
    """
    chance = float(np.bincount(labels).max() / len(labels))
    return _no_better(result, chance, len(labels)) or _lost(result, chance, len(labels))


def _no_better(result: Fit, chance: float, count: int) -> str | None:
    """No epoch was better than chance.

    Better means by three standard errors of that guess, on training images; at most halfway to
    all of them, which is more than chance on the fewest images too.
    """
    margin = 3 * _standard_error(chance, count)
    best = max((epoch.train_accuracy or 0.0 for epoch in result.epochs), default=0.0)
    if best > chance + min(margin, (1 - chance) / 2):
        return None
    return (
        f"no better than chance yet: training accuracy {_percent(best)}, chance is "
        f"{_percent(chance)}"
    )


def _lost(result: Fit, chance: float, count: int) -> str | None:
    """The epoch that the weights are of is nearly at chance again.

    Of what the best epoch of any phase had above chance it has less than `KEPT`, both in training
    and in validation, and in training the fall is more than three standard errors of what both
    have in common. In validation too, since a network that has just been unfrozen falls and
    recovers: in an epoch whose training accuracy, the mean over its steps, is low, validation
    comes after the last step.
    """
    end = _end(result)
    best = max(epoch.train_accuracy or 0.0 for epoch in result.epochs)
    best_validated = max(epoch.val_accuracy or 0.0 for epoch in result.epochs)
    now, validated = end.train_accuracy or 0.0, end.val_accuracy or 0.0
    both = math.sqrt(2) * _standard_error((best + now) / 2, count)
    if (
        best - now <= 3 * both
        or now - chance >= KEPT * (best - chance)
        or validated - chance > KEPT * max(best_validated - chance, 0.0)
    ):
        return None
    return (
        f"what was learnt is lost: training accuracy {_percent(now)} in the end, {_percent(best)} "
        f"at its best, chance is {_percent(chance)}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _end(result: Fit) -> Epoch:
    """The epoch whose weights the network has: the last, unless early stopping went back."""
    last = result.epochs[-1]
    if result.best_epoch is None:
        return last
    best = result.epochs[result.best_epoch - 1]
    return best if best.phase == last.phase else last


def _standard_error(share: float, count: int) -> float:
    """Of a share of `count` images."""
    return math.sqrt(share * (1 - share) / count)
