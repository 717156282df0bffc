"""Networks: what reaches each base, what trains, and what stays."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from msgspec.structs import replace

from comparisons.core.clock import Clock
from comparisons.plan import arms, recipes
from comparisons.training.device import Runtime
from comparisons.training.fitting import Fit, fit
from models import adapt, catalog, flops, scratch
from models.smaller import smaller

CPU = Runtime("cpu", "a processor", 1, "float32", "tensorflow")
CNNS = ("cnn", "cnn-medium", "cnn-large")
CLASSES = 3


def build(name: str, shape: tuple[int, int, int], weights: Path | None = None) -> adapt.Network:
    arm = arms.parse(f"{name}:scratch")
    keras.utils.set_random_seed(0)
    return adapt.build(arm.model, shape, CLASSES, weights)


def noise(count: int, shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


def arriving(network: adapt.Network, images: np.ndarray) -> np.ndarray:
    """What reaches the base, after resizing and preprocessing."""
    inside = network.preprocess
    assert inside is not None
    assert tuple(inside.output_shape) == network.base.input_shape
    return inside.predict(images, verbose=0)


def values(variables: list[Any]) -> list[np.ndarray]:
    return [np.array(variable) for variable in variables]


def statistics(model: keras.Model) -> list[Any]:
    """The moving means and variances of all BatchNormalization layers, bases included."""
    return [v for v in model.variables if v.path.endswith(("moving_mean", "moving_variance"))]


def train(model: keras.Model, images: np.ndarray, arm: str = "cnn:scratch") -> None:
    phase = recipes.phases(arms.parse(arm), len(images), epochs=2, batch_size=32)[0]
    labels = np.arange(len(images)) % CLASSES
    fit(
        model,
        replace(phase, augment=()),
        (images, labels),
        (images[:10], labels[:10]),
        CLASSES,
        seed=0,
        runtime=CPU,
        result=Fit(),
        clock=Clock(),
        tell=lambda epoch: None,
    )


@pytest.fixture(scope="module")
def networks() -> Iterator[dict[str, adapt.Network]]:
    """One of each, on 32x32 images, random weights."""
    names = ("tutorial-cnn", "cnn", "tiny", "mobilenet@0.25x96", "vgg16@32")
    built = {name: build(name, (32, 32, 3)) for name in names}
    yield built
    built.clear()


@pytest.fixture(scope="module")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the small base in a file: random, with statistics that let signals through."""
    network = build("tiny", (32, 32, 3))
    generator = np.random.default_rng(0)
    for variable in statistics(network.backbone):
        low, high = (0.06, 0.1) if variable.path.endswith("variance") else (-0.02, 0.02)
        variable.assign(generator.uniform(low, high, variable.shape))
    path = tmp_path_factory.mktemp("weights") / "tiny.weights.h5"
    adapt.save_base(network, path)
    return path


def test_what_reaches_vgg16_is_bgr_less_the_means(networks):
    images = noise(4, (32, 32, 3))
    wanted = keras.applications.vgg16.preprocess_input(images.astype("float32"))
    np.testing.assert_allclose(arriving(networks["vgg16@32"], images), wanted, atol=1e-3)


def test_what_reaches_mobilenet_is_minus_one_to_one():
    images = noise(4, (96, 96, 3))
    images[0, 0, 0] = (0, 255, 128)
    got = arriving(build("mobilenet@0.25x96", (96, 96, 3)), images)
    wanted = keras.applications.mobilenet.preprocess_input(images.astype("float32"))
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    assert (got.min(), got.max()) == (-1, 1)


def test_what_reaches_tiny_is_minus_one_to_one(networks):
    images = noise(4, (32, 32, 3))
    got = arriving(networks["tiny"], images)
    np.testing.assert_allclose(got, images / 127.5 - 1, atol=1e-5)


@pytest.mark.parametrize("name", ["tiny", "mobilenet@0.25x96", "vgg16@32"])
def test_a_base_resizes_and_takes_grey_images(name):
    network = build(name, (28, 28, 1))
    images = np.full((2, 28, 28, 1), 200, np.uint8)
    got = arriving(network, images)
    colour = arriving(build(name, (28, 28, 3)), np.repeat(images, 3, axis=-1))
    np.testing.assert_allclose(got, colour)
    # A plain image stays plain when it is enlarged.
    assert np.ptp(got, axis=(1, 2)).max() < 1e-3
    assert network.whole.predict(images, verbose=0).shape == (2, CLASSES)


