"""The table of optimizers, and the optimizer of a phase with its schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops, optimizers

from comparisons.core.phases import Phase

MOMENTUM = 0.9


@keras.saving.register_keras_serializable(package="comparisons")
class Muon(optimizers.SGD):
    """SGD, in which the kernels of convolutions move by their momentum made orthogonal.

    A kernel [h, w, in, filters] is a matrix [h * w * in, filters]: all singular values of its
    momentum become about one, so that no direction is learned much faster than another, and its
    norm stays sqrt(filters), as under normalisation only its direction matters. After Jordan et
    al. 2024, "Muon: An optimizer for hidden layers in neural networks"; norm, momentum and number
    of iterations as in github.com/KellerJordan/cifar10-airbench. Keras's own Muon, which does the
    iterations here, takes matrices alone.
    """

    momentum_of_kernels = 0.6
    iterations_of_kernels = 3
    # A step of a kernel is so much of the learning rate.
    share = 1 / 3

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.orthogonal = optimizers.Muon().zeropower_via_newtonschulz5

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable."""
        if len(variable.shape) != 4:
            super().update_step(gradient, variable, learning_rate)
            return
        kept = self.momentums[self._get_variable_index(variable)]
        momentum = self.momentum_of_kernels * kept + gradient
        self.assign(kept, momentum)
        ahead = gradient + self.momentum_of_kernels * momentum
        filters = variable.shape[-1]
        kernel, ahead = (ops.reshape(each, (-1, filters)) for each in (variable, ahead))
        kernel *= ops.sqrt(filters / (ops.sum(ops.square(kernel)) + keras.config.epsilon()))
        step = self.orthogonal(ahead, self.iterations_of_kernels)
        moved = kernel - self.share * ops.cast(learning_rate, kernel.dtype) * step
        self.assign(variable, ops.reshape(moved, variable.shape))


# Each takes a rate (a number or a schedule) and a decay of weights per step, None for none,
# which is apart from the gradient (Loshchilov & Hutter 2019, arXiv:1711.05101).
OPTIMIZERS: dict[str, Callable[[Any, float | None], keras.optimizers.Optimizer]] = {
    # With Nesterov's momentum, as in the recipe of `cnn`.
    "sgd": lambda rate, decay: optimizers.SGD(
        rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay
    ),
    "muon": lambda rate, decay: Muon(rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay),
    "plain-sgd": lambda rate, decay: optimizers.SGD(rate, weight_decay=decay),
    "momentum": lambda rate, decay: optimizers.SGD(rate, momentum=MOMENTUM, weight_decay=decay),
    "rmsprop": lambda rate, decay: optimizers.RMSprop(rate, weight_decay=decay),
    "adagrad": lambda rate, decay: optimizers.Adagrad(rate, weight_decay=decay),
    "adam": lambda rate, decay: optimizers.Adam(rate, weight_decay=decay),
    "adamw": lambda rate, decay: optimizers.AdamW(rate, weight_decay=decay or 0.0),
}


def make_optimizer(
    phase: Phase, steps: int, rates: dict[str, float] | None = None
) -> keras.optimizers.Optimizer:
    """The optimizer of a phase; its learning rate follows the schedule over `steps` steps.

    `rates` multiply the rate of single variables (see `at_rates`).
    """
    rate: Any = phase.learning_rate
    if phase.schedule == "warmup-cosine":
        warm = max(1, steps // 5)
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 10, max(1, steps - warm), warmup_target=rate, warmup_steps=warm
        )
    optimizer = OPTIMIZERS[phase.optimizer](rate, phase.weight_decay or None)
    if rates:
        at_rates(optimizer, rates)
    return optimizer


def at_rates(optimizer: keras.optimizers.Optimizer, rates: dict[str, float]) -> None:
    """Let an optimizer multiply the learning rate of variables, by their paths.

    A variable that `rates` does not name keeps the rate of all. Decay of weights, which is apart
    from the gradient, goes on at that rate for every variable.
    """
    step = optimizer.update_step

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        # TensorFlow hands over its own variables, which know no path: only their place helps.
        place = optimizer._get_variable_index(variable)
        path = optimizer._trainable_variables[place].path
        step(gradient, variable, learning_rate * rates.get(path, 1.0))

    optimizer.update_step = update_step
