"""How many pixels networks look at, of those that take images of any size as they are."""

from __future__ import annotations

AS_THEY_ARE = ("tutorial-cnn", "plain-cnn", "mlp")
AVERAGED = ("cnn", "cnn-medium", "cnn-large")
LARGEST, USUAL = 64, 50  # pixels a side that these see as they are, and have of larger images


def shrunk(side: int) -> int:
    """How many pixels a side `cnn` takes the mean of, by the shorter side of an image."""
    return 1 if side <= LARGEST else round(side / USUAL)


def looked_at(model: str, side: int) -> int | None:
    """How many of a square image's pixels a network computes with, by its name in the catalog.

    None for one that makes images of any size its own.
    """
    if model in AS_THEY_ARE:
        return side**2
    return (side // shrunk(side)) ** 2 if model in AVERAGED else None
