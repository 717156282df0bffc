"""When to say "I don't know": the threshold keeps its promise and is the lowest that does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.special import softmax

from comparisons.training import selective


def drawn(images: int, seed: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Certainties of so many levels, and answers that are the likelier right the surer."""
    draw = np.random.default_rng(seed)
    sure = draw.integers(1, levels + 1, images) / levels
    return sure, draw.random(images) < sure


pictures = some.builds(drawn, some.integers(1, 80), some.integers(0, 999), some.integers(1, 50))
shares = some.sampled_from([0.0, 0.05, 0.2, 0.5])


@given(pictures, shares)
def test_above_the_threshold_no_more_are_wrong_than_was_said(found, risk):
    sure, right = found
    above = selective.threshold(sure, right, risk)
    answered, wrong = selective.answered(sure, right, above)
    assert wrong is None or wrong <= risk
    assert (wrong is None) == (answered == 0)


@given(pictures, shares)
def test_no_lower_threshold_would_do(found, risk):
    sure, right = found
    above = selective.threshold(sure, right, risk)
    for lower in {0.0, *sure.tolist()}:
        if lower < above:
            _, wrong = selective.answered(sure, right, lower)
            assert wrong is None or wrong > risk


def test_a_worked_example():
    sure = np.array([0.99, 0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, True, False])
    assert selective.threshold(sure, right, 0.0) == 0.8
    assert selective.threshold(sure, right, 0.25) == 0.6
    assert selective.threshold(sure, right, 0.4) == 0.0
    assert selective.threshold(sure, ~right, 0.05) == selective.NONE
    assert selective.threshold(sure[:0], right[:0]) == selective.NONE
    assert selective.answered(sure, right, 0.6) == (0.8, 0.25)


def test_risks_end_with_the_error_of_all_answers():
    sure, right = drawn(1000, 0, 1000)
    found = selective.risks(sure, right)
    assert len(found) == selective.STRETCHES
    assert found[-1] == pytest.approx(1 - right.mean())
    assert found[0] < found[-1]


def test_certainty_is_the_softmax_of_the_likeliest():
    logits = np.random.default_rng(0).normal(0, 30, (20, 4)).astype(np.float32)
    np.testing.assert_allclose(selective.certainty(logits), softmax(logits, axis=1).max(axis=1))
