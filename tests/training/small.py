"""Small problems for a network of two layers, and phases to train it by."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from msgspec.structs import replace

from comparisons.core.clock import Clock
from comparisons.core.phases import Phase
from comparisons.training import device
from comparisons.training.fitting import Fit, fit

CPU = device.Runtime("cpu", "a processor", 1, "float32", "tensorflow")


def phase(**changes: Any) -> Phase:
    return replace(
        Phase(name="train", trainable="all", optimizer="adam", learning_rate=1e-2, batch_size=16,
              epochs=3), **changes,
    )  # fmt: skip


def problem(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(count, 5)).astype(np.float32)
    return inputs, generator.integers(2, size=count)


def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((5,)), layers.Dense(32, "relu"), layers.Dropout(0.2), layers.Dense(2)]
    )


def trained(model: keras.Model, chosen: Phase, **more: Any) -> Fit:
    result = Fit()
    fit(
        model,
        chosen,
        problem(40),
        problem(30, 1),
        2,
        0,
        CPU,
        result,
        Clock(),
        lambda e: None,
        **more,
    )
    return result
