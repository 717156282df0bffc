"""The table of optimizers, and the optimizer of a phase with its schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import optimizers

MOMENTUM = 0.9

# Each takes a rate (a number or a schedule) and a decay of weights per step, None for none,
# which is apart from the gradient (Loshchilov & Hutter 2019, arXiv:1711.05101).
OPTIMIZERS: dict[str, Callable[[Any, float | None], keras.optimizers.Optimizer]] = {
    # With Nesterov's momentum, as in the recipe of `cnn`.
    "sgd": lambda rate, decay: optimizers.SGD(
        rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay
    ),
    "plain-sgd": lambda rate, decay: optimizers.SGD(rate, weight_decay=decay),
    "momentum": lambda rate, decay: optimizers.SGD(rate, momentum=MOMENTUM, weight_decay=decay),
    "rmsprop": lambda rate, decay: optimizers.RMSprop(rate, weight_decay=decay),
    "adagrad": lambda rate, decay: optimizers.Adagrad(rate, weight_decay=decay),
    "adam": lambda rate, decay: optimizers.Adam(rate, weight_decay=decay),
    "adamw": lambda rate, decay: optimizers.AdamW(rate, weight_decay=decay or 0.0),
}


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
    if rates:
        return RatedAdam(rate, rates)
    return OPTIMIZERS[phase["optimizer"]](rate, phase["weight_decay"] or None)
