"""One phase of training: epochs over arrays in memory, timed apart from their compilation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from comparisons.records import Epoch
from comparisons.runtime import Runtime

# Larger batches are no faster on a CPU, and hold gigabytes at 160 pixels and more.
EVALUATION_BATCH = 100
STEPS_PER_CALL = 16


class Diverged(Exception):
    """Training reached a loss that is not a number; the message says when."""


@dataclass
class Fit:
    """What a phase gave: its epochs, and the seconds of compilation and of validation."""

    epochs: list[Epoch] = field(default_factory=list)
    compile_seconds: float = 0.0
    evaluate_seconds: float = 0.0


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
    draw: Callable[[int], np.ndarray] | None = None,
    rates: dict[str, float] | None = None,
) -> None:
    """Train `model` as `phase` says; epochs are added to `result` as they end.

    `train` and `validation` are inputs [n, ...] and labels int64 [n]. What trains must have
    been set before. The order of images in an epoch is drawn from `seed` and the epoch alone;
    `draw` gives an epoch's views of all inputs, from 0 on (default: the inputs themselves).
    `rates` multiply the learning rate of single variables, by their paths.
    Raises Diverged at the first epoch whose loss is not finite.
    """
    inputs, targets = train[0], keras.utils.to_categorical(train[1], classes)
    validation_targets = keras.utils.to_categorical(validation[1], classes)
    batch = phase["batch_size"]
    steps = math.ceil(len(inputs) / batch)
    optimizer = make_optimizer(phase, steps * phase["epochs"], rates)
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
        steps_per_execution=steps_per_call(runtime, steps),
    )
    # A smaller last batch changes the shapes that are compiled for: warm up with one as well.
    some = slice(batch + len(inputs) % batch)
    result.compile_seconds += warm_up(model, inputs[some], targets[some], batch)
    for epoch in range(phase["epochs"]):
        rate = float(np.asarray(optimizer.learning_rate))
        started = time.perf_counter()
        order = np.random.default_rng([seed, 3, epoch]).permutation(len(inputs))
        views = draw(epoch) if draw else inputs
        logs = model.fit(
            views[order], targets[order], batch_size=batch, epochs=1, shuffle=False, verbose=0
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
            train_loss=_finite(logs["cross_entropy"][0]),
            train_accuracy=_finite(logs["accuracy"][0]),
            val_loss=_finite(checked["cross_entropy"]),
            val_accuracy=_finite(checked["accuracy"]),
            learning_rate=rate,
            seconds=trained - started,
            images_seen=len(inputs),
        )
        result.epochs.append(entry)
        tell(entry)
        if not math.isfinite(logs["loss"][0]):
            raise Diverged(f"the loss was not a finite number in epoch {epoch + 1}")


def steps_per_call(runtime: Runtime, steps: int) -> int:
    """How many steps one compiled call takes, of an epoch of `steps`."""
    # TensorFlow's loop over steps fails on several replicas: they take one step at a time.
    spread = runtime.backend == "tensorflow" and runtime.distribution is not None
    return 1 if spread else min(STEPS_PER_CALL, steps)


class RatedAdam(keras.optimizers.Adam):
    """Adam with a factor on the learning rate of each variable, by path; 1 for all others."""

    def __init__(self, learning_rate: Any, rates: dict[str, float]) -> None:
        super().__init__(learning_rate)
        self.rates = rates

    def build(self, variables: Any) -> None:
        """Make the optimizer's state, and note each variable's factor."""
        super().build(variables)
        self.factors = [self.rates.get(variable.path, 1.0) for variable in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable at its own rate."""
        # TensorFlow hands over its own variables, which know no path: only their place helps.
        factor = self.factors[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * factor)


def make_optimizer(
    phase: dict[str, Any], steps: int, rates: dict[str, float] | None = None
) -> keras.optimizers.Optimizer:
    """The optimizer of a phase; its learning rate follows the schedule over `steps` steps."""
    rate: Any = phase["learning_rate"]
    if phase["schedule"] == "warmup-cosine":
        warm = max(1, steps // 5)
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 10, max(1, steps - warm), warmup_target=rate, warmup_steps=warm
        )
    weight_decay = phase["weight_decay"] or None
    if phase["optimizer"] == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=weight_decay)
    if rates:
        return RatedAdam(rate, rates)
    return keras.optimizers.Adam(rate, weight_decay=weight_decay)


def warm_up(
    model: keras.Model, inputs: np.ndarray, targets: np.ndarray, batch_size: int | None = None
) -> float:
    """Compile training and evaluation by steps that are taken back; the seconds it took.

    Every variable of model and optimizer, random states included, is as before.
    """
    started = time.perf_counter()
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    before = [np.array(variable) for variable in variables]
    model.fit(inputs, targets, batch_size=batch_size or len(inputs), epochs=1, verbose=0)
    model.evaluate(inputs, targets, batch_size=EVALUATION_BATCH, verbose=0)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return time.perf_counter() - started


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
