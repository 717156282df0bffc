"""The split into train and validation: alike for all arms, balanced, nested."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons.data import split


@some.composite
def label_lists(draw: some.DrawFn) -> np.ndarray:
    """Labels of up to six classes of any sizes, shuffled."""
    counts = draw(some.lists(some.integers(1, 60), min_size=1, max_size=6))
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(draw(some.integers(0, 99))).permutation(labels)


seeds = some.integers(0, 2**31)


@given(label_lists(), seeds)
def test_a_split_uses_every_row_once(labels, seed):
    rows = split(labels, seed)
    together = np.concatenate([rows.train, rows.validation])
    assert sorted(together) == list(range(len(labels)))
    held_out = len(rows.validation)
    assert held_out == (len(labels) // 10 if len(labels) >= 10 else min(1, len(labels) - 1))


@given(label_lists(), seeds, some.data())
def test_smaller_training_sets_are_the_beginning_of_larger_ones(labels, seed, more):
    whole = split(labels, seed)
    size = more.draw(some.integers(1, len(whole.train)))
    part = split(labels, seed, size)
    assert (part.train == whole.train[:size]).all()
    assert (part.validation == whole.validation).all()
    assert not set(part.train) & set(part.validation)


@given(label_lists(), seeds, some.data())
def test_every_part_is_balanced_as_the_whole_is(labels, seed, more):
    size = more.draw(some.integers(1, len(split(labels, seed).train)))
    rows = split(labels, seed, size)
    shares = np.bincount(labels) / len(labels)
    for part in (rows.train, rows.validation):
        counts = np.bincount(labels[part], minlength=len(shares))
        # Rounding once for each class and end of the stretch.
        assert (np.abs(counts - shares * len(part)) <= 2 + shares * len(shares)).all()


@given(some.integers(2, 10), some.integers(1, 12), seeds)
def test_equal_classes_differ_by_one_at_most(classes, tens, seed):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(classes), 10 * tens))
    rows = split(labels, seed, max(1, 4 * tens * classes))
    for part in (rows.train, rows.validation):
        counts = np.bincount(labels[part], minlength=classes)
        assert np.ptp(counts) <= 1


@given(label_lists().filter(lambda labels: len(labels) > 40), seeds)
def test_the_seed_alone_decides(labels, seed):
    first, again, other = (split(labels, s) for s in (seed, seed, seed + 1))
    assert (first.train == again.train).all()
    assert (first.validation == again.validation).all()
    assert (first.train != other.train).any()


@pytest.mark.parametrize("size", [0, -1, 91])
def test_a_size_that_cannot_be_is_an_error(size):
    with pytest.raises(ValueError, match=f"{size} training images asked for, 1 to 90"):
        split(np.arange(100) % 10, 0, size)
