"""Whether two networks answer the same pictures alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TIE = 1e-4  # of probability: two classes this close are as good as one


@dataclass(frozen=True)
class Parity:
    """How far another network's answers are from a first one's, over `images` pictures.

    `agreement` is the share of them that both call the same class, `difference` the largest of
    any probability. `differing` are the rows that they call differently beyond a tie.
    """

    images: int
    agreement: float
    difference: float
    differing: tuple[int, ...]


def parity(first: np.ndarray, other: np.ndarray, tie: float = TIE) -> Parity:
    """Compare probabilities [n, classes] of the same pictures, in float32.

    It is a tie where the first gives the class that the other names at most `tie` less than its
    best. What is not finite differs.
    """
    first, other = (np.asarray(each, np.float32) for each in (first, other))
    rows = np.arange(len(first))
    named = np.where(np.isfinite(other).all(axis=1), other.argmax(axis=1), -1)
    same = named == first.argmax(axis=1)
    short = first.max(axis=1) - first[rows, named]
    differing = np.flatnonzero(~same & ((short > tie) | (named < 0)))
    return Parity(
        images=len(first),
        agreement=float(same.mean()),
        difference=float(np.abs(first - other).max()),
        differing=tuple(differing.tolist()),
    )
