"""What a network gives for arrays in memory, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

# Larger batches are no faster on a CPU, and hold gigabytes at 160 pixels and more.
EVALUATION_BATCH = 100


def predict(model: keras.Model, inputs: np.ndarray, size: int = EVALUATION_BATCH) -> np.ndarray:
    """What a network gives for inputs [n, ...], float32 [n, ...], `size` of them at a time.

    Not by Keras's `predict`, which with TensorFlow may wait after the last batch, up to as long
    again as all of them took: comparisons.benchmarks.waits says why, and measures it.
    """
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is not None and strategy.num_replicas_in_sync > 1:
        # Of a batch by itself Keras would give each device the whole.
        return np.asarray(model.predict(inputs, batch_size=size, verbose=0), np.float32)
    return _batch_by_batch(model.predict_on_batch, inputs, size)


def without_compiling(
    model: keras.Model, inputs: np.ndarray, size: int = EVALUATION_BATCH
) -> np.ndarray:
    """The same, layer by layer: of a few inputs it is known before a program were compiled."""

    def step(batch: np.ndarray) -> np.ndarray:
        return keras.ops.convert_to_numpy(model(batch, training=False))

    return _batch_by_batch(step, inputs, size)


def _batch_by_batch(step: Callable[[Any], np.ndarray], inputs: np.ndarray, size: int) -> np.ndarray:
    parts = [step(inputs[start : start + size]) for start in range(0, len(inputs), size)]
    return np.concatenate(parts).astype(np.float32, copy=False)
