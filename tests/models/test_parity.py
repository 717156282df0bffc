"""Whether two networks answer alike: ties are forgiven, all else is named."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from models.parity import TIE, parity

SURE = np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])


def test_the_pictures_that_are_called_otherwise_are_named():
    other = SURE.copy()
    other[1] = [0.2, 0.3, 0.5]
    found = parity(SURE, other)
    assert found.differing == (1,)
    assert (found.images, round(found.agreement, 3), round(found.difference, 3)) == (3, 0.667, 0.2)


def test_a_tie_is_no_difference_but_lowers_the_agreement():
    tied = np.array([[0.5 + TIE / 4, 0.5 - TIE / 4, 0.0]])
    found = parity(tied, tied[:, [1, 0, 2]])
    assert (found.differing, found.agreement) == ((), 0.0)
    apart = np.array([[0.5 + TIE, 0.5 - TIE, 0.0]])
    assert parity(apart, apart[:, [1, 0, 2]]).differing == (0,)


def test_a_class_beyond_the_two_that_tie_differs():
    tied = np.array([[0.4, 0.4, 0.2]])
    assert parity(tied, np.array([[0.3, 0.3, 0.4]])).differing == (0,)


def test_what_is_not_finite_differs():
    other = SURE.copy()
    other[2, 1] = np.nan
    assert parity(SURE, other).differing == (2,)


@given(some.integers(1, 50), some.integers(2, 6), some.integers(0, 999))
def test_a_network_agrees_with_itself(images, classes, seed):
    chances = np.random.default_rng(seed).dirichlet(np.ones(classes), images)
    found = parity(chances, chances)
    assert (found.agreement, found.difference, found.differing) == (1.0, 0.0, ())
