"""Networks trained from random weights: the tutorial's, fast ones for CPUs, a deep plain one."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import layers

from models.normalization import BatchNormalization
from models.pixels import shrunk

WHITENING = "whitening"


def tutorial_cnn(input_shape: tuple[int, int, int]) -> keras.Model:
    """The convolutional part of the tutorial's network: uint8 [n, h, w, c] -> [n, features].

    Source: https://www.tensorflow.org/tutorials/images/cnn (convolutions 32, 64, 64; its dense
    layer of 64 units belongs to the head).
    """
    return keras.Sequential(
        [
            keras.Input(input_shape, dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
        ],
        name="tutorial_cnn",
    )


def cnn(
    input_shape: tuple[int, int, int],
    widths: tuple[int, ...] = (64, 128),
    patch: int = 4,
    stride: int = 2,
    directions: int = 16,
) -> keras.Model:
    """A network that learns fast on a CPU: uint8 [n, h, w, c] -> [n, features].

    A fixed convolution over patches of so many pixels a side, `stride` pixels apart, whitens
    them (set by `whiten` from the training images) and keeps so many directions; then each block
    is convolution, pooling, normalisation, ReLU, and the same again without pooling. All begin
    with what came in passed on (`PassedOn`). After Keller Jordan's "94% on CIFAR-10 in 3.29
    Seconds", arXiv:2404.00498, whose patches of 2x2 are one pixel apart; patches two pixels
    apart, and pooling first, make what follows four times cheaper each. Images of more than 64
    pixels a side are averaged down first, to about 50.
    """

    def convolution(width: int, name: str) -> layers.Layer:
        begin = PassedOn()
        return layers.Conv2D(
            width, 3, padding="same", use_bias=False, kernel_initializer=begin, name=name
        )

    inputs = keras.Input(input_shape, dtype="uint8")
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    if (times := shrunk(min(input_shape[:2]))) > 1:
        x = layers.AveragePooling2D(times)(x)
    x = layers.Conv2D(
        2 * directions, patch, stride, use_bias=False, trainable=False, name=WHITENING
    )(x)
    x = layers.ReLU()(x)
    for index, width in enumerate(widths, start=1):
        x = convolution(width, f"block{index}_conv1")(x)
        x = layers.MaxPooling2D(2)(x)
        x = BatchNormalization(momentum=0.8, name=f"block{index}_norm1")(x)
        x = layers.ReLU()(x)
        x = convolution(width, f"block{index}_conv2")(x)
        x = BatchNormalization(momentum=0.8, name=f"block{index}_norm2")(x)
        x = layers.ReLU()(x)
    x = layers.GlobalMaxPooling2D()(x)
    return keras.Model(inputs, x, name="cnn")


def cnn_medium(input_shape: tuple[int, int, int]) -> keras.Model:
    """`cnn` for minutes instead of seconds: patches one pixel apart, a third block."""
    return cnn(input_shape, widths=(64, 128, 256), patch=2, stride=1, directions=12)


def cnn_large(input_shape: tuple[int, int, int]) -> keras.Model:
    """`cnn` for half an hour: the second block twice as wide as that of `cnn_medium`."""
    return cnn(input_shape, widths=(64, 256, 256), patch=2, stride=1, directions=12)


@keras.saving.register_keras_serializable(package="comparisons")
class PassedOn(keras.initializers.GlorotUniform):
    """A convolution's first filters pass a channel on each, as it is; the others are Glorot's.

    Kernels [height, width, in, out] of odd sides. "Dirac" initialisation, as in
    arXiv:2404.00498, section 3.
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """The kernel to begin with."""
        drawn = super().__call__(shape, dtype)
        height, width, channels, filters = shape
        passing = np.zeros(shape, np.float32)
        for index in range(min(channels, filters)):
            passing[height // 2, width // 2, index, index] = 1
        first = np.arange(filters) < channels
        return keras.ops.where(first, keras.ops.cast(passing, drawn.dtype), drawn)


def mlp(input_shape: tuple[int, int, int], widths: tuple[int, ...] = (128, 64)) -> keras.Model:
    """The classic multilayer perceptron: uint8 [n, h, w, c] -> [n, features].

    Pixels from -1 to 1 in a row, then dense layers with ReLU, and nothing that knows what is
    beside what.
    """
    parts: list[Any] = [keras.Input(input_shape, dtype="uint8")]
    parts += [layers.Rescaling(1 / 127.5, offset=-1), layers.Flatten()]
    for index, width in enumerate(widths, start=1):
        parts.append(layers.Dense(width, activation="relu", name=f"block{index}_dense"))
    return keras.Sequential(parts, name="mlp")


def plain_cnn(
    input_shape: tuple[int, int, int], widths: tuple[int, ...] = (16, 32, 64), each: int = 6
) -> keras.Model:
    """A deep stack of convolutions and nothing else: uint8 [n, h, w, c] -> [n, features].

    Without normalisation and without shortcuts, so that how its weights begin decides whether a
    signal comes through: 18 layers of 3x3, the first of every width two pixels apart. Like the
    plain networks of He et al. 2015, arXiv:1502.01852, section 2.2, but narrow.
    """
    parts: list[Any] = [keras.Input(input_shape, dtype="uint8")]
    parts.append(layers.Rescaling(1 / 127.5, offset=-1))
    for index, width in enumerate(widths, start=1):
        for number in range(1, each + 1):
            name, stride = f"block{index}_conv{number}", 2 if number == 1 else 1
            parts.append(
                layers.Conv2D(width, 3, stride, padding="same", activation="relu", name=name)
            )
    return keras.Sequential([*parts, layers.Flatten()], name="plain_cnn")


def whiten(model: keras.Model, images: np.ndarray, most: int = 5000) -> None:
    """Set the whitening convolution of `cnn` from training images, uint8 [n, h, w, c].

    Its filters are the eigenvectors of the covariance of patches that have the largest
    eigenvalues, over the square root of these, and the negatives of the same.
    """
    layer = model.get_layer(WHITENING)
    shape, (down, across) = layer.kernel.shape, layer.strides
    pixels = _averaged(images[:most], shrunk(min(images.shape[1:3]))) / 127.5 - 1
    windows = np.lib.stride_tricks.sliding_window_view(pixels, shape[:2], axis=(1, 2))
    patches = np.moveaxis(windows[:, ::down, ::across], 3, -1).reshape(-1, math.prod(shape[:3]))
    values, vectors = np.linalg.eigh(np.cov(patches[:: max(1, len(patches) // 200_000)].T))
    # Grey images have fewer directions in a patch than are kept of coloured ones.
    largest = slice(-min(shape[3] // 2, len(values)), None)
    filters = vectors[:, largest] / np.sqrt(values[largest] + 1e-2)
    kernel = np.zeros((len(values), shape[3]), np.float32)
    kernel[:, : 2 * filters.shape[1]] = np.concatenate([filters, -filters], axis=1)
    layer.set_weights([kernel.reshape(shape)])


def _averaged(images: np.ndarray, times: int) -> np.ndarray:
    """The means of squares of so many pixels a side, float32, as the network computes them."""
    high, wide = (side // times for side in images.shape[1:3])
    some = images[:, : high * times, : wide * times].astype(np.float32)
    return some.reshape(len(some), high, times, wide, times, -1).mean(axis=(2, 4))
