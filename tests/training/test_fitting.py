"""A phase fitted: its compilation, clock, schedule, stopping, and what knobs turn in it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import pytest
from msgspec.structs import astuple
from scipy.special import log_softmax
from small import network, phase, problem, trained

from comparisons.core import balance
from comparisons.core.clock import Clock
from comparisons.core.phases import Phase
from comparisons.training import device, epochs
from comparisons.training.fitting import Fit, checked, fit, warm_up
from comparisons.training.optimizers import make_optimizer
from models import adapt, kernels
from models.catalog import MODELS


class Watched(keras.layers.Layer):
    """A layer that counts how often it is traced: once for each compilation of a function."""

    def __init__(self) -> None:
        super().__init__()
        self.traces = 0

    def call(self, x: Any) -> Any:
        self.traces += 1
        return x


def head_phase(**changes: Any) -> Phase:
    usual = {"optimizer": "adam", "learning_rate": 1e-2, "batch_size": 16, "epochs": 3}
    return Phase(name="head", trainable="head", **(usual | changes))


def little_problem(count: int = 70) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(count, 5)).astype(np.float32)
    return inputs, (inputs[:, 0] > 0).astype(np.int64)


CPU = device.Runtime("cpu", "a processor", 1, "float32", "tensorflow")


def fitted(model: keras.Model, phase: Phase, tell: Any = lambda epoch: None, **more: Any) -> Fit:
    result = Fit()
    train, validation = little_problem(), little_problem(20)
    fit(model, phase, train, validation, 2, 0, CPU, result, Clock(), tell, **more)
    return result


def test_everything_is_compiled_before_the_clock_of_the_first_epoch():
    # 70 images in batches of 16: the last batch is smaller, and needs no step of its own.
    keras.utils.set_random_seed(0)
    watched = Watched()
    inputs = keras.Input((5,))
    model = keras.Model(inputs, keras.layers.Dense(2)(watched(inputs)))
    built = watched.traces
    traces: list[int] = []
    fitted(model, head_phase(), tell=lambda epoch: traces.append(watched.traces))
    # Once for training and once for validation, and never again.
    assert traces == [built + 2] * 3


def test_warm_up_leaves_every_variable_as_it_was():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(2),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss="mse")
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    assert any("seed" in variable.path for variable in variables)
    before = [np.array(variable) for variable in variables]
    inputs, targets = little_problem()[0], np.ones((70, 2), np.float32)
    examples = epochs.Examples(inputs, targets, (inputs[:16], targets[:16]), seed=0)
    clock = Clock()
    warm_up(model, epochs.epochs(model, examples, 16, CPU), clock)
    # Compiling training is learning, compiling validation is measuring.
    assert clock.spent("compile").wall > 0 < clock.spent("validate").wall
    for value, variable in zip(before, variables, strict=True):
        assert (value == np.array(variable)).all(), variable.path
    # And it does train, when it is not taken back.
    model.fit(inputs, targets, verbose=0)
    assert any((v != np.array(w)).any() for v, w in zip(before, variables, strict=True))


class Sides(keras.layers.Layer):
    """A layer that notes the sides of the images that go through it."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.seen: list[int] = []

    def call(self, x: Any) -> Any:
        self.seen.append(x.shape[1])
        return x


