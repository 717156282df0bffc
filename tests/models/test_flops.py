"""What a forward pass costs: as counted by hand, and as TensorFlow's profiler counts it."""

from __future__ import annotations

from math import prod

import keras
import pytest
import tensorflow as tf
from keras import layers

from comparisons.plan import arms
from models import adapt, flops, lora
from models.applications import APPLICATIONS

SHAPE, CLASSES = (32, 32, 3), 3
OWN = ("tutorial-cnn", "cnn", "cnn-medium", "cnn-large", "mlp", "plain-cnn", "tiny")
# With depthwise, squeeze-excite, separable and grouped convolutions, and dense layers over maps.
CHEAP = (
    "mobilenet",
    "mobilenetv2",
    "mobilenetv3small",
    "efficientnetb0",
    "xception",
    "convnexttiny",
)
OTHERS = [name for name in APPLICATIONS if name not in CHEAP]
PRODUCTS = (".*Conv.*", ".*MatMul.*")
# The profiler knows no cost of these: here one operation for each number.
UNKNOWN = ("Relu", "Relu6", "Sigmoid", "Erfc", "Max", "ResizeBilinear")


def build(name: str) -> adapt.Network:
    arm = arms.parse(f"{name}:scratch")
    return adapt.build(arm.model, SHAPE, CLASSES)


def traced(model: keras.Model, images: int = 1) -> tf.Graph:
    """The operations of one forward pass."""
    taken = tf.TensorSpec((images, *model.input_shape[1:]), model.input.dtype)
    # Keras compiles grouped convolutions as functions of their own, where the profiler does not
    # look; run eagerly, functions are written into the graph that is traced around them.
    tf.config.run_functions_eagerly(True)
    try:
        call = tf.compat.v1.wrap_function(lambda x: model(x, training=False), [taken])
    finally:
        tf.config.run_functions_eagerly(False)
    assert not {op.type for op in call.graph.get_operations()} & {
        "PartitionedCall",
        "StatefulPartitionedCall",
    }
    return call.graph


def profiled(graph: tf.Graph, types: tuple[str, ...] = (".*",)) -> int:
    """What TensorFlow's profiler sums up over operations of these types."""
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder.float_operation()
    options |= {"account_type_regexes": types, "output": "none"}
    return profiler.profile(graph, cmd="op", options=options).total_float_ops


@pytest.mark.parametrize(
    "name", [*OWN, *CHEAP, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
def test_a_network_costs_what_tensorflow_counts(name):
    network = build(name)
    graph = traced(network.whole)
    products = profiled(graph, PRODUCTS)
    assert flops.forward(network.whole) == products
    assert flops.forward(network.backbone) + flops.forward(network.head) == products
    unknown = [op for op in graph.get_operations() if op.type in UNKNOWN]
    others = profiled(graph) - products + sum(prod(o.shape) for op in unknown for o in op.outputs)
    assert 0 < others < 0.08 * products


@pytest.mark.parametrize("part", ["head", "last"])
def test_the_halves_of_a_network_cost_what_the_whole_does(part):
    network = build("tiny")
    lower, upper = adapt.halves(network, part, 2)
    assert flops.forward(lower) > flops.forward(upper) > 0
    assert flops.forward(lower) + flops.forward(upper) == flops.forward(network.whole)


# On maps of 10x12 with 4 channels: multiplications by hand.
LAYERS = {
    "same": (layers.Conv2D(6, 3, padding="same"), 10 * 12 * 3 * 3 * 4 * 6),
    "valid": (layers.Conv2D(6, (3, 5)), 8 * 8 * 3 * 5 * 4 * 6),
    "strides": (layers.Conv2D(6, 3, 2, padding="same"), 5 * 6 * 3 * 3 * 4 * 6),
    "dilation": (layers.Conv2D(6, 3, dilation_rate=2), 6 * 8 * 3 * 3 * 4 * 6),
    "groups": (layers.Conv2D(6, 3, groups=2), 8 * 10 * 3 * 3 * 2 * 6),
    "depthwise": (layers.DepthwiseConv2D(3, depth_multiplier=2), 8 * 10 * 3 * 3 * 4 * 2),
    "separable": (layers.SeparableConv2D(6, 3, 2), 4 * 5 * (3 * 3 * 4 + 4 * 6)),
    "dense": (layers.Dense(6), 10 * 12 * 4 * 6),
    "nested": (keras.Sequential([layers.ReLU(), layers.Dense(6)]), 10 * 12 * 4 * 6),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_costs_what_is_counted_by_hand_and_by_tensorflow(name):
    layer, multiplications = LAYERS[name]
    inputs = keras.Input((10, 12, 4))
    model = keras.Model(inputs, layer(inputs))
    assert flops.forward(model) == 2 * multiplications
    assert profiled(traced(model), PRODUCTS) == 2 * multiplications


@pytest.mark.parametrize("bits", [32, 8, 4])
def test_adapters_cost_an_image_what_comes_beside_the_kernel(bits):
    inputs = keras.Input((10, 12, 4))
    layer = layers.Dense(6)
    model = keras.Model(inputs, layer(inputs))
    if bits in lora.QUANTIZED:
        layer.quantize(config=lora.QUANTIZED[bits])
    layer.enable_lora(2)
    beside = 0 if bits == 32 else 4 * 2 + 2 * 6
    assert flops.forward(model) == 2 * 10 * 12 * (4 * 6 + beside)
    # What one image more costs: adapters within the kernel cost each batch the same.
    one, two = (profiled(traced(model, images), PRODUCTS) for images in (1, 2))
    assert flops.forward(model) == two - one


def test_tutorial_cnn_by_hand():
    convolutions = 30 * 30 * 27 * 32 + 13 * 13 * 288 * 64 + 4 * 4 * 576 * 64
    wanted = 2 * (convolutions + 1024 * 64 + 64 * CLASSES)
    assert flops.forward(build("tutorial-cnn").whole) == wanted


def test_a_kernel_that_is_not_counted_is_an_error():
    inputs = keras.Input((10, 4))
    model = keras.Model(inputs, layers.Conv1D(6, 3, name="unknown")(inputs))
    with pytest.raises(TypeError, match="Conv1D 'unknown'"):
        flops.forward(model)
