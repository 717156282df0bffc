"""A kept network answers as the trained one, opens in any Keras, and is read for its numbers."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import keras
import networks
import numpy as np
import pytest
from scipy.special import softmax

from comparisons.plan import arms
from comparisons.training.building import change_of
from models import adapt, backbones, catalog, exporting, kept
from models.parity import parity

BLOCKS = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 3), np.uint8)
IMAGES = BLOCKS.repeat(8, axis=1).repeat(8, axis=2)  # noise would look the same to any network
DEGREE = 1.7
KINDS = ("cnn:scratch", "tiny:qlora@2")
MORE = (
    "tiny:frozen", "tiny:lora@2", "tiny:hybrid@2", "tutorial-cnn:scratch",
    "mlp:scratch", "tiny:probe", "tiny:full", "tiny:qlora4@2",
    "mobilenet@0.25x64:scratch", "efficientnetb0@32:lora@1", "vgg16@32:frozen", "tiny:classic",
)  # fmt: skip


def trained(written: str) -> tuple[adapt.Network, kept.Kept]:
    """An arm's network with every variable moved a little, as training would, and what keeps it."""
    arm = arms.parse(written)
    weights = catalog.weights_file(arm.model) if arm.strategy.pretrained else None
    if weights and not weights.is_file():
        weights = None  # published ones that are not here: random ones do
    keras.utils.set_random_seed(0)
    change = change_of(arm)
    network = adapt.build(arm.model, networks.SHAPE, 3, weights, change)
    network.prepare(IMAGES)
    adapt.set_trainable(network, arm.strategy.phases[-1].trainable, arm.value or 0)
    draws = np.random.default_rng(1)
    for variable in network.whole.trainable_variables:
        variable.assign_add(draws.normal(0, 0.05, variable.shape))
    if network.scale:
        network.scale.fit(networks.through(network.backbone, IMAGES))
    built = kept.Kept(arm.model, networks.SHAPE, 3, change.head, change.replace, temperature=DEGREE)
    return network, built


def expected(network: adapt.Network, images: np.ndarray = IMAGES) -> np.ndarray:
    return softmax(networks.through(network.whole, images) / DEGREE, axis=1)


def kept_as(written: str, folder: Path) -> tuple[keras.Model, np.ndarray, Path]:
    """A network read back from its file, what the trained one answered, and the file."""
    network, built = trained(written)
    path = folder / "model.keras"
    kept.write(built, network, path)
    assert [one.name for one in folder.iterdir()] == ["model.keras"]
    return kept.read(built, path), expected(network), path


def answers_alike(written: str, folder: Path) -> None:
    read, wanted, path = kept_as(written, folder)
    found = parity(wanted, networks.through(read, IMAGES))
    assert found.difference < 2e-6 and not found.differing
    assert np.ptp(wanted, axis=0).max() > 1e-4, "pictures are told apart"
    modules = set(_modules(json.loads(zipfile.ZipFile(path).read("config.json"))))
    assert not [name for name in modules if name.partition(".")[0] not in ("keras", "builtins")]


def _modules(config):
    if isinstance(config, dict):
        if config.get("module"):
            yield config["module"]
        for value in config.values():
            yield from _modules(value)
    elif isinstance(config, list):
        for value in config:
            yield from _modules(value)


@pytest.mark.parametrize("written", KINDS)
def test_it_answers_as_the_trained_network_and_is_made_of_kerass_own_layers(written, tmp_path):
    answers_alike(written, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("written", MORE)
def test_so_does_every_other_kind(written, tmp_path):
    answers_alike(written, tmp_path)


def test_looks_at_the_mirror_image_are_averaged_inside(tmp_path):
    network, built = trained("mlp:scratch")
    both = kept.Kept(built.model, networks.SHAPE, 3, looks=("original", "mirror"))
    kept.write(both, network, tmp_path / "model.keras")
    read = kept.read(both, tmp_path / "model.keras")
    logits = [networks.through(network.whole, x) for x in (IMAGES, IMAGES[:, :, ::-1])]
    wanted = softmax(np.mean(logits, axis=0), axis=1)
    np.testing.assert_allclose(networks.through(read, IMAGES), wanted, atol=1e-6)


def test_what_the_file_says_of_code_is_not_looked_at(tmp_path):
    network, built = trained("mlp:scratch")
    path, other = tmp_path / "model.keras", tmp_path / "other.keras"
    kept.write(built, network, path)
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(other, "w") as changed:
        for name in good.namelist():
            text = b'{"class_name": "Lambda"}' if name == "config.json" else good.read(name)
            changed.writestr(name, text)
    read = kept.read(built, other)
    np.testing.assert_allclose(networks.through(read, IMAGES), expected(network), atol=1e-6)


def test_the_weights_of_another_network_are_refused(tmp_path):
    network, built = trained("mlp:scratch")
    kept.write(built, network, tmp_path / "model.keras")
    _, other = trained("tiny:probe")
    with pytest.raises(backbones.BadWeights, match=r"model\.keras holds the weights of another"):
        kept.read(other, tmp_path / "model.keras")


def exports_alike(written: str, name: str, folder: Path) -> None:
    pytest.importorskip("onnxruntime")
    read, _, _ = kept_as(written, folder)
    chosen = exporting.FORMATS[name]
    exporting.export(read, chosen, folder / chosen.file)
    found = parity(networks.through(read, IMAGES), chosen.answers(folder / chosen.file, IMAGES, 1))
    assert found.agreement == 1 and found.difference < 1e-5
    assert sorted(one.name for one in folder.iterdir()) == ["model.keras", chosen.file]


@pytest.mark.parametrize("name", exporting.FORMATS)
def test_an_export_answers_as_the_model(name, tmp_path):
    exports_alike("mlp:scratch", name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", exporting.FORMATS)
@pytest.mark.parametrize("written", [*KINDS, *MORE])
def test_so_does_that_of_every_kind_of_arm(written, name, tmp_path):
    exports_alike(written, name, tmp_path)


def test_what_normalises_adds_no_input_to_an_export(tmp_path):
    """By numbers that it was given, as before a base, or by weights, as in EfficientNet."""
    pytest.importorskip("onnxruntime")
    images = keras.Input(networks.SHAPE, dtype="uint8")
    x = keras.layers.Normalization(mean=(104.0, 117.0, 124.0), variance=(4.0, 9.0, 16.0))(images)
    adapted = keras.layers.Normalization()
    x = adapted(x)
    adapted.adapt_mean.assign([5.0, -1.0, 2.0])
    adapted.adapt_variance.assign([2.0, 1.0, 0.5])
    adapted.finalize_state()
    x = keras.layers.Softmax()(keras.layers.GlobalAveragePooling2D()(x))
    network = keras.Model(images, keras.Model(images, x)(images))
    for chosen in exporting.FORMATS.values():
        exporting.export(network, chosen, tmp_path / chosen.file)
        answered = chosen.answers(tmp_path / chosen.file, IMAGES, 1)
        np.testing.assert_allclose(answered, networks.through(network, IMAGES), atol=1e-5)
