"""Resizing as two matrix products, which a CPU does faster than OpenVINO's own way."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

# Beyond so many floating-point operations for each value made, OpenVINO's own way is as fast.
MOST_FLOP = 500
BILINEAR = {
    "mode": "linear_onnx",
    "coordinate_transformation_mode": "half_pixel",
    "antialias": False,
}


def as_products(model: Any) -> int:
    """Replace each bilinear resizing of images [n, h, w, c] in an OpenVINO model; count them.

    Resizing is linear: all rows times one matrix, then all columns times another. A resizing
    stays where that would be more work, as it is from large images or of many channels.
    """
    replaced = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Interpolate" or not _suits(node):
            continue
        result = _products(node)
        for target in list(node.output(0).get_target_inputs()):
            target.replace_source_output(result)
        replaced += 1
    model.validate_nodes_and_infer_types()
    return replaced


def _suits(node: Any) -> bool:
    shapes = (node.input(0).get_partial_shape(), node.output(0).get_partial_shape())
    if any(shape.rank.get_length() != 4 or any(d.is_dynamic for d in shape) for shape in shapes):
        return False
    attributes = node.get_attributes()
    if any(attributes[name] != value for name, value in BILINEAR.items()):
        return False
    (_, height, width, channels), (_, out_height, _, out_channels) = (
        [dimension.get_length() for dimension in shape] for shape in shapes
    )
    flop = 2 * height * width * channels / out_height + 2 * height
    return channels == out_channels and flop <= MOST_FLOP


def _products(node: Any) -> Any:
    from openvino import opset13 as ops

    _, height, width, channels = node.input(0).get_shape()
    _, out_height, out_width, _ = node.output(0).get_shape()
    # Channels lie next to each other, so a column's weights are repeated for each of them.
    columns = np.kron(matrix(width, out_width).T, np.eye(channels, dtype=np.float32))
    rows = matrix(height, out_height)
    x = ops.reshape(node.input_value(0), np.array([0, height, width * channels]), True)
    x = ops.matmul(x, ops.constant(columns), False, False)
    x = ops.matmul(ops.constant(rows[None]), x, False, False)
    return ops.reshape(x, np.array([0, out_height, out_width, channels]), True).output(0)


def matrix(size: int, wanted: int) -> np.ndarray:
    """What makes `wanted` values of `size` ones by Keras's bilinear resizing, [wanted, size]."""
    identity = np.eye(size, dtype=np.float32)[..., None]
    return np.asarray(keras.ops.image.resize(identity, (wanted, size)), np.float32)[..., 0]
