"""Heads on backbones, and what of them trains: the only file that sets trainability."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from models import backbones, lora, scratch
from models.blocks import Block, blocks, cut, unpooled
from models.catalog import Model
from models.normalization import BatchNormalization, FeatureScale

NEW_WIDTH = 128


@dataclass
class Network:
    """A backbone, a head, and both in one.

    `backbone`: uint8 images [n, h, w, c] -> features [n, d], or maps where the head reads those;
    `head`: features -> logits [n, classes]; `whole`: images -> logits, sharing their layers.
    Within the backbone, `preprocess` comes before `base`, and `new`, where there are new blocks,
    after it. `adapted` are the layers of the base that carry adapters.
    """

    backbone: keras.Model
    head: keras.Model
    whole: keras.Model
    base: keras.Model
    pretrained: bool
    preprocess: keras.Model | None = None
    new: keras.Model | None = None
    adapted: list[lora.Adapted] = field(default_factory=list)

    def prepare(self, images: np.ndarray) -> None:
        """Fit what is computed from training images rather than trained: the whitening."""
        if any(layer.name == scratch.WHITENING for layer in self.base.layers):
            scratch.whiten(self.base, images)

    @property
    def scale(self) -> FeatureScale | None:
        """What brings a pretrained base's features to one scale before its head; None without."""
        first = self.head.layers[0]
        return first if isinstance(first, FeatureScale) else None

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the base, from the input on."""
        return blocks(self.base)


@dataclass(frozen=True)
class Change:
    """What a strategy makes of a base before it trains: at most one of these is not zero.

    `rank` of adapters, on weights of `bits` bits; `replace` counts the last blocks whose place
    two new ones take. `head` is a row of HEADS that takes the place of the model's own. `dropout`
    is the share of features that is left out in each training step before the head reads them.
    These go with any of the others.
    """

    rank: int = 0
    bits: int = 32
    replace: int = 0
    head: str | None = None
    dropout: float = 0.0


def build(
    model: Model,
    input_shape: tuple[int, int, int],
    classes: int,
    weights: Path | None = None,
    change: Change = Change(),
) -> Network:
    """Build a network for images of `input_shape`; random weights where `weights` is None.

    Random weights are drawn from Keras's seed: call keras.utils.set_random_seed before.
    Raises backbones.BadWeights for a weights file that cannot be read or does not fit, and
    ValueError for a `change` that this base does not allow.
    """
    bones = _bones(model, input_shape, weights)
    name = change.head or model.head
    base, new = unpooled(bones.base) if name in READ_MAPS else bones.base, None
    adapted: list[lora.Adapted] = []
    if change.rank:
        base, adapted = lora.with_adapters(base, change.rank, change.bits)
    if change.replace:
        _must_have(base, change.replace, "replace")
        base, _ = cut(base, len(blocks(base)) - change.replace)
        new = _new_blocks(base.output_shape[1:])
    inputs = keras.Input(input_shape, dtype="uint8")
    x = bones.preprocess(inputs) if bones.preprocess else inputs
    # Exporters, unlike Keras's own models within models, heed training=False: without it they
    # would write a BatchNormalization that normalises by the batch.
    x = base(x, training=False) if weights else base(x)
    x = new(x) if new else x
    backbone = keras.Model(inputs, x, name="backbone")
    features = [keras.Input(backbone.output_shape[1:])]
    if weights and new is None:
        features.append(FeatureScale(name="scale"))
    if change.dropout:
        features.append(layers.Dropout(change.dropout))
    head = keras.Sequential([*features, *HEADS[name](classes)], name="head")
    inputs = keras.Input(input_shape, dtype="uint8")
    whole = keras.Model(inputs, head(backbone(inputs)), name="whole")
    return Network(backbone, head, whole, base, weights is not None, bones.preprocess, new, adapted)


def _bones(
    model: Model,
    input_shape: tuple[int, int, int],
    weights: Path | None,
) -> backbones.Bones:
    if model.builder in backbones.BACKBONES:
        return backbones.BACKBONES[model.builder](model, input_shape, weights)
    base = getattr(scratch, model.builder)(input_shape)
    if weights:
        backbones.load(base, weights)
    return backbones.Bones(None, base)


def save_base(network: Network, path: Path) -> None:
    """Write the weights of a network's base, without its head, atomically. Raises OSError."""
    # Keras insists on this ending; a leading dot marks the file as unfinished.
    part = path.with_name(f".part-{path.name}")
    try:
        network.base.save_weights(str(part))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def dense_head(classes: int) -> list[layers.Layer]:
    """The head on a base: dense 256, dropout, logits."""
    return [layers.Dense(256, activation="relu"), layers.Dropout(0.35), _logits(classes)]


def tutorial_head(classes: int) -> list[layers.Layer]:
    """The tutorial's own head: dense 64, logits."""
    return [layers.Dense(64, activation="relu"), _logits(classes)]


def linear_head(classes: int) -> list[layers.Layer]:
    """Logits alone."""
    return [_logits(classes)]


def classic_head(classes: int) -> list[layers.Layer]:
    """That of the tutorial on bases: maps flattened, dense 256, dropout, one unit for two classes.

    F. Chollet 2016, "Building powerful image classification models using very little data".
    """
    last = _one_unit() if classes == 2 else [_logits(classes)]
    return [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dropout(0.5), *last]