def test_the_first_epochs_see_windows_and_validation_whole_images():
    keras.utils.set_random_seed(0)
    layers, sides = keras.layers, Sides()
    inputs = keras.Input((20, 20, 1), dtype="uint8")
    x = layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(sides(inputs)))
    outputs = layers.Dense(2)(layers.GlobalMaxPooling2D()(x))
    model = keras.Model(inputs, outputs)
    before = [variable.path for variable in model.trainable_variables]
    images = np.random.default_rng(0).integers(0, 256, (70, 20, 20, 1), np.uint8)
    labels = np.arange(70) % 2
    phase = head_phase(epochs=4, windowed=0.5, schedule="warmup-cosine")
    result, at = Fit(), list[list[np.ndarray]]()
    fit(
        model, phase, (images, labels), (images, labels), 2, 0, CPU, result, Clock(),
        lambda epoch: at.append(model.get_weights()),
    )  # fmt: skip
    # Built; trained and validated whole; built and trained as windows.
    assert sides.seen == [20, 20, 20, 16, 16]
    assert [variable.path for variable in model.trainable_variables] == before
    for earlier, later in pairwise(at):
        assert any((a != b).any() for a, b in zip(earlier, later, strict=True))
    # One optimizer goes through its whole schedule.
    assert int(model.optimizer.iterations) == 4 * 5
    rates = [epoch.learning_rate for epoch in result.epochs]
    assert rates[1] > rates[2] > rates[3] > 0
    whole, part = (2 * (9 * 4 * side**2 + 4 * 2) for side in (18, 14))
    assert result.flops == 70 * (4 * whole + 3 * (2 * part + 2 * whole))
    # Looking at validation images is no learning.
    learnt = [70 * 3 * work for work in (part, 2 * part, 2 * part + whole, 2 * (part + whole))]
    assert [entry.flops for entry in result.epochs] == learnt
    (loss, *_) = model.evaluate(images, np.eye(2)[labels], verbose=0)
    assert result.epochs[-1].val_loss == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize("epochs", [1, 2, 12, 13, 170, 1000])
def test_validation_is_looked_at_a_dozen_times_at_most_first_and_last(epochs):
    looks = checked(epochs)
    assert len(looks) == min(epochs, 12)
    assert {1, epochs} <= looks <= set(range(1, epochs + 1))
    gaps = np.diff(sorted(looks))
    assert not len(gaps) or gaps.max() - gaps.min() <= 1


def test_epochs_that_are_not_looked_at_have_no_validation_figures_and_the_last_has():
    result = fitted(keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]),
                    head_phase(epochs=30))  # fmt: skip
    looked = {e.epoch for e in result.epochs if e.val_loss is not None}
    assert looked == checked(30) == {e.epoch for e in result.epochs if e.val_accuracy is not None}
    ends = [e.elapsed for e in result.epochs]
    assert ends == sorted(ends)
    for one, other in pairwise(result.epochs):
        # Looking is not learning: only training lies between the ends of two epochs.
        assert other.elapsed - one.elapsed == pytest.approx(other.seconds, abs=0.02)


def test_an_epoch_is_noted_to_the_digits_that_its_numbers_have():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    for entry in fitted(model, head_phase(learning_rate=1 / 300)).epochs:
        told = [value for value in astuple(entry) if isinstance(value, float)]
        assert len(told) == 8 and told == [float(f"{value:.7g}") for value in told]
        # A share of images is one, not its nearest number in single precision.
        assert entry.train_accuracy in np.round(np.arange(71) / 70, 7)
        assert entry.val_accuracy in np.arange(21) / 20


def test_a_smoothed_loss_is_trained_on_and_the_plain_one_is_reported():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    phase = head_phase(label_smoothing=0.4, learning_rate=0.0, epochs=1)
    (entry,) = fitted(model, phase).epochs
    for (inputs, labels), reported in (
        (little_problem(), entry.train_loss),
        (little_problem(20), entry.val_loss),
    ):
        logits = model.predict(inputs, verbose=0)
        plain = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean()
        assert reported == pytest.approx(plain, rel=1e-4)
        assert abs(model.evaluate(inputs, np.eye(2)[labels], verbose=0)[0] - plain) > 1e-3


def test_the_rate_follows_its_schedule():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    phase = head_phase(schedule="warmup-cosine", epochs=10)
    rates = [entry.learning_rate for entry in fitted(model, phase).epochs]
    assert rates[0] == pytest.approx(phase.learning_rate / 10)
    top = int(np.argmax(rates))
    assert rates[top] == pytest.approx(phase.learning_rate, rel=0.05)
    assert top == 2
    assert all(a > b for a, b in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] < 0.1 * phase.learning_rate
    steady = fitted(model, head_phase()).epochs
    assert {round(entry.learning_rate, 6) for entry in steady} == {0.01}


