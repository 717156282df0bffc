"""Engines agree with Keras or are refused; a run uses the right one for each frozen part."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import factory
import keras
import numpy as np
import pytest

from comparisons.core.clock import Clock, Cost
from comparisons.core.control import Control
from comparisons.core.errors import ComparisonError
from comparisons.data import prepare, split
from comparisons.plan import arms
from comparisons.training import extraction, features
from comparisons.training.device import Runtime
from comparisons.training.job import Job
from models import adapt, catalog, engines

CPU = Runtime("cpu", "a processor", 1, "float32", "tensorflow")


def noise(count: int, side: int = 20) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def build(name: str, options: str = "", side: int = 20) -> adapt.Network:
    keras.utils.set_random_seed(0)
    model = catalog.with_options(catalog.MODELS[name], options)
    return adapt.build(model, (side, side, 3), 10)


def frozen(
    name: str, shape: tuple[int, int, int], weights: Path, options: str = ""
) -> adapt.Network:
    """A network as it is when features are extracted: weights from a file, the base frozen."""
    network = adapt.build(catalog.with_options(catalog.MODELS[name], options), shape, 10, weights)
    adapt.set_trainable(network, "head")
    return network


def relative_difference(got: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> adapt.Network:
    """The small base as a pretrained one is built: with weights from a file, here random."""
    random = build("tiny")
    for variable in random.backbone.variables:
        if variable.path.endswith("moving_variance"):
            # So that signals neither fade nor grow on their way.
            variable.assign(np.full(variable.shape, 0.07, np.float32))
    path = tmp_path_factory.mktemp("weights") / "tiny.weights.h5"
    adapt.save_base(random, path)
    return frozen("tiny", (20, 20, 3), path)


@pytest.mark.parametrize("engine", ["keras", "tensorflow", "openvino"])
def test_cached_and_uncached_logits_agree(cache, tiny, engine):
    images = noise(150)
    rows = np.random.default_rng(1).permutation(150)[:120]

    def make(first: np.ndarray) -> features.Engine:
        return features.Engine(engines.checked(engine, tiny.backbone, first), Cost())

    for _ in range(2):
        found = features.get({"base": "tiny"}, rows, images, make)
        got = tiny.head.predict(found.values, verbose=0)
        wanted = tiny.whole.predict(images[rows], verbose=0)
        assert relative_difference(got, wanted) < 1e-3


@pytest.mark.parametrize("size", [96, 160])
def test_engines_agree_on_the_published_weights(mobilenet_weights, size):
    network = frozen("mobilenet", (32, 32, 3), mobilenet_weights, f"0.25x{size}")
    agree(network.backbone, noise(70, side=32))


def test_engines_agree_on_a_wider_base_that_was_read_from_a_file(tmp_path):
    # Random weights of the width 0.5, through a file: the way that pretrained ones come.
    path = tmp_path / "random.weights.h5"
    random = build("mobilenet", "0.5x96")
    adapt.save_base(random, path)
    network = frozen("mobilenet", (20, 20, 1), path, "0.5x96")
    agree(network.backbone, noise(70)[..., :1])


def agree(backbone: keras.Model, images: np.ndarray) -> None:
    """Every engine gives Keras's features of a whole and of a partial batch, each in its row."""
    assert all(len(images) % size for size in engines.BATCHES.values())
    wanted = backbone.predict(images, verbose=0)
    assert np.ptp(wanted, axis=0).max() > 1e-2 * np.abs(wanted).max(), "rows must differ"
    for name in engines.ENGINES:
        extract = engines.checked(name, backbone, images[: engines.CHECKED])
        got = extract(images)
        assert got.dtype == np.float32
        assert got.shape == (len(images), *backbone.output_shape[1:])
        assert relative_difference(got, wanted) < 1e-3, name
        assert relative_difference(extract(images[3:20]), wanted[3:20]) < 1e-3, name


