"""The ordered blocks of a network, and cutting it between two of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import keras

# What a layer's name says of its block, by family; the first that matches names it. A layer that
# matches none belongs to the block before it, or to the stem.
NAMES = (
    (r"conv_(?:pad|dw|pw)_(\d+)", r"block\1"),  # MobileNet
    (r"expanded_conv(?:_(\d+))?_", r"block\1"),  # MobileNetV2, MobileNetV3
    (r"(?:Conv_1|conv_1|top_conv|top_bn|post_swish|post_bn)\b", "top"),
    (r"(?:\w+_)?stage_(\d+)_block_(\d+)", r"stage\1_block\2"),  # ConvNeXt
    (r"(?:\w+_)?downsampling_block_(\d+)", r"downsampling\1"),
    (r"conv(\d+)_block(\d+)", r"conv\1_block\2"),  # ResNet, DenseNet
    (r"block_?(\d+[a-z]?)_", r"block\1"),  # VGG, EfficientNet, MobileNetV2, Xception, ours
)
STEM = "stem"


@dataclass(frozen=True)
class Block:
    """A stretch of layers, and of operations without weights, that is frozen or trained as one."""

    name: str
    operations: tuple[keras.Operation, ...]

    @property
    def layers(self) -> list[keras.Layer]:
        """Those of its operations that are layers."""
        return [one for one in self.operations if isinstance(one, keras.Layer)]

    @property
    def weights(self) -> list[Any]:
        """Every variable of the block."""
        return [weight for layer in self.layers for weight in layer.weights]


def blocks(network: keras.Model) -> list[Block]:
    """The blocks of a network, from the input to the features."""
    found: dict[str, list[keras.Operation]] = {}
    name = STEM
    for operation in network.operations:
        name = _block_name(operation.name) or name
        found.setdefault(name, []).append(operation)
    parts = [Block(name, tuple(operations)) for name, operations in found.items()]
    if len(parts) > 1 and not parts[0].weights:
        # An input alone is no block.
        whole = parts[0].operations + parts[1].operations
        parts[:2] = [Block(parts[1].name, whole)]
    return parts


def cut(network: keras.Model, keep: int) -> tuple[keras.Model, keras.Model]:
    """A network in two, sharing its layers: its first `keep` blocks, and the rest on top of them.

    Raises ValueError when `keep` leaves one side empty, or more than one connection would be
    cut: the message lists the blocks.
    """
    parts = blocks(network)
    names = ", ".join(part.name for part in parts)
    if not 0 < keep < len(parts):
        raise ValueError(f"cannot keep {keep} of {len(parts)} blocks ({names})")
    below = {operation.name for part in parts[:keep] for operation in part.operations}
    crossing = {
        id(tensor): tensor
        for operation in network.operations
        if operation.name not in below
        for tensor in _inputs(operation)
        if tensor._keras_history.operation.name in below
    }
    if len(crossing) != 1:
        raise ValueError(
            f"cannot cut after {parts[keep - 1].name}, {len(crossing)} connections lead on "
            f"from there (blocks: {names})"
        )
    (boundary,) = crossing.values()
    return (
        keras.Model(network.input, boundary, name="lower"),
        keras.Model(boundary, network.outputs[0], name="upper"),
    )


def unpooled(network: keras.Model) -> keras.Model:
    """A network that ends in its last maps, sharing its layers: without the pooling of these.

    Raises ValueError for one whose features are no means of maps.
    """
    pool = keras.layers.GlobalAveragePooling2D
    pools = [layer for layer in network.layers if isinstance(layer, pool)]
    if not pools:
        raise ValueError("its features are no means of maps, which this head would read")
    return keras.Model(network.input, pools[-1].input, name=network.name)


def _block_name(operation: str) -> str | None:
    for pattern, into in NAMES:
        if match := re.match(pattern, operation):
            # The first of MobileNetV2's and V3's blocks has no number.
            return re.sub("block$", "block0", match.expand(into))
    return None


def _inputs(operation: keras.Operation) -> list[Any]:
    if isinstance(operation, keras.layers.InputLayer):
        return []
    return operation.input if isinstance(operation.input, list) else [operation.input]
