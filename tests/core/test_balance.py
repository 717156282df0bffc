"""Class weights: rare classes weigh as much as others, and only where they are rare."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons.core import balance


@given(some.lists(some.integers(0, 5), min_size=1, max_size=100))
def test_the_images_of_every_class_weigh_the_same_and_all_as_much_as_before(labels):
    weights = balance.weights(np.array(labels), 6)
    each = [weights[c] * labels.count(c) for c in set(labels)]
    assert each == pytest.approx([len(labels) / len(each)] * len(each), rel=1e-5)
    assert (weights > 0).all()


@pytest.mark.parametrize(
    ("counts", "said"),
    [([10, 10], False), ([29, 10], False), ([30, 10], True), ([5], False), ([], False)],
)
def test_classes_are_uneven_from_three_times_the_smallest_on(counts, said):
    assert balance.uneven(counts) is said
