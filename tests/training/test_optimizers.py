"""Optimizers: each step is what the name says."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
from small import phase

from comparisons.training.optimizers import OPTIMIZERS, make_optimizer

# By name: a weight's step after gradients 0.5 and then 0.25 at a rate of 0.1, from 1.
G, H, RATE = 0.5, 0.25, 0.1
STEPS = {
    "plain-sgd": RATE * (G + H),
    "momentum": RATE * (G + (0.9 * G + H)),
    "sgd": RATE * ((0.9 * G + G) + (0.9 * (0.9 * G + H) + H)),
    "muon": RATE * ((0.9 * G + G) + (0.9 * (0.9 * G + H) + H)),
    "rmsprop": RATE * (G / math.sqrt(0.1 * G**2) + H / math.sqrt(0.09 * G**2 + 0.1 * H**2)),
    "adagrad": RATE * (G / math.sqrt(0.1 + G**2) + H / math.sqrt(0.1 + G**2 + H**2)),
    "adam": RATE * (1 + (0.09 * G + 0.1 * H) / 0.19
                    / math.sqrt((0.000999 * G**2 + 0.001 * H**2) / 0.001999)),
}  # fmt: skip


def moved(optimizer: keras.optimizers.Optimizer) -> float:
    weight = keras.Variable(1.0)
    for gradient in (G, H):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    return 1.0 - float(weight.value)


@pytest.mark.parametrize("name", STEPS)
def test_an_optimizer_is_what_its_name_says(name):
    made = make_optimizer(phase(optimizer=name, learning_rate=RATE), 10)
    assert moved(made) == pytest.approx(STEPS[name], rel=1e-4)


def test_adamw_is_adam_with_decay_apart_from_the_gradient():
    made = make_optimizer(phase(optimizer="adamw", learning_rate=RATE, weight_decay=0.01), 10)
    bare = make_optimizer(phase(optimizer="adamw", learning_rate=RATE), 10)
    first = keras.Variable(1.0)
    made.apply([keras.ops.convert_to_tensor(G)], [first])
    assert float(first.value) == pytest.approx(1 - RATE * 0.01 - RATE, rel=1e-5)
    assert moved(bare) == pytest.approx(STEPS["adam"], rel=1e-4)
    assert STEPS.keys() | {"adamw"} == OPTIMIZERS.keys()


@pytest.mark.parametrize("shape", [(3, 3, 4, 6), (1, 1, 4, 6)])
def test_muon_moves_kernels_by_orthogonal_steps(shape):
    generator = np.random.default_rng(0)
    kernel, *gradients = generator.normal(size=(3, *shape)).astype(np.float32)
    made = make_optimizer(phase(optimizer="muon", learning_rate=RATE), 10)
    variable = keras.Variable(kernel)
    matrix, momentum = kernel.reshape(-1, 6), 0.0
    for gradient in gradients:
        made.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        flat = gradient.reshape(-1, 6)
        momentum = 0.6 * momentum + flat
        left, values, right = np.linalg.svd(flat + 0.6 * momentum, full_matrices=False)
        values /= np.linalg.norm(values)
        for _ in range(3):
            values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
        assert 0.3 < values.min() < values.max() < 1.3
        matrix = matrix * np.sqrt(6) / np.linalg.norm(matrix) - RATE / 3 * left * values @ right
    np.testing.assert_allclose(variable.numpy().reshape(-1, 6), matrix, atol=1e-5)
