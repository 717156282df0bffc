"""The fused BatchNormalization: Keras's numbers, in training and after it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as some

from models import adapt
from models.catalog import MODELS
from models.normalization import BatchNormalization, fused


def trained(layer: keras.layers.Layer, inputs: np.ndarray) -> list[np.ndarray]:
    """Outputs of a training step, gradients of a sum over them, and the statistics after it."""
    weights = np.random.default_rng(1).normal(size=inputs.shape).astype(np.float32)
    layer.build(inputs.shape)
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x, training=True)
        total = tf.reduce_sum(outputs * weights)
    variables = [variable.value for variable in layer.trainable_variables]
    gradients = tape.gradient(total, [x, *variables])
    return [np.array(value) for value in (outputs, *gradients, *layer.get_weights())]


@settings(max_examples=30, deadline=None)
@given(
    some.tuples(*[some.integers(1, 5)] * 4),
    some.booleans(),
    some.booleans(),
    some.sampled_from([0.8, 0.99]),
)
@example((1, 1, 1, 3), True, True, 0.8)
def test_a_training_step_is_that_of_keras(shape, scale, center, momentum):
    inputs = np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)
    options = {"scale": scale, "center": center, "momentum": momentum}
    ours = trained(BatchNormalization(**options), inputs)
    theirs = trained(keras.layers.BatchNormalization(**options), inputs)
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-3)


def test_inference_and_other_shapes_are_left_to_keras():
    for shape, training in (((4, 5, 5, 3), False), ((6, 3), True), ((2, 4, 3), True)):
        inputs = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        ours, theirs = BatchNormalization(), keras.layers.BatchNormalization()
        a, b = (np.array(layer(inputs, training=training)) for layer in (ours, theirs))
        assert (a == b).all()


def test_a_frozen_layer_keeps_its_statistics():
    layer = BatchNormalization()
    layer.build((None, 4, 4, 3))
    layer.trainable = False
    before = layer.get_weights()
    layer(np.random.default_rng(0).normal(size=(8, 4, 4, 3)).astype(np.float32), training=True)
    assert all((a == b).all() for a, b in zip(before, layer.get_weights(), strict=True))


@pytest.mark.parametrize("name", ["cnn", "tiny", "mobilenet"])
def test_networks_from_random_weights_have_it(name):
    network = adapt.build(MODELS[name], (32, 32, 3), 10)
    norms = [
        layer
        for layer in adapt.all_layers(network.base)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert norms
    assert all(type(layer) is BatchNormalization for layer in norms)
    assert {layer.momentum for layer in norms} <= {0.8, 0.9}


def test_a_copy_has_the_same_layers_by_name_and_shape():
    network = keras.applications.MobileNet((32, 32, 3), 0.25, include_top=False, weights=None)
    copy = fused(network, 0.9)
    names = [[layer.name for layer in model.layers[1:]] for model in (copy, network)]
    assert names[0] == names[1]
    copy.set_weights(network.get_weights())
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    assert np.array(copy(images)) == pytest.approx(np.array(network(images)), abs=1e-5)
