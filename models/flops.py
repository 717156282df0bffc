"""Counting floating-point operations: a multiplication and an addition are two.

Convolutions and dense layers are counted, as in the papers that state costs; pooling,
normalisation and activations are left out (below 5 % in the networks of this project). Training
costs three times the forward pass: the backward pass computes gradients of inputs and of
weights (Kaplan et al. 2020, arXiv:2001.08361, section 2.1).
"""

from __future__ import annotations

from math import prod

import keras
from keras import layers

from models.savedmodel import SavedModel

TRAINING_FACTOR = 3


def forward(model: keras.Model) -> int:
    """FLOP of one example through a built model, nested models included."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += forward(layer)
        elif isinstance(layer, (layers.DepthwiseConv2D, layers.Conv2D, layers.Dense)):
            total += _layer(layer)
        elif isinstance(layer, layers.SeparableConv2D):
            kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
            total += 2 * sum(prod(k.shape) for k in kernels) * prod(layer.output.shape[1:3])
        elif isinstance(layer, SavedModel):
            total += layer.operations
    return total


def _layer(layer: keras.Layer) -> int:
    """Two operations for each weight of the kernel at each position where it is applied."""
    if isinstance(layer, layers.Dense):
        # Over maps, as adapters need it, a dense layer is applied at every position.
        _, *positions, inputs = layer.input.shape
        return 2 * prod(positions) * inputs * layer.units
    _, height, width, _ = layer.output.shape
    return 2 * prod(layer.kernel.shape) * height * width