def test_resizing_keeps_the_picture_where_it_was(networks):
    images = np.zeros((1, 32, 32, 3), np.uint8)
    images[0, :16, :16] = 255
    got = arriving(networks["mobilenet@0.25x96"], images)[0]
    assert (got[:44, :44] == 1).all()
    assert (got[52:] == -1).all()
    assert (got[:, 52:] == -1).all()


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("tutorial-cnn", 1024),
        ("cnn", 128),
        ("tiny", 256),
        ("mobilenet@0.25x96", 256),
        ("vgg16@32", 512),
    ],
)
def test_shapes_and_types(networks, name, width):
    network = networks[name]
    images = noise(3, (32, 32, 3))
    assert network.backbone.input_shape == (None, 32, 32, 3)
    assert network.backbone.output_shape == (None, width)
    features = network.backbone.predict(images, verbose=0)
    logits = network.whole.predict(images, verbose=0)
    assert logits.shape == (3, CLASSES)
    assert logits.dtype == np.float32
    # The parts are the whole.
    np.testing.assert_allclose(network.head.predict(features, verbose=0), logits, atol=1e-5)


def test_tutorial_cnn_has_the_published_number_of_parameters():
    arm = arms.parse("tutorial-cnn:scratch")
    network = adapt.build(arm.model, (32, 32, 3), 10)
    each = [layer.count_params() for layer in network.base.layers + network.head.layers]
    assert [count for count in each if count] == [896, 18_496, 36_928, 65_600, 650]
    assert network.whole.count_params() == 122_570


def test_the_seed_decides_random_weights():
    first, again = (values(build("cnn", (32, 32, 3)).whole.variables) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


def test_networks_are_built_without_the_network(no_network):
    for name in ("vgg16", "mobilenet", "tiny", "cnn", "tutorial-cnn"):
        assert build(name, (32, 32, 3)).whole.output_shape == (None, CLASSES)


def test_a_frozen_base_trains_its_head_only(tiny_weights):
    network = build("tiny", (20, 20, 3), tiny_weights)
    adapt.set_trainable(network, "head")
    moving = [variable.path for variable in network.whole.trainable_variables]
    assert moving == [variable.path for variable in network.head.trainable_variables]
    assert [path.split("/")[-1] for path in moving] == ["kernel", "bias", "kernel", "bias"]
    assert network.backbone.trainable_variables == []
    assert len(statistics(network.backbone)) == 2 * 15


def test_training_the_head_leaves_every_bit_of_the_base(tiny_weights):
    network = build("tiny", (20, 20, 3), tiny_weights)
    adapt.set_trainable(network, "head")
    base, head = values(network.backbone.variables), values(network.head.trainable_variables)
    # Through the whole network, so that the base is called as it is while training.
    train(network.whole, noise(64, (20, 20, 3)), "tiny:frozen")
    for before, variable in zip(base, network.backbone.variables, strict=True):
        assert (before == np.array(variable)).all(), variable.path
    for before, variable in zip(head, network.head.trainable_variables, strict=True):
        assert (before != np.array(variable)).any(), variable.path


def test_normalisation_of_a_pretrained_base_stays_in_inference_even_when_it_trains(tiny_weights):
    network = build("tiny", (20, 20, 3), tiny_weights)
    adapt.set_trainable(network, "all")
    before = values(statistics(network.backbone))
    train(network.whole, noise(64, (20, 20, 3)), "tiny:scratch")
    for value, variable in zip(before, statistics(network.backbone), strict=True):
        assert (value == np.array(variable)).all(), variable.path


@pytest.mark.parametrize("name", ["cnn", "cnn-medium", "tiny", "tutorial-cnn"])
def test_from_scratch_everything_trains_but_the_whitening(name):
    network = build(name, (20, 20, 3))
    images = noise(96, (20, 20, 3))
    network.prepare(images)
    adapt.set_trainable(network, "all")
    fixed = {v.path for v in network.whole.weights} - {
        v.path for v in network.whole.trainable_variables
    }
    moving_statistics = {v.path for v in statistics(network.whole)}
    whitening = {path for path in fixed if scratch.WHITENING in path}
    assert len(whitening) == (1 if name in CNNS else 0)
    assert fixed == moving_statistics | whitening
    before = values(network.whole.weights)
    train(network.whole, images, f"{name}:scratch")
    for value, variable in zip(before, network.whole.weights, strict=True):
        moved = (value != np.array(variable)).any()
        assert moved == (variable.path not in whitening), variable.path


@pytest.mark.parametrize("name", CNNS)
def test_a_smaller_network_is_the_one_that_is_built_for_smaller_images(name):
    network = build(name, (32, 32, 3))
    network.prepare(noise(96, (32, 32, 3)))
    adapt.set_trainable(network, "all")
    small = smaller(network.whole, 24, 20)
    images = noise(8, (24, 20, 3))
    alike = build(name, (24, 20, 3))
    alike.whole.set_weights(network.whole.get_weights())
    expected = alike.whole.predict(images, verbose=0)
    np.testing.assert_allclose(small.predict(images, verbose=0), expected, atol=1e-5)
    for part in ("trainable_variables", "non_trainable_variables"):
        for one, other in zip(getattr(small, part), getattr(network.whole, part), strict=True):
            assert one is other
    assert flops.forward(keras.models.clone_model(small)) == flops.forward(alike.whole)
    assert flops.forward(network.whole) > flops.forward(alike.whole)


def test_what_depends_on_the_size_of_images_has_no_smaller_network():
    with pytest.raises(ValueError):
        smaller(build("tutorial-cnn", (32, 32, 3)).whole, 24, 24)


def test_trainability_can_be_changed_back():
    network = build("cnn", (20, 20, 3))
    adapt.set_trainable(network, "all")
    all_of_it = [variable.path for variable in network.whole.trainable_variables]
    adapt.set_trainable(network, "head")
    assert len(network.whole.trainable_variables) == 2
    adapt.set_trainable(network, "all")
    assert [variable.path for variable in network.whole.trainable_variables] == all_of_it


@pytest.mark.parametrize("filters", [3, 8])
def test_first_filters_pass_channels_on_and_the_others_are_drawn(filters):
    layer = keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer=scratch.PassedOn())
    images = np.random.default_rng(0).normal(size=(2, 6, 7, 5)).astype(np.float32)
    outputs = np.asarray(layer(images))
    shared = min(5, filters)
    np.testing.assert_allclose(outputs[..., :shared], images[..., :shared], atol=1e-6)
    drawn = np.asarray(layer.kernel)[..., shared:]
    assert filters == shared or 0 < np.abs(drawn).max() <= np.sqrt(6 / (9 * (5 + filters)))


