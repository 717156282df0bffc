"""Pretrained bases, each with its own resizing and preprocessing inside."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from models import normalization, savedmodel
from models.catalog import Model

FAST_MOMENTUM = 0.9
IMAGENET_BGR_MEANS = (103.939, 116.779, 123.68)
IMAGENET_MEANS = (0.485, 0.456, 0.406)
IMAGENET_DEVIATIONS = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Bones:
    """What a backbone is made of.

    `preprocess`: uint8 images [n, h, w, c] -> what the base expects, resized and scaled; None
    where the base does that itself. `base`: that -> features [n, d].
    """

    preprocess: keras.Model | None
    base: keras.Model


def application(
    model: Model,
    input_shape: tuple[int, int, int],
    weights: Path | None,
) -> Bones:
    """A base of keras.applications without its top: uint8 [n, h, w, 1 or 3] -> [n, d].

    The model's options but for the size are those of its function, such as MobileNet's alpha.
    Raises BadWeights.
    """
    row, size = model.application, int(model.option("size") or 0)
    assert row is not None
    options = {name: value for name, value in model.options if name != "size"}
    inputs, x = _upscaled(input_shape, size)
    x = _PREPROCESSING[row.family.mode](x)
    # Keras looks the names of some of its networks up, so none is given but around them.
    inner = getattr(keras.applications, row.function)(
        input_shape=(size, size, 3), include_top=False, pooling="avg", weights=None, **options
    )
    base = keras.Model(inner.input, inner.output, name="base")
    if weights:
        load(base, weights)
        if not weights.name.endswith(OWN_FORMAT):
            _as_published(base)
    return _around(base, inputs, x, pretrained=weights is not None)


def hub(model: Model, input_shape: tuple[int, int, int], weights: Path | None) -> Bones:
    """A SavedModel in the folder `weights`: uint8 [n, h, w, 1 or 3] -> its output [n, d].

    It gets RGB from 0 to 1, as TensorFlow Hub has it. Raises ValueError for a SavedModel of
    another task.
    """
    assert weights is not None
    layer = savedmodel.SavedModel(weights, model.name)
    inputs, x = _upscaled(input_shape, layer.size)
    x = layers.Rescaling(1 / 255)(x)
    images = keras.Input((layer.size, layer.size, 3))
    base = keras.Model(images, layer(images), name="base")
    return _around(base, inputs, x, pretrained=True)


def tiny(model: Model, input_shape: tuple[int, int, int], weights: Path | None) -> Bones:
    """A small base of depthwise-separable blocks at 32 px: uint8 [n, h, w, 1 or 3] -> [n, 256].

    Blocks after Howard et al. 2017 (MobileNets), arXiv:1704.04861, sized for 32x32 images.
    """
    inputs, x = _upscaled(input_shape, 32)
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    base = _tiny_base()
    if weights:
        load(base, weights)
    return _around(base, inputs, x, pretrained=weights is not None)


BACKBONES: dict[str, Any] = {"application": application, "hub": hub, "tiny": tiny}
OWN_FORMAT = ".weights.h5"


class BadWeights(ValueError):
    """A file that a network's weights cannot be read from; the message names it and says why."""


def load(base: keras.Model, weights: Path) -> None:
    """Load published weights, or those that `adapt.save_base` wrote. Raises BadWeights."""
    if not weights.exists():
        raise BadWeights(f"{weights.name} is not there")
    if weights.is_dir():
        raise BadWeights(f"{weights.name} is a folder, not a file of weights")
    if not weights.stat().st_size:
        raise BadWeights(f"{weights.name} is empty")
    with warnings.catch_warnings():
        # Keras only warns of what it could not place, and would leave it random.
        warnings.simplefilter("error", UserWarning)
        try:
            base.load_weights(str(weights))
        except PermissionError:
            raise BadWeights(f"{weights.name} may not be read") from None
        except OSError:
            raise BadWeights(f"{weights.name} is no file of weights, or not all of one") from None
        except Exception:  # whatever a file of another shape may raise in Keras
            raise BadWeights(f"{weights.name} holds the weights of another network") from None
    if not all(np.isfinite(variable).all() for variable in base.get_weights()):
        raise BadWeights(f"{weights.name} holds numbers that are not finite")


def _as_published(base: keras.Model) -> None:
    """Make up for what Keras does with EfficientNet's weights only where it fetches them itself.

    The files hold the deviation where a variance belongs; Keras then divides once more.
    """
    for layer in base.layers:
        if isinstance(layer, layers.Normalization) and layer.weights:
            layer.adapt_variance.assign(layer.adapt_variance**2)
            layer.finalize_state()


def _caffe(x: Any) -> Any:
    # The originals were trained on BGR images with the means taken off; Keras keeps that order.
    x = layers.Concatenate(name="bgr")([x[..., 2:3], x[..., 1:2], x[..., 0:1]])
    return layers.Normalization(mean=IMAGENET_BGR_MEANS, variance=(1.0, 1.0, 1.0), axis=-1)(x)


def _torch(x: Any) -> Any:
    variance = tuple(deviation**2 for deviation in IMAGENET_DEVIATIONS)
    x = layers.Rescaling(1 / 255)(x)
    return layers.Normalization(mean=IMAGENET_MEANS, variance=variance, axis=-1)(x)


# What each mode of models.applications stands for; these are layers, so that exporters see them.
_PREPROCESSING = {
    "caffe": _caffe,
    "tf": lambda x: layers.Rescaling(1 / 127.5, offset=-1)(x),
    "torch": _torch,
    "none": lambda x: x,
}


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
        base = normalization.fused(base, FAST_MOMENTUM)
    return Bones(keras.Model(inputs, x, name="preprocess"), base)
