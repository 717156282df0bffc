"""How far certainty can be trusted: known cases, properties, and what a temperature mends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from comparisons.training import calibration as made
from comparisons.training.calibration import BINS, bins, calibration, expected_error, temperature


def drawn(images: int, classes: int, seed: int, surer: float = 1.0):
    """Logits, and labels that follow them as they are before they are made so much surer."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(0, 1.5, (images, classes))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (draw.random((images, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    return (logits * surer).astype(np.float32), np.minimum(labels, classes - 1)


@pytest.mark.parametrize("surer", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_a_network_too_sure_is_found_and_mends_it(surer):
    logits, labels = drawn(40_000, 10, 0, surer)
    found = temperature(logits, labels)
    assert found == pytest.approx(surer, rel=0.03)
    noted = calibration(logits, labels, found)
    assert noted.error_scaled < 0.01
    assert noted.loss_scaled <= made.cross_entropy(logits, labels) + 1e-9
    if surer != 1.0:
        assert noted.error > 0.1


def test_the_error_against_a_worked_example():
    # Certain to 0.9 and right in 3 of 4; certain to 0.6 and right in 1 of 2.
    nine, six = math.log(9), math.log(1.5)
    logits = np.array([[nine, 0]] * 4 + [[six, 0]] * 2, np.float32)
    labels = np.array([0, 0, 0, 1, 0, 1])
    assert expected_error(bins(logits, labels)) == pytest.approx((4 * 0.15 + 2 * 0.1) / 6, abs=1e-6)


@given(some.integers(1, 60), some.integers(2, 5), some.integers(0, 99), some.floats(0.1, 20))
@settings(deadline=None, max_examples=50)
def test_bins_hold_every_image_once_and_add_up_to_the_accuracy(images, classes, seed, surer):
    logits, labels = drawn(images, classes, seed, surer)
    found = bins(logits, labels)
    assert len(found) == BINS and sum(one.images for one in found) == images
    right = sum(one.images * one.accuracy for one in found) / images
    assert right == pytest.approx((logits.argmax(axis=1) == labels).mean())
    for i, one in enumerate(found):
        assert i / BINS - 1e-9 <= one.certainty <= (i + 1) / BINS + 1e-9
    assert 0 <= expected_error(found) <= 1


def test_what_cannot_be_scaled_is_left_as_it_is():
    assert temperature(np.zeros((0, 3)), np.zeros(0, int)) == 1.0
    assert temperature(np.array([[np.nan, 0.0]]), np.array([0])) == 1.0