@pytest.mark.parametrize("name", ["cnn", "cnn-large"])
def test_whitening_makes_patches_white(name):
    generator = np.random.default_rng(0)
    # Neighbouring pixels and channels are alike, as in photographs, and contrasts are strong.
    plain = generator.normal(size=(200, 13, 13, 3))
    smooth = plain[:, 1:, 1:] + 0.25 * (plain[:, :-1, 1:] + plain[:, 1:, :-1])
    mixed = smooth @ np.array([[1.0, 0.2, 0.0], [0.2, 1.0, 0.1], [0.0, 0.1, 1.0]])
    images = (128 + 40 * mixed).clip(0, 255).astype(np.uint8)
    network = build(name, images.shape[1:])
    network.prepare(images)
    layer = network.base.get_layer(scratch.WHITENING)
    outputs = keras.Model(network.base.inputs, layer.output).predict(images, verbose=0)
    half = outputs.shape[-1] // 2
    np.testing.assert_allclose(outputs[..., half:], -outputs[..., :half], atol=1e-4)
    covariance = np.cov(outputs[..., :half].reshape(-1, half).T)
    apart = covariance - np.diag(np.diag(covariance))
    assert np.abs(apart).max() < 0.02
    # A little below 1, since the smallest directions are not blown up.
    assert 0.7 < np.diag(covariance).min() <= np.diag(covariance).max() < 1.02
    assert np.corrcoef(images.reshape(-1, 3).T)[0, 1] > 0.2, "these were to be alike"


def test_a_saved_base_gives_the_same_features(tiny_weights):
    images = noise(5, (32, 32, 3))
    first, second = (build("tiny", (32, 32, 3), tiny_weights) for _ in range(2))
    features = first.backbone.predict(images, verbose=0)
    assert (second.backbone.predict(images, verbose=0) == features).all()
    assert (build("tiny", (32, 32, 3)).backbone.predict(images, verbose=0) != features).any()
    assert [path.name for path in tiny_weights.parent.iterdir()] == [tiny_weights.name]


def test_weights_that_do_not_fit_are_an_error(tmp_path):
    path = tmp_path / "other.weights.h5"
    adapt.save_base(build("mobilenet@0.25x96", (32, 32, 3)), path)

    def refused(name: str, file: Path) -> None:
        # Keras warns of parts that it skips; what matters is that it does not go on.
        with warnings.catch_warnings(), pytest.raises((OSError, ValueError)):
            warnings.simplefilter("ignore")
            build(name, (32, 32, 3), file)

    refused("tiny", path)
    refused("mobilenet@0.5x96", path)
    path.write_bytes(path.read_bytes()[:1000])
    refused("mobilenet@0.25x96", path)
    refused("mobilenet@0.25x96", tmp_path / "none.weights.h5")


def test_every_model_of_the_table_says_what_its_pretraining_was():
    for model in catalog.MODELS.values():
        assert model.sentence
        if model.pretrained:
            assert model.upstream.dataset and model.upstream.images and model.upstream.source
