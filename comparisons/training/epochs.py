"""Epochs as one compiled call each, over data that stays on the device.

The whole training set lies there as it is, uint8 for images; a call takes the order of an epoch
and what was drawn for its views, a few numbers for each example. Taking a batch, augmenting it and
the step itself are compiled into one loop: nothing is done on the host from step to step, which
matters most where a step is short. The steps are Keras's own. JAX on a CPU is the exception: see
`with_jax`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from comparisons.core.streams import Stream, generator
from comparisons.training import augment
from comparisons.training.device import Runtime
from models.prediction import EVALUATION_BATCH


@dataclass(frozen=True)
class Examples:
    """What is trained on, and what is held out.

    `targets` and `validation`'s are float32 [n, classes]. `inputs` [n, ...], or [v * n, ...]: v
    views of the same examples, laid one after the other, of which one is drawn for each example
    in each epoch. `names` say what else is drawn for images
    (comparisons.training.augment). `seed` decides every draw.
    """

    inputs: np.ndarray
    targets: np.ndarray
    validation: tuple[np.ndarray, np.ndarray]
    seed: int
    names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def views(self) -> int:
        """How many views there are of each example."""
        return len(self.inputs) // len(self)

    def rows(self, epoch: int) -> np.ndarray:
        """The order of an epoch, int32 [n]: rows of `inputs`, one for each example."""
        order = generator(self.seed, Stream.ORDER, epoch).permutation(len(self))
        if self.views > 1:
            chosen = generator(self.seed, Stream.VIEW, epoch)
            order = order + len(self) * chosen.integers(self.views, size=len(self))[order]
        return order.astype(np.int32)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """All inputs, and the target of each."""
        targets = self.targets if self.views == 1 else np.tile(self.targets, (self.views, 1))
        return self.inputs, targets

    def drawn(self, epoch: int) -> list[augment.Drawn]:
        """What is drawn in an epoch for the views of each image."""
        return augment.draw(self.names, (len(self), *self.inputs.shape[1:]), self.seed, epoch)


class Epochs(Protocol):
    """What trains a compiled network; its metrics are read with `get_metrics_result`."""

    def train(self, epoch: int, steps: int | None = None) -> None:
        """One epoch, from 0 on; at most so many full steps (default: all), and the last."""

    def validate(self, steps: int | None = None, first: int | None = None) -> None:
        """Metrics of the held-out examples, or of the `first` of them.

        At most so many full batches (default: all), and the last.
        """


def epochs(model: keras.Model, examples: Examples, batch_size: int, runtime: Runtime) -> Epochs:
    """What trains a compiled `model` here; see `Epochs`."""
    if runtime.distribution is not None or runtime.backend not in COMPILED:
        return KerasEpochs(model, examples, batch_size)
    accelerated = runtime.kind != "cpu"
    return OneCall(model, examples, batch_size, COMPILED[runtime.backend], accelerated)


class OneCall:
    """Epochs on one device, each a single call of what `compiled` made of its steps.

    `accelerated`: that device is a GPU or a TPU.
    """

    def __init__(
        self,
        model: keras.Model,
        examples: Examples,
        batch_size: int,
        compiled: Callable[..., Any],
        accelerated: bool,
    ) -> None:
        self.model = model
        self.examples = examples
        self.data = [ops.convert_to_tensor(values) for values in examples.pairs()]
        self.held_out = [ops.convert_to_tensor(values) for values in examples.validation]
        count, names = len(examples), examples.names
        self.full, rest = divmod(count, batch_size)
        build_state(model, examples.targets.shape[1])

        def batch(data: Any, rows: Any) -> Any:
            images, targets, drawn = data
            return augment.views(names, drawn, images, targets, rows)

        self._train = compiled(model, batch, batch_size, rest, True, accelerated)
        self._validators: dict[int, Callable[..., Any]] = {}
        self._validator = lambda rest: compiled(
            model, batch_of_rows, EVALUATION_BATCH, rest, False, accelerated
        )

    def train(self, epoch: int, steps: int | None = None) -> None:
        """See `Epochs`."""
        steps = self.full if steps is None else min(steps, self.full)
        drawn = [[ops.convert_to_tensor(v) for v in one] for one in self.examples.drawn(epoch)]
        rows = ops.convert_to_tensor(self.examples.rows(epoch))
        self._train(steps, rows, (*self.data, drawn))

    def validate(self, steps: int | None = None, first: int | None = None) -> None:
        """See `Epochs`."""
        count = len(self.examples.validation[0]) if first is None else first
        full, rest = divmod(count, EVALUATION_BATCH)
        if count not in self._validators:
            self._validators[count] = self._validator(rest)
        rows = ops.arange(count, dtype="int32")
        steps = full if steps is None else min(steps, full)
        self._validators[count](steps, rows, tuple(self.held_out))


def batch_of_rows(data: Any, rows: Any) -> Any:
    """The given rows of each of the arrays in `data`."""
    return tuple(ops.take(values, rows, axis=0) for values in data)


def build_state(model: keras.Model, outputs: int) -> None:
    """Let Keras make the variables of optimizer and metrics: within a compiled function is late."""
    model.optimizer.build(model.trainable_variables)
    some = np.zeros((1, outputs), np.float32)
    model.compute_metrics(None, some, some)
    model.reset_metrics()


def with_tensorflow(
    model: keras.Model, batch: Any, size: int, rest: int, training: bool, accelerated: bool
) -> Callable[[int, Any, Any], None]:
    """A loop over steps as one `tf.function`: (full steps, rows, data) -> None."""
    import tensorflow as tf

    step = model.train_step if training else model.test_step

    # XLA must know every shape, so there the smaller last step is compiled apart; elsewhere that
    # would only take time, and the loop takes it with the others.
    apart = accelerated and rest > 0

    @tf.function(jit_compile=accelerated, autograph=False)
    def loop(count: Any, rows: Any, data: Any) -> None:
        def one(number: Any) -> tuple[Any]:
            begin = tf.where(number < count, number * size, rows.shape[0] - rest)
            step(batch(data, rows[begin:][:size]))
            return (number + 1,)

        steps = count + 1 if rest and not apart else count
        if rows.shape[0] >= size or not apart:
            tf.while_loop(lambda number: number < steps, one, (0,), parallel_iterations=1)
        if apart:
            step(batch(data, rows[-rest:]))

    return lambda count, rows, data: loop(tf.constant(count), rows, data)


def with_jax(
    model: keras.Model, batch: Any, size: int, rest: int, training: bool, accelerated: bool
) -> Callable[[int, Any, Any], None]:
    """Steps as jitted functions: (full steps, rows, data) -> None.

    On an accelerator all of them are one call. On a CPU each is a call of its own: there XLA
    computes the convolutions within a loop many times slower than the same outside of one
    (github.com/jax-ml/jax/issues/12868).
    """
    import jax

    def variables() -> list[list[Any]]:
        groups = [model.trainable_variables, model.non_trainable_variables]
        if training:
            groups.append(model.optimizer.variables)
        return [*groups, model.metrics_variables]

    step = model.train_step if training else model.test_step

    def full(state: Any, number: Any, rows: Any, data: Any) -> Any:
        chosen = jax.lax.dynamic_slice_in_dim(rows, number * size, size)
        return as_lists(step(state, batch(data, chosen))[1])

    def last(state: Any, rows: Any, data: Any) -> Any:
        return as_lists(step(state, batch(data, rows[-rest:]))[1])

    @jax.jit
    def one_call(state: Any, count: Any, rows: Any, data: Any) -> Any:
        if rows.shape[0] >= size:
            state = jax.lax.fori_loop(0, count, lambda n, kept: full(kept, n, rows, data), state)
        return last(state, rows, data) if rest else state

    # Each gives its state to the next: of many that wait for one another, each would hold its own.
    full_call, last_call = (jax.jit(part, donate_argnums=0) for part in (full, last))

    def many_calls(state: Any, count: int, rows: Any, data: Any) -> Any:
        state = jax.tree.map(jax.numpy.copy, state)  # the variables keep theirs until the end
        for number in range(count):
            state = full_call(state, number, rows, data)
        return last_call(state, rows, data) if rest else state

    loop = one_call if accelerated else many_calls

    def run(count: int, rows: Any, data: Any) -> None:
        groups = variables()
        state = [[variable.value for variable in group] for group in groups]
        for group, values in zip(groups, loop(state, count, rows, data), strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)

    return run


def as_lists(state: Any) -> list[list[Any]]:
    """A state as lists of lists: a loop of JAX must give back the very shape that it took."""
    return [list(group) for group in state]


COMPILED: dict[str, Callable[..., Any]] = {"tensorflow": with_tensorflow, "jax": with_jax}


class KerasEpochs:
    """Epochs by Keras's own `fit`, which spreads each batch over several devices."""

    def __init__(self, model: keras.Model, examples: Examples, batch_size: int) -> None:
        self.model = model
        self.examples = examples
        self.batch_size = batch_size
        self.data = examples.pairs()

    def train(self, epoch: int, steps: int | None = None) -> None:
        """See `Epochs`."""
        examples, rows = self.examples, self.examples.rows(epoch)
        inputs, targets = augment.augmented(examples.names, *self.data, examples.seed, epoch)
        if steps is not None:
            rest = len(rows) % self.batch_size
            rows = np.concatenate([rows[: steps * self.batch_size], rows[len(rows) - rest :]])
        self.model.fit(
            inputs[rows], targets[rows], batch_size=self.batch_size, shuffle=False, verbose=0
        )

    def validate(self, steps: int | None = None, first: int | None = None) -> None:
        """See `Epochs`."""
        inputs, targets = (values[:first] for values in self.examples.validation)
        some = slice(None if steps is None else steps * EVALUATION_BATCH)
        self.model.evaluate(inputs[some], targets[some], batch_size=EVALUATION_BATCH, verbose=0)
