"""The kernels of a network: how they begin, what is charged for their size, what they do at first.

A kernel is the table of numbers of a convolution or a dense layer, without its biases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import initializers, layers, regularizers

from models import adapt

PLAIN_SPREAD = 0.01

INITS: dict[str, Callable[[int], keras.initializers.Initializer]] = {
    # The same spread for every layer: Krizhevsky et al. 2012 ("AlexNet"), section 5.
    "plain": lambda seed: initializers.RandomNormal(stddev=PLAIN_SPREAD, seed=seed),
    # Variance 2 / (inputs + outputs): Glorot & Bengio 2010, equation 16, here normal.
    "xavier": lambda seed: initializers.GlorotNormal(seed=seed),
    # Variance 2 / inputs, for ReLU halves the signal: He et al. 2015, arXiv:1502.01852, (10).
    "he": lambda seed: initializers.HeNormal(seed=seed),
}


def initialise(model: keras.Model, init: str, draws: np.random.Generator) -> None:
    """Draw every kernel that trains anew by a row of INITS; biases stay as they are."""
    for layer in _layers(model):
        if layer.kernel.trainable:
            drawn = INITS[init](int(draws.integers(2**31)))
            layer.kernel.assign(drawn(layer.kernel.shape))


def penalise(model: keras.Model, l1: float, l2: float) -> None:
    """Add l1 * sum |w| + l2 * sum w² over all kernels that train to the loss that is minimised.

    Takes effect at the next compile; zero for both takes it away.
    """
    penalty = regularizers.L1L2(l1, l2) if l1 or l2 else None
    for layer in _layers(model):
        layer.kernel.regularizer = penalty


class Gradients(keras.optimizers.SGD):
    """Puts its gradient in the place of every variable: so any backend tells it."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Put one variable's gradient in its place."""
        self.assign(variable, keras.ops.cast(gradient, variable.dtype))


def at_start(
    network: adapt.Network, images: np.ndarray, targets: np.ndarray
) -> list[tuple[str, float, float, float]]:
    """What signals and gradients are like in an untrained network, layer by layer from the input.

    A layer's name, and the standard deviations of its kernel, its output and its kernel's
    gradient. For one batch: `images` uint8 [n, h, w, c], one-hot `targets` [n, classes], the mean
    cross-entropy. Outputs are taken after the activation where the layer has one of its own.
    Leaves every variable as it was; the model must be compiled again. Glorot & Bengio 2010,
    section 4.
    """
    whole = network.whole
    found = [layer for layer in _layers(whole) if layer.kernel.trainable]
    kernels = [np.array(layer.kernel) for layer in found]
    outputs = _outputs(network, found, images)
    variables = list(whole.variables)
    before = [np.array(variable) for variable in variables]
    # Loss scaling would skip a step in half precision, and leave no gradient.
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    whole.compile(Gradients(1.0), loss, auto_scale_loss=False)
    whole.train_on_batch(images, targets)
    gradients = [np.array(layer.kernel) for layer in found]
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return [
        (layer.name, _spread(kernel), _spread(output), _spread(gradient))
        for layer, kernel, output, gradient in zip(found, kernels, outputs, gradients, strict=True)
    ]


def _outputs(
    network: adapt.Network, found: list[keras.Layer], images: np.ndarray
) -> list[np.ndarray]:
    """What each of the layers gives for the images, in their order."""
    outputs = []
    x = images
    for part in filter(None, (network.preprocess, network.base, network.new, network.head)):
        inside = [layer for layer in _layers(part) if layer in found]
        watched = keras.Model(part.inputs, [*(layer.output for layer in inside), *part.outputs])
        *values, x = watched.predict_on_batch(x)
        outputs += values
    return outputs


def _spread(values: np.ndarray) -> float:
    return float(np.std(values, dtype=np.float64))


def _layers(model: keras.Model) -> Iterator[keras.Layer]:
    """Every layer of a model that has a kernel, from the input on."""
    for layer in adapt.all_layers(model):
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense):
            yield layer
