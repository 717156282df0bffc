"""Features of a base are brought to one scale before its head."""

from __future__ import annotations

from pathlib import Path

import factory
import keras
import numpy as np
import pytest

from comparisons.data import prepare
from comparisons.training import device
from comparisons.training import run as training
from models import adapt, catalog
from models.catalog import MODELS
from models.normalization import FeatureScale


def built(weights: Path | None, **change) -> adapt.Network:
    return adapt.build(MODELS["tiny"], (32, 32, 3), 3, weights, adapt.Change(**change))


def tiny_weights() -> Path:
    return catalog.weights_file(MODELS["tiny"])


def test_a_head_on_a_pretrained_base_begins_with_one_number_that_does_not_train():
    network = built(tiny_weights())
    assert network.scale is network.head.layers[0]
    adapt.set_trainable(network, "head")
    assert len(network.head.trainable_variables) == 4
    features = np.random.default_rng(0).normal(3, 20, (50, network.head.input_shape[1]))
    network.scale.fit(features)
    size = float(np.sqrt((features**2).mean()))
    out = np.array(network.scale(features.astype(np.float32)))
    assert out == pytest.approx(features / size, rel=1e-4)
    assert np.sqrt((out**2).mean()) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("features", [np.zeros((4, 3)), np.full((4, 3), np.nan)])
def test_features_without_a_size_stay_as_they_are(features):
    scale = FeatureScale()
    scale.build((None, 3))
    scale.fit(features)
    assert float(np.array(scale.size)) == 1


def test_networks_from_scratch_and_new_blocks_have_none():
    assert built(None).scale is None
    assert built(tiny_weights(), replace=3).scale is None


def test_a_saved_network_keeps_its_scale(tmp_path):
    network = built(tiny_weights())
    network.scale.fit(np.full((4, 3), 7.0))
    network.whole.save(tmp_path / "whole.keras")
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    again = keras.models.load_model(tmp_path / "whole.keras")
    assert np.allclose(network.whole(images), again(images), rtol=1e-5)


@pytest.mark.ci
@pytest.mark.parametrize("arm", ["tiny:frozen", "tiny:lora@4", "tiny:full"])
def test_features_a_hundred_times_as_large_are_learnt_as_well(arm, tiny_npz, monkeypatch):
    """Without a scale the head's first steps are too long by far, and its loss says so."""
    honest = adapt.build
    losses = []
    for times in (1.0, 100.0):

        def build(*arguments, times=times, **more):
            return larger(honest(*arguments, **more), times)

        monkeypatch.setattr(adapt, "build", build)
        dataset = prepare(str(tiny_npz), None)
        run = factory.planned(arm, 120, data=str(tiny_npz), fingerprint=dataset.fingerprint,
                              epochs=3, device="cpu")  # fmt: skip
        record, _ = training.run(run, dataset, device.start("cpu", 0, False))
        losses.append(record.history[0].train_loss)
    assert losses[1] == pytest.approx(losses[0], rel=0.15)


def larger(network: adapt.Network, times: float) -> adapt.Network:
    """The same network, its base's features `times` as large."""
    if times == 1.0:
        return network
    images = keras.Input(network.backbone.input_shape[1:], dtype="uint8")
    features = keras.layers.Rescaling(times)(network.backbone(images))
    backbone = keras.Model(images, features, name="backbone")
    whole = keras.Model(images, network.head(features), name="whole")
    network.backbone, network.whole = backbone, whole
    return network
