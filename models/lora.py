"""Low-rank adapters on a frozen base, and quantization of what they adapt.

LoRA: Hu et al. 2021, arXiv:2106.09685; on quantized weights: Dettmers et al. 2023 (QLoRA),
arXiv:2305.14314. A 1x1 convolution is a Dense layer on the channels, and Keras's Dense has both
`quantize` and `enable_lora`: so the pointwise convolutions of a base are made Dense, the same
numbers to the last bit, and Keras does the rest. A base that has neither, such as VGG16, has
adapters on its ordinary convolutions, which Keras does not quantize.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

# Weights alone, as in QLoRA: what flows through them stays float32. (Keras's usual int8 quantizes
# that as well, which is less exact, and slow on CPUs.)
QUANTIZED = {
    8: keras.quantizers.Int8QuantizationConfig(activation_quantizer=None),
    4: keras.quantizers.Int4QuantizationConfig(),
}
THAT_HAVE = "mobilenet, resnet50, efficientnetb0 and tiny"  # bases with such layers
ADAPTERS = ("lora_kernel_a", "lora_kernel_b")


@dataclass(frozen=True)
class Adapted:
    """A layer that carries an adapter, and its kernel as it was before, float32 [..., in, out]."""

    layer: layers.Dense | layers.Conv2D
    original: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """The sides of the table of numbers that the kernel is to its adapter."""
        return self.original.size // self.original.shape[-1], self.original.shape[-1]


def with_adapters(base: keras.Model, rank: int, bits: int) -> tuple[keras.Model, list[Adapted]]:
    """A copy of `base` whose pointwise layers carry adapters, else its others, and these layers.

    With `bits` 8 or 4 the weights they adapt are quantized first; 32 leaves them as they are.
    Adapters begin at zero, so that the copy computes what the (quantized) base does. Raises
    ValueError where there is nothing to adapt, or `rank` is larger than a layer.
    """
    copy = keras.models.clone_model(base, clone_function=_as_dense)
    for old, new in zip(base.layers, copy.layers, strict=True):
        weights = old.get_weights()
        if type(old) is not type(new):
            weights[0] = weights[0][0, 0]
        set_weights(new, weights)
    adapted = _adaptable(copy, layers.Dense) or _adaptable(copy, layers.Conv2D)
    if not adapted:
        raise ValueError(f"it has no layer to adapt; {THAT_HAVE} have")
    if bits in QUANTIZED and not isinstance(adapted[0].layer, layers.Dense):
        raise ValueError(
            f"it has no pointwise or dense layer, and Keras quantizes no other; {THAT_HAVE} have"
        )
    smallest = min(adapted, key=lambda one: min(one.shape))
    most = min(smallest.shape)
    if rank > most:
        shape = "x".join(map(str, smallest.shape))
        raise ValueError(
            f"rank {rank} is larger than {smallest.layer.name} ({shape}): 1 to {most} can be had"
        )
    with _little_to_collect():
        for one in adapted:
            if bits in QUANTIZED:
                one.layer.quantize(config=QUANTIZED[bits])
            one.layer.enable_lora(rank)
    return copy, adapted


def _adaptable(base: keras.Model, kind: type[keras.Layer]) -> list[Adapted]:
    """The layers of a kind that can carry an adapter, whose kernel is one table of numbers."""
    return [
        Adapted(layer, np.array(layer.kernel))
        for layer in base.layers
        if type(layer) is kind and getattr(layer, "groups", 1) == 1
    ]


@contextmanager
def _little_to_collect() -> Iterator[None]:
    """Leave all there is out of the garbage collection that `quantize` asks for at every layer."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def held_bytes(adapted: list[Adapted]) -> tuple[int, int]:
    """Bytes of the adapted weights as held, scales included, and the same in float32."""
    held = sum(
        np.asarray(variable).nbytes
        for one in adapted
        for variable in one.layer.variables
        if variable.name not in (*ADAPTERS, "bias")
    )
    return held, sum(4 * one.original.size for one in adapted)


def change(one: Adapted) -> np.ndarray:
    """What the adapter of a layer adds to its kernel, float32 [..., in, out]."""
    layer = one.layer
    scale = layer.lora_alpha / layer.lora_rank
    product = np.asarray(layer.lora_kernel_a) @ np.asarray(layer.lora_kernel_b)
    return np.asarray(scale * product, np.float32)


def merged(one: Adapted) -> list[np.ndarray]:
    """The weights of a layer without its adapter that computes what it does with it, float32.

    The kernel [in, out] or that of a convolution, then the bias where there is one. Where weights
    are quantized these are the numbers that they stand for.
    """
    layer = one.layer
    if layer.quantization_mode:
        # What it does to unit vectors, which is all that a linear layer is.
        activation, layer.activation = layer.activation, keras.activations.linear
        kernel = np.asarray(layer(np.eye(one.shape[0], dtype=np.float32)), np.float32)
        layer.activation = activation
        kernel = kernel - (np.asarray(layer.bias) if layer.use_bias else 0)
    else:
        kernel = one.original + change(one)
    return [kernel, *([np.asarray(layer.bias)] if layer.use_bias else [])]


def set_weights(layer: keras.Layer, weights: list[np.ndarray]) -> None:
    """Set the weights of a layer, and what it derives from them."""
    layer.set_weights(weights)
    if isinstance(layer, layers.Normalization):
        layer.finalize_state()  # it computes with what it derives from its weights


def _as_dense(layer: keras.Layer) -> keras.Layer:
    config: dict[str, Any] = layer.get_config()
    pointwise = (
        type(layer) is layers.Conv2D
        and layer.kernel_size == (1, 1)
        and layer.strides == (1, 1)
        and layer.groups == 1
    )
    if not pointwise:
        return layer.__class__.from_config(config)
    return layers.Dense(
        layer.filters, activation=config["activation"], use_bias=layer.use_bias, name=layer.name
    )
