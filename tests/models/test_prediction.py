"""Predictions batch by batch are those of Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from models.prediction import EVALUATION_BATCH, predict


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return keras.Sequential(
        [keras.Input((4, 4, 3), dtype="uint8"), keras.layers.Flatten(), keras.layers.Dense(5)]
    )


@pytest.mark.parametrize("count", [1, EVALUATION_BATCH, 2 * EVALUATION_BATCH + 7])
def test_predictions_are_keras_own_in_their_order(model, count):
    images = np.random.default_rng(count).integers(0, 256, (count, 4, 4, 3), np.uint8)
    got = predict(model, images)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, model.predict(images, verbose=0), rtol=1e-4, atol=1e-4)


def test_the_size_of_batches_changes_nothing(model):
    images = np.random.default_rng(0).integers(0, 256, (23, 4, 4, 3), np.uint8)
    np.testing.assert_allclose(
        predict(model, images, 5), predict(model, images, 23), rtol=1e-4, atol=1e-4
    )