def wrong_by_one_percent(backbone: Any, cores: int) -> engines.Extract:
    return lambda images: backbone.predict(images, verbose=0) * 1.01


def not_numbers(backbone: Any, cores: int) -> engines.Extract:
    return lambda images: backbone.predict(images, verbose=0) * np.float32(np.nan)


def another_order(backbone: Any, cores: int) -> engines.Extract:
    return lambda images: backbone.predict(images, verbose=0)[::-1]


def cannot_be_made(backbone: Any, cores: int) -> engines.Extract:
    raise RuntimeError("no such\ndevice")


def cannot_be_run(backbone: Any, cores: int) -> engines.Extract:
    return lambda images: cannot_be_made(backbone, cores)


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (wrong_by_one_percent, "differs from Keras by 1"),
        (not_numbers, "differs from Keras by nan"),
        (another_order, "differs from Keras by"),
        (cannot_be_made, "failed (RuntimeError: no such)"),
        (cannot_be_run, "failed (RuntimeError: no such)"),
    ],
)
def test_an_engine_that_disagrees_or_fails_is_refused(tiny, monkeypatch, engine, words):
    monkeypatch.setitem(engines.ENGINES, "broken", engine)
    with pytest.raises(engines.EngineRefused) as refused:
        engines.checked("broken", tiny.backbone, noise(20))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_choice_of_engine():
    gpu = Runtime("gpu", "a card", 1, "mixed_float16", "tensorflow")
    jax = Runtime("cpu", "a processor", 1, "float32", "jax")
    assert extraction.choose("auto", CPU) == "openvino"
    assert extraction.choose("auto", gpu) == "keras"
    assert extraction.choose("auto", jax) == "keras"
    for name in engines.ENGINES:
        assert extraction.choose(name, CPU) == name
    with pytest.raises(ComparisonError, match="cannot run on the jax backend"):
        extraction.choose("tensorflow", jax)
    with pytest.raises(ComparisonError, match="jax"):
        extraction.choose("openvino", jax)


def scaled(factor: float) -> keras.Model:
    """A frozen part of a network: the mean colours of images, times a factor."""
    images = keras.Input((20, 20, 3), dtype="uint8")
    means = keras.layers.GlobalAveragePooling2D()(keras.ops.cast(images, "float32"))
    return keras.Model(images, keras.layers.Rescaling(factor)(means))


def test_an_engine_is_not_kept_beyond_the_frozen_part_that_it_was_made_for(cache, tiny_npz):
    dataset = prepare(str(tiny_npz), None)
    run = factory.planned("tiny:frozen", 20, device="cpu", engine="openvino")
    rows = split(dataset.y_train, 0, 20)
    arm = arms.parse("tiny:frozen")
    job = Job(run, arm, dataset, rows, build("tiny"), CPU, lambda event: None, Control(), Clock())
    images = dataset.x_test[:10]
    lower = scaled(2)
    found = extraction.extracted(job, lower, "test", images)
    assert np.allclose(found, 2 * images.mean(axis=(1, 2)), rtol=1e-3)
    # Else the next part might come to lie in its place, and be taken for it.
    still_there = weakref.ref(lower)
    del lower
    gc.collect()
    assert still_there() is not None or not job.extract


def test_features_of_some_test_images_are_never_those_of_others(cache, tiny_npz):
    whole = prepare(str(tiny_npz), None)
    arm, rows = arms.parse("tiny:frozen"), split(whole.y_train, 0, 20)
    network, lower = build("tiny"), scaled(2)
    for count in (30, 20, None, 10):
        run = factory.planned("tiny:frozen", 20, device="cpu", engine="keras", test_on=count)
        data = whole.tested_on(count)
        job = Job(run, arm, data, rows, network, CPU, lambda event: None, Control(), Clock())
        found = extraction.extracted(job, lower, "test", data.x_test)
        assert np.allclose(found, 2 * data.x_test.mean(axis=(1, 2)), rtol=1e-3), count
