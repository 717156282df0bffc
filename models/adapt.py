"""Heads on backbones, and what of them trains: the only file that sets trainability."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from models import backbones, scratch
from models.catalog import Model


@dataclass
class Network:
    """A backbone, a head, and both in one.

    `backbone`: uint8 images [n, h, w, c] -> features [n, d]; `head`: features -> logits
    [n, classes]; `whole`: images -> logits, sharing their layers.
    """

    backbone: keras.Model
    head: keras.Model
    whole: keras.Model
    pretrained: bool

    def prepare(self, images: np.ndarray) -> None:
        """Fit what is computed from training images rather than trained: the whitening."""
        if any(layer.name == scratch.WHITENING for layer in self.backbone.layers):
            scratch.whiten(self.backbone, images)


def build(
    model: Model,
    options: dict[str, Any],
    input_shape: tuple[int, int, int],
    classes: int,
    weights: Path | None = None,
) -> Network:
    """Build a network for images of `input_shape`; random weights where `weights` is None.

    Random weights are drawn from Keras's seed: call keras.utils.set_random_seed before.
    Raises OSError or ValueError for a weights file that cannot be read or does not fit.
    """
    if model.kind == "tutorial":
        backbone = scratch.tutorial_cnn(input_shape)
    elif model.kind == "cnn":
        backbone = scratch.cnn(input_shape)
    else:
        backbone = backbones.BACKBONES[model.kind](input_shape, weights, **options)
    head = keras.Sequential(
        [keras.Input(backbone.output_shape[1:]), *HEADS.get(model.kind, dense_head)(classes)],
        name="head",
    )
    inputs = keras.Input(input_shape, dtype="uint8")
    whole = keras.Model(inputs, head(backbone(inputs)), name="whole")
    return Network(backbone, head, whole, pretrained=weights is not None)


def save_base(network: Network, path: Path) -> None:
    """Write the weights of a network's base, without its head, atomically. Raises OSError."""
    base = network.backbone.get_layer("base")
    # Keras insists on this ending; a leading dot marks the file as unfinished.
    part = path.with_name(f".part-{path.name}")
    try:
        base.save_weights(str(part))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def dense_head(classes: int) -> list[layers.Layer]:
    """The head on a base: dense 256, dropout, logits."""
    return [layers.Dense(256, activation="relu"), layers.Dropout(0.3), _logits(classes)]


def tutorial_head(classes: int) -> list[layers.Layer]:
    """The tutorial's own head: dense 64, logits."""
    return [layers.Dense(64, activation="relu"), _logits(classes)]


def linear_head(classes: int) -> list[layers.Layer]:
    """Logits alone."""
    return [_logits(classes)]


HEADS = {"tutorial": tutorial_head, "cnn": linear_head}


def set_trainable(network: Network, part: str) -> None:
    """Let `part` ("all" or "head") train and nothing else; takes effect at the next compile."""
    network.head.trainable = True
    network.backbone.trainable = part == "all"
    for layer in _layers(network.backbone):
        # A normalisation that does not train keeps the statistics of its pretraining too; left
        # to drift, they ruin a base. Calling the base with training=False is not enough: Keras
        # overrides it in a model within a model.
        normalises = network.pretrained and isinstance(layer, layers.BatchNormalization)
        if normalises or layer.name == scratch.WHITENING:
            layer.trainable = False
    moving = {id(variable) for variable in network.whole.trainable_variables}
    own = {id(variable) for variable in network.head.trainable_variables}
    if part == "head" and moving != own:
        raise AssertionError("only the head was to train, but other variables would move")


def _layers(model: keras.Model) -> Iterator[keras.Layer]:
    """Every layer of a model, those of models within it as well."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield layer


def _logits(classes: int) -> layers.Layer:
    # Softmax belongs to the loss; float32 keeps it exact under mixed precision.
    return layers.Dense(classes, dtype="float32", name="logits")