def test_an_infinite_validation_loss_is_null_and_training_goes_on():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    result = Fit()
    validation = (np.full((4, 5), np.nan, np.float32), np.array([0, 1, 0, 1]))
    told: list[Any] = []
    fit(model, head_phase(), little_problem(), validation, 2, 0, CPU, result, Clock(), told.append)
    assert [entry.val_loss for entry in result.epochs] == [None] * 3
    assert all(math.isfinite(entry.train_loss) for entry in result.epochs)
    assert told == result.epochs


def test_early_stopping_ends_and_goes_back_to_the_best_epoch():
    # Labels are drawn by chance: what is learnt is by heart, and validation gets worse.
    model = network()
    result = trained(model, phase(epochs=40, patience=3))
    losses = [entry.val_loss for entry in result.epochs]
    assert None not in losses  # every epoch was looked at
    assert len(losses) == result.best_epoch + 3 < 40
    # It may choose by a ninth as many labels as it trains on: 4 beside 40.
    inputs, labels = problem(30, 1)
    reached = model.evaluate(inputs[:4], np.eye(2)[labels[:4]], verbose=0, return_dict=True)
    whole = model.evaluate(inputs, np.eye(2)[labels], verbose=0, return_dict=True)
    assert whole["cross_entropy"] == pytest.approx(losses[result.best_epoch - 1], rel=1e-5)
    few = chosen_losses(phase(epochs=len(losses)))
    assert reached["cross_entropy"] == pytest.approx(min(few), rel=1e-4)
    assert result.best_epoch == few.index(min(few)) + 1


def chosen_losses(chosen: Phase) -> list[float]:
    """The loss on the first four held-out examples after each epoch, without stopping."""
    model, losses = network(), list[float]()
    inputs, labels = problem(30, 1)

    def look(epoch: Any) -> None:
        seen = model.evaluate(inputs[:4], np.eye(2)[labels[:4]], verbose=0, return_dict=True)
        losses.append(seen["cross_entropy"])

    fit(model, chosen, problem(40), problem(30, 1), 2, 0, CPU, Fit(), Clock(), look)
    return losses


def test_the_best_epoch_is_counted_over_all_phases():
    result = trained(network(), phase(epochs=2))
    model = network()
    fit(model, phase(epochs=40, patience=3), problem(40), problem(30, 1), 2, 0, CPU, result,
        Clock(), lambda e: None)  # fmt: skip
    assert result.best_epoch == len(result.epochs) - 3


def test_without_patience_every_epoch_is_run_and_the_last_is_kept():
    result = trained(network(), phase(epochs=8))
    assert (len(result.epochs), result.best_epoch) == (8, None)


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (0.0, 0.02), (0.0, 0.0)])
def test_penalties_are_on_kernels_alone_and_in_the_loss_that_is_minimised(l1, l2):
    model = network()
    kernels.penalise(model, 1.0, 1.0)
    kernels.penalise(model, l1, l2)
    trained(model, phase(epochs=1, learning_rate=0.0))
    inputs, labels = problem(30, 1)
    found = model.evaluate(inputs, np.eye(2)[labels], verbose=0, return_dict=True)
    parts = [np.array(layer.kernel) for layer in model.layers if hasattr(layer, "kernel")]
    penalty = sum(l1 * np.abs(k).sum() + l2 * (k**2).sum() for k in parts)
    assert found["loss"] - found["cross_entropy"] == pytest.approx(penalty, abs=1e-4)


def test_a_penalty_shrinks_weights():
    sizes = []
    for l2 in (0.0, 0.1):
        model = network()
        kernels.penalise(model, 0.0, l2)
        trained(model, phase(epochs=10))
        sizes.append(np.linalg.norm(np.array(model.layers[0].kernel)))
    assert sizes[1] < 0.7 * sizes[0]


def built(name: str = "plain-cnn", **change: Any) -> adapt.Network:
    keras.utils.set_random_seed(0)
    model = MODELS[name]
    return adapt.build(model, (16, 16, 3), 3, None, adapt.Change(**change))


def test_dropout_hides_features_from_the_head_in_training_alone():
    head = built("cnn", dropout=0.5).head
    ones = np.ones((64, head.input_shape[1]), np.float32)
    drop = head.layers[0]
    kept = np.array(drop(ones, training=True))
    assert 0.4 < (kept == 0).mean() < 0.6
    assert set(np.unique(kept)) == {0.0, 2.0}
    assert (np.array(drop(ones, training=False)) == ones).all()
    assert not any(isinstance(one, keras.layers.Dropout) for one in built("cnn").head.layers)


