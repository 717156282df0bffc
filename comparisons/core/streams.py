"""Random streams: what is drawn from a run's seed, each by numbers of its own.

One seed decides everything that is drawn in a run, and what one stream draws moves no other.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What is drawn. The numbers are part of what a seed means: they never change."""

    SPLIT = 1  # validation, and the order that training subsets are taken in
    AUGMENTATION = 2
    ORDER = 3  # of the examples in an epoch
    VIEW = 4  # of each example in an epoch, where several are kept
    RANGE_TEST = 5
    KERNELS = 6  # how they begin, where a knob says so
    TESTED = 7  # which test images, where not all are asked for: the same for every seed
    CORRUPTION = 8  # noise on test images: the same for every seed


def generator(seed: int, stream: Stream, *more: int) -> np.random.Generator:
    """The generator of a stream; `more` numbers, such as an epoch, give each its own draws."""
    return np.random.default_rng([seed, stream, *more])
