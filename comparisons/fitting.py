"""One phase of training: epochs over arrays in memory, timed apart from their compilation."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from comparisons.optimizers import make_optimizer
from comparisons.records import Epoch, finite
from comparisons.runtime import Runtime

# Larger batches are no faster on a CPU, and hold gigabytes at 160 pixels and more.
EVALUATION_BATCH = 100
STEPS_PER_CALL = 16


class Diverged(Exception):
    """Training reached a loss that is not a number; the message says when."""


@dataclass
class Fit:
    """What a phase gave: its epochs, and the seconds of compilation and of validation.

    `best_epoch` is the one whose weights the network has, where early stopping chose it.
    """

    epochs: list[Epoch] = field(default_factory=list)
    compile_seconds: float = 0.0
    evaluate_seconds: float = 0.0
    best_epoch: int | None = None


@dataclass
class Best:
    """Early stopping: the weights of the epoch with the lowest validation loss so far.

    Prechelt 1998, "Early stopping - but when?": stop when the loss has not fallen for
    `patience` epochs, and go back to where it was lowest. Patience 0 never stops nor keeps.
    """

    model: keras.Model
    patience: int
    epoch: int | None = None
    loss: float = math.inf
    weights: list[np.ndarray] = field(default_factory=list)

    def ends(self, entry: Epoch) -> bool:
        """Take note of an epoch; whether training is to end after it."""
        if not self.patience:
            return False
        if entry.val_loss is not None and entry.val_loss < self.loss:
            self.epoch, self.loss = entry.epoch, entry.val_loss
            self.weights = self.model.get_weights()
        return entry.epoch - (self.epoch or 0) >= self.patience

    def restore(self) -> None:
        """Give the network the weights of the best epoch, if one was kept."""
        if self.epoch is not None:
            self.model.set_weights(self.weights)


# The views of all inputs in an epoch, from 0 on, and the targets that go with them.
Draw = Callable[[int, np.ndarray], tuple[np.ndarray, np.ndarray]]


def fit(
    model: keras.Model,
    phase: dict[str, Any],
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    seed: int,
    runtime: Runtime,
    result: Fit,
    tell: Callable[[Epoch], None],
    draw: Draw | None = None,
    rates: dict[str, float] | None = None,
) -> None:
    """Train `model` as `phase` says; epochs are added to `result` as they end.

    `train` and `validation` are inputs [n, ...] and labels int64 [n]. What trains must have
    been set before. The order of images in an epoch is drawn from `seed` and the epoch alone;
    `draw` takes an epoch's number from 0 on and the one-hot targets, and gives its views of all
    inputs with their targets (default: both as they are). `rates` multiply the learning rate of
    single variables, by their paths. With `patience` in the phase, training stops early and
    leaves the weights of the best epoch.
    Raises Diverged at the first epoch whose loss is not finite.
    """
    inputs, targets = train[0], keras.utils.to_categorical(train[1], classes)
    validation_targets = keras.utils.to_categorical(validation[1], classes)
    batch = phase["batch_size"]
    steps = math.ceil(len(inputs) / batch)
    optimizer = make_optimizer(phase, steps * phase["epochs"], rates)
    compile_model(model, phase, optimizer, runtime, steps_per_call(runtime, steps))
    # A smaller last batch changes the shapes that are compiled for: warm up with one as well.
    some = slice(batch + len(inputs) % batch)
    result.compile_seconds += warm_up(model, inputs[some], targets[some], batch)
    best = Best(model, phase.get("patience", 0))
    for epoch in range(phase["epochs"]):
        rate = float(np.asarray(optimizer.learning_rate))
        started = time.perf_counter()
        order = np.random.default_rng([seed, 3, epoch]).permutation(len(inputs))
        views, wanted = draw(epoch, targets) if draw else (inputs, targets)
        logs = model.fit(
            views[order], wanted[order], batch_size=batch, epochs=1, shuffle=False, verbose=0
        ).history
        trained = time.perf_counter()
        checked = model.evaluate(
            validation[0],
            validation_targets,
            batch_size=EVALUATION_BATCH,
            verbose=0,
            return_dict=True,
        )
        result.evaluate_seconds += time.perf_counter() - trained
        entry = Epoch(
            phase=phase["name"],
            epoch=epoch + 1,
            train_loss=finite(logs["cross_entropy"][0]),
            train_accuracy=finite(logs["accuracy"][0]),
            val_loss=finite(checked["cross_entropy"]),
            val_accuracy=finite(checked["accuracy"]),
            learning_rate=rate,
            seconds=trained - started,
            images_seen=len(inputs),
        )
        result.epochs.append(entry)
        tell(entry)
        if not math.isfinite(logs["loss"][0]):
            raise Diverged(f"the loss was not a finite number in epoch {epoch + 1}")
        if best.ends(entry):
            break
    best.restore()
    result.best_epoch = best.epoch


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """What a network gives for inputs [n, ...], float32 [n, outputs]."""
    # Keras unrolls the steps of a call when it predicts: compiling that took longer than testing.
    model.steps_per_execution = 1
    outputs = model.predict(inputs, batch_size=EVALUATION_BATCH, verbose=0)
    return np.asarray(outputs, np.float32)


def compile_model(
    model: keras.Model,
    phase: dict[str, Any],
    optimizer: keras.optimizers.Optimizer,
    runtime: Runtime,
    steps_per_execution: int = 1,
) -> None:
    """Compile with the loss that a phase trains on, and the metrics that a record has."""
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=phase["label_smoothing"]
        ),
        # The loss of arms with and without label smoothing cannot be compared; this one can.
        metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.CategoricalCrossentropy(from_logits=True, name="cross_entropy"),
        ],
        jit_compile=runtime.compiles,
        steps_per_execution=steps_per_execution,
    )


def steps_per_call(runtime: Runtime, steps: int) -> int:
    """How many steps one compiled call takes, of an epoch of `steps`."""
    # TensorFlow's loop over steps fails on several replicas: they take one step at a time.
    spread = runtime.backend == "tensorflow" and runtime.distribution is not None
    return 1 if spread else min(STEPS_PER_CALL, steps)


def warm_up(
    model: keras.Model, inputs: np.ndarray, targets: np.ndarray, batch_size: int | None = None
) -> float:
    """Compile training and evaluation by steps that are taken back; the seconds it took.

    Every variable of model and optimizer, random states included, is as before.
    """
    started = time.perf_counter()
    with taken_back(model):
        model.fit(inputs, targets, batch_size=batch_size or len(inputs), epochs=1, verbose=0)
        model.evaluate(inputs, targets, batch_size=EVALUATION_BATCH, verbose=0)
    return time.perf_counter() - started


@contextlib.contextmanager
def taken_back(model: keras.Model) -> Iterator[None]:
    """Whatever a compiled model is trained within: every variable is as before afterwards.

    Those of its optimizer and its random states are among them.
    """
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    before = [np.array(variable) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