@pytest.mark.parametrize("init", kernels.INITS)
def test_weights_begin_as_said_and_the_same_again(init):
    model = built().whole
    kernels.initialise(model, init, np.random.default_rng(3))
    wide = model.get_layer("backbone").get_layer("plain_cnn").get_layer("block3_conv4")
    inputs = outputs = 9 * 64
    expected = {
        "plain": 0.01, "xavier": math.sqrt(2 / (inputs + outputs)), "he": math.sqrt(2 / inputs)
    }[init]  # fmt: skip
    assert np.std(np.array(wide.kernel)) == pytest.approx(expected, rel=0.05)
    assert not np.array(wide.bias).any()
    first = model.get_weights()
    kernels.initialise(model, init, np.random.default_rng(3))
    assert all((a == b).all() for a, b in zip(first, model.get_weights(), strict=True))
    kernels.initialise(model, init, np.random.default_rng(4))
    assert any((a != b).any() for a, b in zip(first, model.get_weights(), strict=True))


def test_signals_and_gradients_at_the_start_are_those_of_the_network():
    import tensorflow as tf

    one = built()
    adapt.set_trainable(one, "all")
    kernels.initialise(one.whole, "he", np.random.default_rng(0))
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (32, 16, 16, 3), np.uint8)
    targets = np.eye(3, dtype=np.float32)[np.arange(32) % 3]
    before = [np.array(v) for v in one.whole.variables]
    found = kernels.at_start(one, images, targets)
    after = [np.array(v) for v in one.whole.variables]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert [name for name, *_ in found] == [
        *(f"block{i}_conv{j}" for i in (1, 2, 3) for j in range(1, 7)), "logits"
    ]  # fmt: skip
    with tf.GradientTape() as tape:
        logits = one.whole(images, training=True)
        loss = -tf.reduce_mean(tf.reduce_sum(targets * tf.nn.log_softmax(logits), -1))
    layers = [*one.base.layers[1:-1], one.head.layers[-1]]
    gradients = tape.gradient(loss, [layer.kernel.value for layer in layers])
    for (_, weights, _, spread), layer, gradient in zip(found, layers, gradients, strict=True):
        assert weights == pytest.approx(np.std(np.array(layer.kernel)), rel=1e-4)
        assert spread == pytest.approx(np.std(gradient.numpy()), rel=1e-3)
    assert found[-1][2] == pytest.approx(np.std(logits.numpy()), rel=1e-3)
    inside = keras.Model(one.base.inputs, one.base.get_layer("block2_conv1").output)
    assert found[6][2] == pytest.approx(np.std(inside.predict(images, verbose=0)), rel=1e-3)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_with_class_weights_a_step_is_that_of_weighed_examples(smoothing):
    inputs, labels = little_problem()
    rare = (labels == 0) | (np.arange(len(labels)) % 5 == 0)
    inputs, labels = inputs[rare], labels[rare]
    usual = {"optimizer": "sgd", "batch_size": len(labels), "epochs": 1}
    chosen = phase(**usual, label_smoothing=smoothing, class_weights=True)
    ours, theirs = bare(), bare()
    result = Fit()
    data = inputs, labels
    fit(ours, chosen, data, data, 2, 0, CPU, result, Clock(), lambda epoch: None)
    weights = balance.weights(labels, 2)
    assert weights[1] > 1.5 * weights[0]
    theirs.compile(
        make_optimizer(chosen, 1),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing),
    )
    targets = keras.utils.to_categorical(labels, 2)
    before = log_softmax(np.asarray(theirs(inputs)), axis=1)
    # Keras's own mean over weighed examples divides by their number as well.
    theirs.train_on_batch(inputs, targets, sample_weight=weights[labels])
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    # What is reported counts every image alike.
    plain = -before[np.arange(len(labels)), labels].mean()
    assert result.epochs[0].train_loss == pytest.approx(plain, rel=1e-4)


def bare() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
