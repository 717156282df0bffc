"""One phase of training: epochs over arrays in memory, timed apart from their compilation."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import keras
import numpy as np

from comparisons.core import balance
from comparisons.core.clock import PAUSED, Clock
from comparisons.core.phases import Phase
from comparisons.core.records import Epoch, finite
from comparisons.training.augment import window_sides
from comparisons.training.device import Runtime
from comparisons.training.epochs import Epochs, Examples, epochs
from comparisons.training.optimizers import make_optimizer
from models import flops
from models.smaller import smaller


class Diverged(Exception):
    """Training reached a loss that is not a number; the message says when."""


@dataclass
class Fit:
    """What phases gave: their epochs and FLOP; of all learning until now, `learnt`.

    `best_epoch`, from 1 on over the epochs of all phases, is the one whose weights the network
    has, where early stopping chose it.
    """

    epochs: list[Epoch] = field(default_factory=list)
    flops: int = 0
    best_epoch: int | None = None
    learnt: int = 0

    def learn(self, work: int) -> None:
        """Count so many FLOP of learning."""
        self.flops += work
        self.learnt += work


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

    def note(self, epoch: int, loss: float) -> None:
        """Take note of an epoch, from 1 on, and its loss."""
        if loss < self.loss:
            self.epoch, self.loss = epoch, loss
            self.weights = self.model.get_weights()

    def ends(self, epoch: int) -> bool:
        """Whether training is to end after an epoch that was taken note of."""
        return self.patience > 0 and epoch - (self.epoch or 0) >= self.patience

    def restore(self) -> None:
        """Give the network the weights of the best epoch, if one was kept."""
        if self.epoch is not None:
            self.model.set_weights(self.weights)


class Keeper(Protocol):
    """What keeps where a phase is, so that another process can go on from there."""

    def begin(self, model: keras.Model, best: Best) -> int:
        """Bring a compiled model and what is best to where the phase goes on.

        How many of its epochs have ended there; 0 where it begins.
        """

    def ended(self, epoch: int, model: keras.Model, best: Best) -> None:
        """Take note of an epoch, from 1 on, that has ended."""


def fit(
    model: keras.Model,
    phase: Phase,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    seed: int,
    runtime: Runtime,
    result: Fit,
    clock: Clock,
    tell: Callable[[Epoch], None],
    augment: Sequence[str] = (),
    rates: dict[str, float] | None = None,
    before_epoch: Callable[[], None] = lambda: None,
    keeper: Keeper | None = None,
) -> None:
    """Train `model` as `phase` says; epochs are added to `result` as they end.

    `train` and `validation` are inputs [n, ...] and labels int64 [n]; those to train on may be
    [v * n, ...], v views of the same examples: one is drawn for each in each epoch. What trains
    must have been set before. The order of an epoch is drawn from `seed` and the epoch alone.
    `augment` names what is drawn for images. `rates` multiply the learning rate of single
    variables, by their paths. Validation images are looked at after the epochs that `checked`
    names. With `patience` in the phase, training stops early, by the loss of the first
    `choosing` validation images after every epoch, and leaves the weights of the best.
    `before_epoch` is called before each and may wait, which nobody is charged. `keeper` may have
    begun the phase in another process. Raises Diverged at the first epoch whose loss is not finite.
    """
    examples = Examples(
        train[0],
        keras.utils.to_categorical(train[1], classes),
        (validation[0], keras.utils.to_categorical(validation[1], classes)),
        seed,
        augment,
    )
    steps = math.ceil(len(examples) / phase.batch_size)
    optimizer = make_optimizer(phase, steps * phase.epochs, rates)
    weights = balance.weights(train[1], classes)
    compile_model(model, phase, optimizer, runtime, weights)
    whole = Way(model, epochs(model, examples, phase.batch_size, runtime), flops.forward(model))
    warm_up(model, whole.loop, clock)
    few_labels = choosing(len(examples), len(validation[1])) if phase.patience else 0
    if few_labels:
        with clock.charge("compile"), taken_back(model):
            whole.loss(few_labels)
    ways = [whole] * phase.epochs
    if few := phase.windowed_epochs:
        ways[:few] = [through_windows(model, phase, examples, runtime, clock, weights)] * few
    best = Best(model, phase.patience)
    begun = keeper.begin(model, best) if keeper else 0
    before = len(result.epochs) - begun
    looked_at = set(range(1, phase.epochs + 1)) if phase.patience else checked(phase.epochs)
    for epoch, way in enumerate(ways[begun:], start=begun + 1):
        if best.ends(epoch - 1):
            break
        with clock.charge(PAUSED):
            before_epoch()
        rate = float(np.asarray(optimizer.learning_rate))
        at = clock.spent("train").wall
        with clock.charge("train"):
            logs = way.train(epoch - 1)
            # What is chosen by labels beside those trained on is part of learning.
            if few_labels:
                best.note(epoch, whole.loss(few_labels))
        elapsed = (clock.learning().wall, clock.learning_cold().wall)
        result.learn(flops.TRAINING_FACTOR * len(examples) * way.flops + few_labels * whole.flops)
        broken = not math.isfinite(logs["loss"])
        seen = None
        if epoch in looked_at or best.ends(epoch) or broken:
            with clock.charge("validate"):
                seen = whole.validate()
            result.flops += len(validation[1]) * whole.flops
        seconds = clock.spent("train").wall - at
        looked = scores(seen) if seen else None
        entry = noted(
            phase, epoch, len(examples), scores(logs), looked, rate, seconds, elapsed, result.learnt
        )
        result.epochs.append(entry)
        tell(entry)
        if broken:
            raise Diverged(f"the loss was not a finite number in epoch {epoch}")
        if keeper:
            keeper.ended(epoch, model, best)
    best.restore()
    if best.epoch is not None:
        result.best_epoch = before + best.epoch


Scores = tuple[float, float]  # cross-entropy in nats, and accuracy
DIGITS = 7  # of a number in an epoch's record: single precision has no more


def scores(logs: Mapping[str, float]) -> Scores:
    """What a network's metrics say."""
    return logs["cross_entropy"], logs["accuracy"]


