"""A network as it is kept once it has been trained: whole, plain, and the same for every arm.

uint8 images in, probabilities out: resizing and preprocessing are inside, as are the looks at
an image, the temperature and the softmax. Adapters are merged into what they adapted, the scale
of features into the head, and every layer is one of Keras's own: so any Keras opens the file, and
exporters meet nothing they do not know. Reading builds the network anew from `Kept` and takes
nothing but numbers from the file: what a file may say of code is never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers

from models import adapt, backbones, lora
from models.catalog import Model
from models.normalization import BatchNormalization

# How an image is looked at, as comparisons.data.views has it: here inside the network.
LOOKS = ("original", "mirror")


@dataclass(frozen=True)
class Kept:
    """All that decides what a kept network computes, its weights apart.

    `input_shape` is [h, w, c]; `head` and `replaced` are what is left of an adapt.Change once a
    network is trained. The mean of the logits of all `looks` is divided by `temperature`.
    """

    model: Model
    input_shape: tuple[int, int, int]
    classes: int
    head: str | None = None
    replaced: int = 0
    looks: tuple[str, ...] = ("original",)
    temperature: float = 1.0


def write(kept: Kept, trained: adapt.Network, path: Path) -> None:
    """Write a trained network as a .keras file that any Keras 3 opens, atomically.

    Raises OSError.
    """
    part = path.with_name(f".part-{path.name}")  # Keras insists on the ending
    with _float32():
        bare = _bare(kept)
        _fill(bare, trained)
        network = _around(kept, bare.whole)
    try:
        network.save(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read(kept: Kept, path: Path) -> keras.Model:
    """uint8 images [n, h, w, c] -> probabilities [n, classes], with the weights of a .keras file.

    Raises backbones.BadWeights.
    """
    with _float32():
        network = _around(kept, _bare(kept).whole)
    backbones.load(network, path)
    return network


def _bare(kept: Kept) -> adapt.Network:
    """The network from random weights: one without adapters, whose features need no scale."""
    change = adapt.Change(head=kept.head, replace=kept.replaced)
    return adapt.build(kept.model, kept.input_shape, kept.classes, None, change)


def _fill(bare: adapt.Network, trained: adapt.Network) -> None:
    """Give a network the weights of a trained one, merged."""
    merged = {id(one.layer): lora.merged(one) for one in trained.adapted}
    for old, new in zip(trained.base.layers, bare.base.layers, strict=True):
        weights = merged.get(id(old)) or old.get_weights()
        lora.set_weights(
            new, [w.reshape(v.shape) for w, v in zip(weights, new.weights, strict=True)]
        )
    if bare.new and trained.new:
        bare.new.set_weights(trained.new.get_weights())
    head = trained.head.get_weights()
    if trained.scale:
        size, *head = head
        head[0] = head[0] / size
    bare.head.set_weights(head)


def _around(kept: Kept, whole: keras.Model) -> keras.Model:
    """A network with its looks before it, and behind it what makes logits probabilities."""
    plain = keras.models.clone_model(whole, clone_function=_plain)
    for old, new in zip(adapt.all_layers(whole), adapt.all_layers(plain), strict=True):
        lora.set_weights(new, old.get_weights())
    plain.trainable = False  # so that no exporter writes a normalisation that goes by the batch
    images = keras.Input(kept.input_shape, dtype="uint8", name="images")
    each = [plain(_look(images, name), training=False) for name in kept.looks]
    logits = each[0] if len(each) == 1 else layers.Average(name="looks")(each)
    logits = layers.Rescaling(1 / kept.temperature, name="temperature")(logits)
    return keras.Model(images, layers.Softmax(name="probabilities")(logits), name="kept")


def _look(images: Any, name: str) -> Any:
    return images[:, :, ::-1] if name == "mirror" else images


def _plain(layer: keras.Operation) -> keras.Operation:
    """A layer of Keras's own that computes the same once it is trained."""
    if isinstance(layer, keras.Model):  # not by `recursive`, which in Keras 3.13 goes one deep
        return keras.models.clone_model(layer, clone_function=_plain)
    if not isinstance(layer, layers.Layer):
        return layer
    config = layer.get_config()
    # How weights began is of no use to one who has them.
    config = {name: v for name, v in config.items() if not name.endswith("_initializer")}
    kind = layers.BatchNormalization if isinstance(layer, BatchNormalization) else type(layer)
    return kind.from_config(config)


@contextmanager
def _float32() -> Iterator[None]:
    """Whatever a run computed in: what is kept is exact."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
