"""Counting floating-point operations: a multiplication and an addition are two.

Convolutions and matrix products are counted, as in the papers that state costs; tests compare
every base with TensorFlow's profiler. Resizing, biases, normalisation, activations and pooling are
left out: together below 8 % of what is counted, most in networks made for phones (7 % in
MobileNetV3-Small), about 1 % or less in VGG, ResNet and ConvNeXt. Training costs three times the
forward pass: the backward pass computes gradients of inputs and of weights (Kaplan et al. 2020,
arXiv:2001.08361, section 2.1).
"""

from __future__ import annotations

from math import prod

import keras
from keras import layers

from models.savedmodel import SavedModel

TRAINING_FACTOR = 3


def forward(model: keras.Model) -> int:
    """FLOP of one example through a built model of channels last, nested models included.

    Raises TypeError for a layer with a kernel of a kind that is not counted yet.
    """
    return sum(_layer(layer) for layer in model.layers)


def _layer(layer: keras.Layer) -> int:
    """Two operations for each weight of a kernel at each position where it is applied."""
    match layer:
        case keras.Model():
            return forward(layer)
        case SavedModel():
            return layer.operations
        case layers.Dense():
            return 2 * _weights(layer) * prod(layer.output.shape[1:-1])
        case layers.Conv2D() | layers.DepthwiseConv2D():
            # The kernel of a grouped convolution is as deep as one group: each output sees no more.
            return 2 * prod(layer.kernel.shape) * prod(layer.output.shape[1:-1])
        case layers.SeparableConv2D():
            # Its stride is that of the depthwise half, so both halves are applied equally often.
            kernels = prod(layer.depthwise_kernel.shape) + prod(layer.pointwise_kernel.shape)
            return 2 * kernels * prod(layer.output.shape[1:-1])
    if any(len(weight.shape) > 1 for weight in layer.weights):
        raise TypeError(f"the operations of {type(layer).__name__} '{layer.name}' are not counted")
    return 0


def _weights(layer: layers.Dense) -> int:
    """How many weights of a dense layer an input meets."""
    # From shapes around it: a quantized kernel is packed, two weights to a byte.
    inputs = layer.input.shape[-1]
    count = inputs * layer.units
    # Keras applies adapters one after the other where the kernel is quantized. Elsewhere it adds
    # their product to the kernel, once a batch: that is no cost of an example.
    if layer.lora_enabled and layer.quantization_mode:
        count += layer.lora_rank * (inputs + layer.units)
    return count
