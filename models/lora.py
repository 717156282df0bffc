"""Low-rank adapters on a frozen base, and quantization of what they adapt.

LoRA: Hu et al. 2021, arXiv:2106.09685; on quantized weights: Dettmers et al. 2023 (QLoRA),
arXiv:2305.14314. A 1x1 convolution is a Dense layer on the channels, and Keras's Dense has both
`quantize` and `enable_lora`: so the pointwise convolutions of a base are made Dense, the same
numbers to the last bit, and Keras does the rest.
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
ADAPTERS = ("lora_kernel_a", "lora_kernel_b")


@dataclass(frozen=True)
class Adapted:
    """A layer that carries an adapter, and its kernel as it was before, float32 [in, out]."""

    layer: layers.Dense
    original: np.ndarray


def with_adapters(base: keras.Model, rank: int, bits: int) -> tuple[keras.Model, list[Adapted]]:
    """A copy of `base` whose pointwise layers carry adapters, and these layers.

    With `bits` 8 or 4 the weights they adapt are quantized first; 32 leaves them as they are.
    Adapters begin at zero, so that the copy computes what the (quantized) base does. Raises
    ValueError where there is nothing to adapt, or `rank` is larger than a layer.
    """
    copy = keras.models.clone_model(base, clone_function=_as_dense)
    for old, new in zip(base.layers, copy.layers, strict=True):
        weights = old.get_weights()
        if type(old) is not type(new):
            weights[0] = weights[0][0, 0]
        _set(new, weights)
    adapted = [
        Adapted(layer, np.array(layer.kernel))
        for layer in copy.layers
        if isinstance(layer, layers.Dense)
    ]
    if not adapted:
        raise ValueError("it has no pointwise convolution and no dense layer to adapt")
    smallest = min(adapted, key=lambda one: min(one.original.shape))
    most = min(smallest.original.shape)
    if rank > most:
        shape = "x".join(map(str, smallest.original.shape))
        raise ValueError(
            f"rank {rank} is larger than {smallest.layer.name} ({shape}): 1 to {most} can be had"
        )
    with _little_to_collect():
        for one in adapted:
            if bits in QUANTIZED:
                one.layer.quantize(config=QUANTIZED[bits])
            one.layer.enable_lora(rank)
    return copy, adapted


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
    """What the adapter of a layer adds to its kernel, float32 [in, out]."""
    layer = one.layer
    scale = layer.lora_alpha / layer.lora_rank
    product = np.asarray(layer.lora_kernel_a) @ np.asarray(layer.lora_kernel_b)
    return np.asarray(scale * product, np.float32)


def _set(layer: keras.Layer, weights: list[np.ndarray]) -> None:
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
