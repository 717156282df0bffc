"""All of keras.applications as bases: fed, cut and trained as Keras has them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from networks import SHAPE, alike, build, published, through
from stripes import patterns

from models import adapt, blocks, catalog, flops, lora
from models.applications import APPLICATIONS

# The first and the last block, the number of blocks, and the module of preprocess_input.
NAMED: dict[str, tuple[str, str, int, str]] = {
    "vgg16@32": ("block1", "block5", 5, "vgg16"),
    "vgg19@32": ("block1", "block5", 5, "vgg19"),
    "mobilenet@0.25x32": ("stem", "block13", 14, "mobilenet"),
    "mobilenetv2@32": ("stem", "top", 19, "mobilenet_v2"),
    "mobilenetv3small@32": ("stem", "top", 13, "mobilenet_v3"),
    "mobilenetv3large@32": ("stem", "top", 17, "mobilenet_v3"),
    "resnet50@32": ("stem", "conv5_block3", 17, "resnet"),
    "efficientnetb0@32": ("stem", "top", 18, "efficientnet"),
    "convnexttiny@32": ("stem", "stage3_block2", 22, "convnext"),
}


QUICK = ("mobilenetv2@32", "mobilenetv3small@32", "convnexttiny@32")


@pytest.fixture(scope="module")
def networks() -> Iterator[Any]:
    """Networks of random weights, each built once."""
    built: dict[str, adapt.Network] = {}

    def get(name: str) -> adapt.Network:
        if name not in built:
            built[name] = build(name)
        return built[name]

    yield get
    built.clear()


@pytest.mark.parametrize(
    ("name", "module"),
    [*((name, row[3]) for name, row in NAMED.items()), ("densenet121@32", "densenet")],
)
def test_a_base_is_fed_as_keras_says(networks, name, module):
    network = networks(name)
    images = patterns(4, 0, 32)[0]
    prepare_as = importlib.import_module(f"keras.applications.{module}").preprocess_input
    got = through(network.preprocess, images)
    np.testing.assert_allclose(got, prepare_as(images.astype(np.float32)), atol=1e-3)
    assert through(network.whole, images).shape == (4, 3)
    assert flops.forward(network.backbone) > 1e5


@pytest.mark.parametrize("name", NAMED)
def test_a_base_is_cut_between_any_two_of_its_blocks(networks, name):
    network = networks(name)
    first, last, count, _ = NAMED[name]
    names = [block.name for block in network.blocks]
    assert (names[0], names[-1], len(names)) == (first, last, count)
    images = patterns(2, 0, 32)[0]
    arriving = through(network.preprocess, images)
    wanted = through(network.base, arriving)
    for keep in range(1, count):
        below, above = blocks.cut(network.base, keep)
        if keep == count // 2:
            assert alike(through(above, through(below, arriving)), wanted)


@pytest.mark.parametrize("name", NAMED)
def test_a_base_trains(networks, name):
    network = networks(name)
    adapt.set_trainable(network, "all")
    before = [np.array(v) for v in network.base.trainable_variables]
    images, labels = patterns(4, 0, 32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Step by step: one step is sooner done than compiled.
    network.whole.compile("adam", loss, run_eagerly=True)
    assert np.isfinite(network.whole.train_on_batch(images, labels))
    after = [np.array(v) for v in network.base.trainable_variables]
    moved = [(one != other).any() for one, other in zip(before, after, strict=True)]
    assert sum(moved) > 0.8 * len(moved)
    assert all(np.isfinite(one).all() for one in after)


@pytest.mark.parametrize("name", QUICK)
def test_adapters_of_a_base_begin_at_what_it_computes(networks, name):
    base = networks(name).base
    images = through(networks(name).preprocess, patterns(2, 0, 32)[0])
    copy, adapted = lora.with_adapters(base, 2, 32)
    assert len(adapted) > 10
    assert alike(through(copy, images), through(base, images))


# Built by the tests above, or too large for a test of seconds.
OTHERS = [name for name in APPLICATIONS if not any(n.startswith(f"{name}@") for n in NAMED)]


SMALL = ("resnet50v2", "inceptionv3", "xception", "nasnetmobile", "efficientnetv2b0")


@pytest.mark.parametrize(
    "name",
    [n if n in SMALL else pytest.param(n, marks=pytest.mark.slow) for n in OTHERS],
)
def test_every_other_application_builds(name):
    smallest = catalog.MODELS[name].smallest_size
    network = build(f"{name}@{smallest}")
    assert network.whole.output_shape == (None, 3)
    assert flops.forward(network.backbone) > 1e6
    keras.backend.clear_session()


def test_the_table_has_every_application_of_keras():
    there = {name for name in dir(keras.applications) if name[0].isupper()}
    assert {row.function for row in APPLICATIONS.values()} == there
    files = [row.file for row in APPLICATIONS.values()]
    assert len(set(files)) == len(files)


def test_efficientnet_computes_what_keras_does_with_the_weights_it_fetches(tmp_path, monkeypatch):
    keras.utils.set_random_seed(1)
    original = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=SHAPE, pooling="avg"
    )
    for layer in original.layers:
        if isinstance(layer, keras.layers.Normalization):
            # As the published files have it: the deviation where a variance belongs.
            layer.adapt_mean.assign((0.485, 0.456, 0.406))
            layer.adapt_variance.assign((0.229, 0.224, 0.225))
    path = published(original, tmp_path / "efficientnetb0_notop.h5")
    module = sys.modules["keras.src.applications.efficientnet"]
    monkeypatch.setattr(module.file_utils, "get_file", lambda *a, **k: str(path))
    fetched = keras.applications.EfficientNetB0(
        include_top=False, weights="imagenet", input_shape=SHAPE, pooling="avg"
    )
    images = patterns(3, 0, 32)[0]
    wanted = through(fetched, images.astype(np.float32))
    network = build("efficientnetb0@32", path)
    assert alike(through(network.backbone, images), wanted)
    copy, _ = lora.with_adapters(network.base, 2, 32)
    assert alike(through(copy, images.astype(np.float32)), wanted)


def test_published_weights_of_another_network_are_refused(tmp_path, networks):
    path = published(networks("mobilenetv3small@32").base, tmp_path / "some_notop.h5")
    with pytest.raises(ValueError, match=r"^some_notop.h5 holds the weights of another network$"):
        build("mobilenetv2@32", path)
    images = patterns(2, 0, 32)[0]
    again = through(build("mobilenetv3small@32", path).backbone, images)
    assert alike(again, through(networks("mobilenetv3small@32").backbone, images))
