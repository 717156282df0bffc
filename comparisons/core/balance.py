"""Uneven classes: when they are, and what each image then weighs in training."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

UNEVEN = 3  # times as many pictures as the smallest class has


def uneven(counts: Iterable[int]) -> bool:
    """Whether the largest of some classes has several times the images of the smallest."""
    there = [int(count) for count in counts]
    return bool(there) and max(there) >= UNEVEN * min(there)


def weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """What an image of each class weighs, float32 [classes]: n / (k n_c), so that 1 is the mean.

    Of n images in k classes n_c are of class c: together those of every class weigh the same. 1
    for a class without any.
    """
    counts = np.bincount(labels, minlength=classes)
    there = counts > 0
    found = np.ones(classes)
    found[there] = len(labels) / (there.sum() * counts[there])
    return found.astype(np.float32)
