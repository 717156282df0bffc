"""Heads: the tutorial's reads maps, and has one unit for two classes, seen as two logits."""

from __future__ import annotations

import keras
import networks
import numpy as np
import pytest

from models import adapt
from models.catalog import MODELS

IMAGES = np.random.default_rng(0).integers(0, 256, (8, *networks.SHAPE), np.uint8)


def built(classes: int, model: str = "tiny") -> adapt.Network:
    keras.utils.set_random_seed(0)
    change = adapt.Change(head="classic")
    return adapt.build(MODELS[model], networks.SHAPE, classes, None, change)


def kernels(network: adapt.Network) -> list[tuple[int, ...]]:
    return [tuple(v.shape) for v in network.head.trainable_variables]


def test_it_reads_the_last_maps_each_value_by_itself():
    network, usual = built(2), networks.build("tiny")
    assert network.backbone.output_shape == (None, 4, 4, 256)
    assert usual.backbone.output_shape == (None, 256)
    maps = networks.through(network.backbone, IMAGES)
    means = networks.through(usual.backbone, IMAGES)
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), means, rtol=1e-4, atol=1e-6)
    assert kernels(network) == [(4 * 4 * 256, 256), (256,), (256, 1), (1,)]


def test_one_unit_is_two_logits_and_learns_as_a_sigmoid_does():
    network = built(2)
    logits = networks.through(network.whole, IMAGES)
    assert logits.shape == (8, 2) and not logits[:, 0].any() and logits[:, 1].all()
    labels = np.arange(8) % 2
    both = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    one = keras.losses.binary_crossentropy(labels[:, None], logits[:, 1:], from_logits=True)
    np.testing.assert_allclose(both, one, rtol=1e-5)


def test_more_classes_have_a_logit_each():
    network = built(3)
    assert network.whole.output_shape == (None, 3)
    assert kernels(network)[2:] == [(256, 3), (3,)]


@pytest.mark.parametrize("model", ["mobilenetv3small", "efficientnetb0"])
def test_pooling_within_a_block_is_left_where_it_is(model):
    network = built(2, model)
    assert len(network.backbone.output_shape) == 4
    usual = networks.build(model)
    assert network.base.count_params() == usual.base.count_params()


def test_a_base_without_maps_at_its_end_is_refused():
    with pytest.raises(ValueError, match="no means of maps"):
        built(2, "mlp")
