"""How many pixels of an image a network that has no size of its own looks at."""

from __future__ import annotations

LARGEST, USUAL = 64, 50  # pixels a side that `cnn` sees as they are, and has of larger images


def shrunk(side: int) -> int:
    """How many pixels a side `cnn` takes the mean of, by the shorter side of an image."""
    return 1 if side <= LARGEST else round(side / USUAL)


def looked_at(side: int) -> int:
    """How many of a square image's pixels `cnn` computes with, which is what its time goes by."""
    return (side // shrunk(side)) ** 2
