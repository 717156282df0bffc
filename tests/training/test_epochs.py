"""Epochs in one compiled call: the same training as Keras's, with nothing done on the host."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from comparisons.core.machine import ROOT
from comparisons.training import device
from comparisons.training.epochs import COMPILED, Examples, KerasEpochs, OneCall, epochs
from models.prediction import EVALUATION_BATCH

# TensorFlow, unless a test below runs this file by another backend.
BACKEND = keras.backend.backend()
ONE = device.Runtime("cpu", "a processor", 1, "float32", BACKEND)
SEVERAL = device.Runtime("cpu", "processors", 2, "float32", BACKEND, distribution=object())


def problem(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    inputs = generator.integers(0, 256, (count, 8, 8, 1), np.uint8)
    return inputs, np.eye(3, dtype=np.float32)[generator.integers(3, size=count)]


def network(rate: float = 0.01) -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), loss, metrics=["accuracy"])
    return model


def examples(count: int, held_out: int = 30, **more: Any) -> Examples:
    inputs, targets = problem(count)
    return Examples(inputs, targets, problem(held_out, 1), seed=5, **more)


def run(model: keras.Model, loop: Any, count: int = 2) -> list[dict[str, float]]:
    """Epochs, each trained and validated; their metrics."""
    found = []
    for epoch in range(count):
        for part in (lambda e=epoch: loop.train(e), loop.validate):
            model.reset_metrics()
            part()
            found.append({name: float(v) for name, v in model.get_metrics_result().items()})
    return found


@pytest.mark.parametrize("names", [(), ("flip", "crop"), ("colour", "mixup", "cutout")])
@pytest.mark.parametrize("count", [40, 32, 9])
def test_one_call_trains_as_keras_does(count, names):
    data = examples(count, names=names)
    ours, theirs = network(), network()
    found = run(ours, epochs(ours, data, 16, ONE))
    expected = run(theirs, epochs(theirs, data, 16, SEVERAL))
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-5)


def test_what_a_gpu_compiles_trains_alike():
    # By XLA, which needs every shape before it runs.
    card = device.Runtime("gpu", "a card", 1, "float32", BACKEND)
    data = examples(40, names=("flip", "crop", "mixup"))
    ours, theirs = network(), network()
    for one, other in zip(
        run(ours, epochs(ours, data, 16, card)),
        run(theirs, epochs(theirs, data, 16, ONE)),
        strict=True,
    ):
        assert one == pytest.approx(other, rel=1e-3)


def test_several_devices_are_left_to_keras():
    assert isinstance(epochs(network(), examples(10), 4, ONE), OneCall)
    assert isinstance(epochs(network(), examples(10), 4, SEVERAL), KerasEpochs)


@pytest.mark.parametrize("count", [1, 7, 230])
def test_every_example_is_seen_once(count):
    # At a rate of zero the metrics of an epoch are those of the examples, whatever their order.
    model = network(rate=0.0)
    model.get_layer(index=2).trainable = False
    data = examples(count, held_out=2 * EVALUATION_BATCH + count % 100)
    data.validation[0][:] = 0
    # In inference mode, which does not depend on what else is in a batch.
    loop = OneCall(model, data, 16, compiled_for_inference, False)
    model.reset_metrics()
    loop.train(0)
    expected = model.evaluate(data.inputs, data.targets, verbose=0, return_dict=True)
    model.reset_metrics()
    loop.train(1)
    found = {name: float(value) for name, value in model.get_metrics_result().items()}
    assert found == pytest.approx(expected, rel=1e-4)
    model.reset_metrics()
    loop.validate()
    found = {name: float(value) for name, value in model.get_metrics_result().items()}
    expected = model.evaluate(*data.validation, verbose=0, return_dict=True)
    assert found == pytest.approx(expected, rel=1e-4)


def compiled_for_inference(
    model: keras.Model, batch: Any, size: int, rest: int, training: bool, accelerated: bool
) -> Any:
    return COMPILED[BACKEND](model, batch, size, rest, False, accelerated)


@pytest.mark.parametrize("count", [16 * 2, 16 * 40 + 3])
def test_nothing_is_done_on_the_host_from_step_to_step(count):
    """However many steps an epoch has, and however many epochs: the step is traced, no more."""
    model = network()
    calls: Counter[str] = Counter()
    for name in ("train_step", "test_step"):
        step = getattr(model, name)
        counted = lambda *given, name=name, step=step: (calls.update([name]), step(*given))[1]  # noqa: E731
        setattr(model, name, counted)
    run(model, epochs(model, examples(count, held_out=350), 16, ONE), count=5)
    # By JAX the smaller last step of an epoch is a function of its own.
    smaller = 1 if BACKEND == "jax" else 0
    assert calls == {
        "train_step": 1 + (smaller if count % 16 else 0),
        "test_step": 1 + (smaller if 350 % EVALUATION_BATCH else 0),
    }


def test_a_few_steps_are_those_asked_for_and_the_last():
    model = network()
    loop = epochs(model, examples(16 * 5 + 3), 16, ONE)
    loop.train(0, steps=2)
    assert int(model.optimizer.iterations) == 3
    loop.train(0)
    assert int(model.optimizer.iterations) == 3 + 6


@settings(max_examples=40)
@given(some.integers(1, 60), some.integers(1, 4), some.integers(0, 99), some.integers(0, 30))
def test_an_epoch_has_one_view_of_each_example(count, views, seed, epoch):
    data = Examples(np.zeros((views * count, 2)), np.zeros((count, 3)), problem(1), seed)
    rows = data.rows(epoch)
    assert sorted(rows % count) == list(range(count))
    assert rows.max() < views * count
    assert (rows == data.rows(epoch)).all()
    inputs, targets = data.pairs()
    assert len(inputs) == len(targets) == views * count


def test_views_are_drawn_for_each_example_and_epoch_anew():
    inputs = np.repeat(np.arange(4, dtype=np.float32), 500)[:, None]
    data = Examples(inputs, np.zeros((500, 3)), problem(1), seed=7)
    drawn = []
    for epoch in (0, 1):
        rows = data.rows(epoch)
        drawn.append(inputs[rows][np.argsort(rows % 500), 0].astype(int))
        assert np.bincount(drawn[-1]).min() > 90
    assert (drawn[0] != drawn[1]).sum() > 250
    # The order is that of a run with one view: arms stay paired.
    alone = Examples(inputs[:500], data.targets, problem(1), seed=7)
    assert (alone.rows(0) == data.rows(0) % 500).all()


def test_the_same_epoch_twice_is_the_same_to_the_last_bit():
    data = examples(40, names=("flip", "crop"))
    one, other = network(), network()
    for model in (one, other):
        run(model, epochs(model, data, 16, ONE), count=1)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert (a == b).all()


WITH_JAX = pytest.mark.skipif(
    BACKEND == "jax" or importlib.util.find_spec("jax") is None, reason="jax is not installed"
)


def by_jax(*arguments: str, **variables: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"} | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.ci
@WITH_JAX
@pytest.mark.parametrize("chosen", ["40-names1 or 643", pytest.param("", marks=pytest.mark.slow)])
def test_the_same_holds_for_jax(chosen):
    by_jax("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", __file__, "-k", chosen)


ONE_EPOCH = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_epochs as here
model = here.network()
here.run(model, here.epochs(model, here.examples(40), 16, here.ONE), count=1)
"""


@pytest.mark.ci
@WITH_JAX
def test_on_a_processor_jax_has_no_convolution_within_a_loop(tmp_path):
    """There XLA computes it many times slower than outside."""
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    by_jax("-c", ONE_EPOCH, XLA_FLAGS=flags)
    programs = [path.read_text() for path in tmp_path.glob("*.before_optimizations.txt")]
    convolutions = [text for text in programs if " convolution(" in text]
    assert len(convolutions) >= 2  # those that train and those that validate
    assert not any(" while(" in text for text in convolutions)