HEADS: dict[str, Callable[[int], list[layers.Layer]]] = {
    "dense": dense_head,
    "tutorial": tutorial_head,
    "linear": linear_head,
    "classic": classic_head,
}
READ_MAPS = ("classic",)  # heads that read a base's last maps, not their means


def halves(network: Network, part: str, count: int = 0) -> tuple[keras.Model | None, keras.Model]:
    """A network in two, sharing its layers: what stays as it is while `part` trains, and the rest.

    The first, images -> features, never changes and so needs to be computed only once for each
    image; the second, features -> logits, trains. The first is None where something trains from
    the first block on. Arguments as of `set_trainable`; raises ValueError like `blocks.cut`.
    """
    if part == "head":
        return network.backbone, network.head
    if part not in ("new", "last"):
        return None, network.whole
    if part == "new":
        assert network.new is not None
        below, above = network.base, network.new
    else:
        below, above = cut(network.base, len(network.blocks) - count)
    inputs = keras.Input(network.backbone.input_shape[1:], dtype="uint8")
    x = network.preprocess(inputs) if network.preprocess else inputs
    lower = keras.Model(inputs, below(x, training=False), name="lower")
    features = keras.Input(lower.output_shape[1:])
    upper = keras.Model(features, network.head(above(features)), name="upper")
    return lower, upper


def set_trainable(network: Network, part: str, count: int = 0) -> None:
    """Let `part` train and nothing else; takes effect at the next compile.

    `part` is "all"; "head"; "last", which means the last `count` blocks; "adapters"; or "new",
    the new blocks: each of the last three with the head. Raises ValueError for a count of blocks
    that is not there.
    """
    # Off, then on: Keras passes a value down to the variables only where it differs.
    network.whole.trainable = False
    network.whole.trainable = True
    for layer in all_layers(network.base):
        # A normalisation that does not train keeps the statistics of its pretraining too; left
        # to drift, they ruin a base. Calling the base with training=False is not enough: Keras
        # overrides it in a model within a model.
        normalises = network.pretrained and isinstance(layer, layers.BatchNormalization)
        if normalises or layer.name == scratch.WHITENING:
            layer.trainable = False
    wanted = {id(variable) for variable in _part(network, part, count)}
    for variable in network.whole.trainable_variables:
        variable.trainable = id(variable) in wanted
    moving = {id(variable) for variable in network.whole.trainable_variables}
    if not moving or not moving <= wanted:
        raise AssertionError(f"only {part} was to train, but other variables would move")


def depths(network: Network) -> dict[str, int]:
    """How many blocks lie between a variable and the head, by the variable's path."""
    parts = network.blocks
    return {
        weight.path: len(parts) - place
        for place, block in enumerate(parts)
        for weight in block.weights
    }


def _part(network: Network, part: str, count: int) -> list[Any]:
    head = network.head.variables
    if part == "head":
        return head
    if part == "new":
        assert network.new is not None
        return [*network.new.variables, *head]
    if part == "adapters":
        own = (v for one in network.adapted for v in one.layer.variables)
        return [*(v for v in own if v.name in lora.ADAPTERS), *head]
    if part == "last":
        parts = network.blocks
        _must_have(network.base, count, "train")
        return [*(weight for block in parts[-count:] for weight in block.weights), *head]
    return network.whole.variables


def _must_have(base: keras.Model, count: int, verb: str) -> None:
    parts = blocks(base)
    if not 0 < count < len(parts):
        listed = ", ".join(block.name for block in parts)
        raise ValueError(f"cannot {verb} the last {count} of {len(parts)} blocks ({listed})")


def _new_blocks(shape: tuple[int, ...]) -> keras.Model:
    """Two depthwise-separable blocks from random weights, and a pooling: maps -> features."""
    parts: list[Any] = [keras.Input(shape)]
    for index, stride in ((1, 2), (2, 1)):
        for name, layer in (
            ("depthwise", layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)),
            ("pointwise", layers.Conv2D(NEW_WIDTH, 1, use_bias=False)),
        ):
            layer.name = f"new{index}_{name}"
            norm = BatchNormalization(momentum=backbones.FAST_MOMENTUM)
            parts += [layer, norm, layers.ReLU()]
    return keras.Sequential([*parts, layers.GlobalAveragePooling2D()], name="new")


def all_layers(model: keras.Model) -> Iterator[keras.Layer]:
    """Every layer of a model, those of models within it as well."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)
        else:
            yield layer


def _one_unit() -> list[layers.Layer]:
    """One unit z as the logits 0 and z, of which softmax makes what a sigmoid makes of z."""
    exact = {"dtype": "float32"}
    return [
        _logits(1),
        layers.Reshape((1, 1), **exact),
        layers.ZeroPadding1D((1, 0), data_format="channels_last", **exact),
        layers.Flatten(**exact),
    ]


def _logits(classes: int) -> layers.Layer:
    # Softmax belongs to the loss; float32 keeps it exact under mixed precision.
    return layers.Dense(classes, dtype="float32", name="logits")