def noted(
    phase: Phase,
    epoch: int,
    images: int,
    trained: Scores,
    seen: Scores | None,
    rate: float,
    seconds: float,
    elapsed: tuple[float, float],
    learnt: int,
) -> Epoch:
    """An epoch as a record has it, its numbers to DIGITS: they are most of what a record takes.

    `seen` is None where validation images were not looked at; `elapsed` are the seconds of learning
    since the start, as spent and cold, `learnt` its FLOP.
    """
    return Epoch(
        phase=phase.name,
        epoch=epoch,
        train_loss=finite(_short(trained[0])),
        train_accuracy=finite(_short(trained[1])),
        val_loss=finite(_short(seen[0])) if seen else None,
        val_accuracy=finite(_short(seen[1])) if seen else None,
        learning_rate=_short(rate),
        seconds=_short(seconds),
        images_seen=images,
        elapsed=_short(elapsed[0]),
        elapsed_cold=_short(elapsed[1]),
        flops=learnt,
    )


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


LOOKS = 12


def checked(epochs: int) -> set[int]:
    """The epochs, from 1 on, after which validation images are looked at: a dozen at most.

    Evenly spaced from the first to the last, so that validation costs no more than training.
    """
    return set(np.linspace(1, epochs, min(epochs, LOOKS)).round().astype(int).tolist()) | {epochs}


def choosing(trained_on: int, held_out: int) -> int:
    """How many held-out labels whatever is chosen may see: a ninth of those trained on.

    So that choosing is charged in labels too, and the same for every arm.
    """
    return min(max(1, trained_on // 9), held_out)


@dataclass(frozen=True)
class Way:
    """A compiled network, the loop that trains it, and the FLOP of one example forward."""

    model: keras.Model
    loop: Epochs
    flops: int

    def train(self, epoch: int) -> dict[str, float]:
        """One epoch, from 0 on; its metrics on what was trained on, as met."""
        self.model.reset_metrics()
        self.loop.train(epoch)
        return metrics(self.model)

    def validate(self) -> dict[str, float]:
        """Metrics of the held-out examples."""
        self.model.reset_metrics()
        self.loop.validate()
        return metrics(self.model)

    def loss(self, first: int) -> float:
        """Cross-entropy of the first so many held-out examples."""
        self.model.reset_metrics()
        self.loop.validate(first=first)
        return metrics(self.model)["cross_entropy"]


def through_windows(
    model: keras.Model,
    phase: Phase,
    examples: Examples,
    runtime: Runtime,
    clock: Clock,
    weights: np.ndarray,
) -> Way:
    """The way to train a compiled `model`, by its own optimizer, on windows of the images."""
    with runtime.scope():
        small = smaller(model, *window_sides(*examples.inputs.shape[1:3]))
    compile_model(small, phase, model.optimizer, runtime, weights)
    windows = replace(examples, names=[*examples.names, "window"])
    loop = epochs(small, windows, phase.batch_size, runtime)
    warm_up(small, loop, clock, validates=False)
    # A layer knows the shape that it was first given: a copy of all is counted.
    return Way(small, loop, flops.forward(keras.models.clone_model(small)))


def metrics(model: keras.Model) -> dict[str, float]:
    """What a network's metrics say of all that they have seen; waits until it is computed."""
    return {name: float(value) for name, value in model.get_metrics_result().items()}


class Weighed(keras.losses.CategoricalCrossentropy):
    """Cross-entropy of one-hot or mixed targets, times what their classes weigh [classes]."""

    def __init__(self, weights: np.ndarray, **how: Any) -> None:
        super().__init__(**how)
        self.weights = weights

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each example."""
        return super().call(y_true, y_pred) * keras.ops.sum(y_true * self.weights, axis=-1)


def compile_model(
    model: keras.Model,
    phase: Phase,
    optimizer: keras.optimizers.Optimizer,
    runtime: Runtime,
    weights: np.ndarray,
) -> None:
    """Compile with the loss that a phase trains on, and the metrics that a record has.

    `weights` [classes] are what images of each class weigh in that loss where the phase says so.
    """
    smoothing = phase.label_smoothing
    model.compile(
        optimizer=optimizer,
        loss=Weighed(weights, from_logits=True, label_smoothing=smoothing)
        if phase.class_weights
        else keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing),
        # The loss of arms with and without label smoothing cannot be compared; this one can.
        metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.CategoricalCrossentropy(from_logits=True, name="cross_entropy"),
        ],
        jit_compile=runtime.compiles,
    )


def warm_up(model: keras.Model, loop: Epochs, clock: Clock, validates: bool = True) -> None:
    """Compile training, and validation if asked, by a few steps taken back.

    Every variable of model and optimizer, random states included, is as before. Compiling
    validation is a part of measuring.
    """
    with clock.charge("compile"), taken_back(model):
        loop.train(0, steps=1)
        if validates:
            with clock.charge("validate"):
                loop.validate(steps=1)


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
