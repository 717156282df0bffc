"""Pretrained bases, each with its own resizing and preprocessing inside."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers

FAST_MOMENTUM = 0.9
IMAGENET_BGR_MEANS = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class Bones:
    """What a backbone is made of.

    `preprocess`: uint8 images [n, h, w, c] -> what the base expects, resized and scaled; None
    where the base does that itself. `base`: that -> features [n, d].
    """

    preprocess: keras.Model | None
    base: keras.Model


def mobilenet(
    input_shape: tuple[int, int, int], weights: Path | None, *, alpha: float, size: int
) -> Bones:
    """MobileNet v1 without its top: uint8 [n, h, w, 1 or 3] -> [n, 1024 * alpha]."""
    inputs, x = _upscaled(input_shape, size)
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    base = keras.applications.MobileNet(
        input_shape=(size, size, 3),
        alpha=alpha,
        include_top=False,
        pooling="avg",
        weights=str(weights) if weights else None,
        name="base",
    )
    return _around(base, inputs, x, pretrained=weights is not None)


def vgg16(input_shape: tuple[int, int, int], weights: Path | None, *, size: int) -> Bones:
    """VGG16 without its top: uint8 [n, h, w, 1 or 3] -> [n, 512]."""
    inputs, x = _upscaled(input_shape, size)
    # The original was trained on BGR images with the means taken off; Keras keeps that order.
    x = layers.Concatenate(name="bgr")([x[..., 2:3], x[..., 1:2], x[..., 0:1]])
    x = layers.Normalization(mean=IMAGENET_BGR_MEANS, variance=(1.0, 1.0, 1.0), axis=-1)(x)
    base = keras.applications.VGG16(
        input_shape=(size, size, 3),
        include_top=False,
        pooling="avg",
        weights=str(weights) if weights else None,
        name="base",
    )
    return _around(base, inputs, x, pretrained=weights is not None)


def tiny(input_shape: tuple[int, int, int], weights: Path | None) -> Bones:
    """A small base of depthwise-separable blocks at 32 px: uint8 [n, h, w, 1 or 3] -> [n, 256].

    Blocks after Howard et al. 2017 (MobileNets), arXiv:1704.04861, sized for 32x32 images.
    """
    inputs, x = _upscaled(input_shape, 32)
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    base = _tiny_base()
    if weights:
        load(base, weights)
    return _around(base, inputs, x, pretrained=weights is not None)


BACKBONES: dict[str, Any] = {"mobilenet": mobilenet, "vgg16": vgg16, "tiny": tiny}


def fetch(kind: str, alpha: float | None = None) -> None:
    """Let Keras download the published weights into KERAS_HOME. Raises Exception without them."""
    if kind == "mobilenet":
        keras.applications.MobileNet(
            input_shape=(224, 224, 3), alpha=alpha, include_top=False, weights="imagenet"
        )
    elif kind == "vgg16":
        keras.applications.VGG16(include_top=False, weights="imagenet")


def load(base: keras.Model, weights: Path) -> None:
    """Load weights that `adapt.save_base` wrote. Raises OSError, ValueError for another network."""
    with warnings.catch_warnings():
        # Keras only warns of what it could not place, and would leave it random.
        warnings.simplefilter("error")
        try:
            base.load_weights(str(weights))
        except UserWarning:
            raise ValueError(f"{weights.name} holds the weights of another network") from None


def _tiny_base() -> keras.Model:
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(32, 3, padding="same", use_bias=False, name="block0_conv")(inputs)
    x = layers.BatchNormalization(name="block0_norm")(x)
    x = layers.ReLU(name="block0_relu")(x)
    for index, (width, stride) in enumerate(
        ((64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (256, 2), (256, 1)), start=1
    ):
        for part, layer in (
            ("depthwise", layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)),
            ("pointwise", layers.Conv2D(width, 1, use_bias=False)),
        ):
            layer.name = f"block{index}_{part}"
            x = layer(x)
            x = layers.BatchNormalization(name=f"block{index}_{part}_norm")(x)
            x = layers.ReLU(name=f"block{index}_{part}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, x, name="base")


def _upscaled(input_shape: tuple[int, int, int], size: int) -> tuple[Any, Any]:
    """An input for uint8 images, and the same as float32 RGB of `size` pixels, 0 to 255."""
    inputs = keras.Input(input_shape, dtype="uint8")
    x = keras.ops.cast(inputs, "float32")
    if input_shape[-1] == 1:
        x = layers.Concatenate(name="rgb")([x, x, x])
    if input_shape[:2] != (size, size):
        x = layers.Resizing(size, size, name="resize")(x)
    return inputs, x


def _around(base: keras.Model, inputs: Any, x: Any, pretrained: bool) -> Bones:
    if not pretrained:
        # Keras's default of 0.99 needs hundreds of steps before the statistics mean anything;
        # small training sets have fewer, and validation would stay at chance meanwhile.
        for layer in base.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.momentum = FAST_MOMENTUM
    return Bones(keras.Model(inputs, x, name="preprocess"), base)
