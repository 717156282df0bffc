"""Where a network looked: Grad-CAM, a map of what in an image spoke for a class.

Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", arXiv:1610.02391. Of a base whose last maps are averaged and read by a single layer
it is the class activation map of Zhou et al. 2016, arXiv:1512.04150, up to its scale.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

DARK = 0.15  # of its light that a place has where nothing was looked at
Through = Callable[[Any], Any]


class NoMaps(ValueError):
    """A network, or a backend, that no map can be made with; the message is one line."""


def looked(network: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """What in each image spoke for a class, float32 [n, h, w]: 0 nothing, 1 the most.

    `network` is an adapt.Network's `whole`, uint8 images [n, h, w, c] -> logits; `classes` int [n].
    The last maps before the features decide, so the map is as coarse as these, and smoothed. All 0
    where nothing speaks for the class. Raises NoMaps.
    """
    lower, upper = _halves(network)
    wanted = ops.one_hot(classes, network.output_shape[-1])
    maps = lower(images)
    slopes = _slopes(lambda x: ops.sum(upper(x) * wanted), maps)
    weights = ops.mean(slopes, axis=(1, 2), keepdims=True)
    heat = np.asarray(ops.relu(ops.sum(weights * maps, axis=-1, keepdims=True)))
    most = heat.max(axis=(1, 2, 3), keepdims=True)
    heat = np.divide(heat, most, out=np.zeros_like(heat), where=most > 0)
    large = ops.image.resize(heat, images.shape[1:3], "bilinear", data_format="channels_last")
    return np.asarray(large, np.float32)[..., 0]


def lit(network: keras.Model, image: np.ndarray, called: int) -> np.ndarray:
    """An image uint8 [h, w, c], dark where nothing spoke for a class, as it is where most did.

    `network` as above. Raises NoMaps.
    """
    (heat,) = looked(network, image[None], np.array([called]))
    return (image * (DARK + (1 - DARK) * heat[..., None])).round().astype(np.uint8)


def _halves(network: keras.Model) -> tuple[Through, Through]:
    """Images -> the last maps, and from these to the logits. Raises NoMaps."""
    inside = [part for part in network.get_layer("backbone").layers if _is_part(part)]
    head = network.get_layer("head")
    for place in reversed(range(len(inside))):
        part = inside[place]
        maps = _last_maps(part) if isinstance(part, keras.Model) else None
        if maps is not None:
            below = [*inside[:place], keras.Model(part.inputs[0], maps)]
            above = [keras.Model(maps, part.outputs[0]), *inside[place + 1 :], head]
            return _through(below), _through(above)
    raise NoMaps("this network has no maps, so that where it looked cannot be told")


def _through(parts: list[Any]) -> Through:
    """One part after the other, as they answer and not as they train."""

    def compute(x: Any) -> Any:
        for part in parts:
            x = part(x, training=False)
        return x

    return compute


def _last_maps(part: keras.Model) -> Any:
    """The last maps [n, h, w, channels] within a part that weights made; None where there are none.

    An image that is only scaled is no map of anything.
    """
    found, weighs = None, False
    for layer in part.layers:
        weighs = weighs or bool(layer.weights)
        if weighs and len(layer.output.shape) == 4:
            found = layer.output
    return found


def _is_part(layer: keras.Layer) -> bool:
    return not isinstance(layer, keras.layers.InputLayer)


def _slopes(score: Callable[[Any], Any], at: Any) -> Any:
    """The gradient of a number that is computed from `at`; Keras has no word for it."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(at)
            value = score(at)
        return tape.gradient(value, at)
    if backend == "jax":
        import jax

        return jax.grad(score)(at)
    raise NoMaps(f"where a network looked is computed by TensorFlow or JAX, not by {backend}")
