"""The learning-rate range test: one pass at rising rates, taken back, and the rate that follows.

Smith 2015, arXiv:1506.01186, section 3.3: raise the rate from step to step and watch where
learning begins and where it breaks out. Stop and choice are those of the usual finder
(Gugger 2018, https://sgugger.github.io/how-do-you-find-a-good-learning-rate.html): the rate of
the lowest loss is too high already, one a factor of ten below it still learns fast.
"""

from __future__ import annotations

import math

import keras
import msgspec
import numpy as np

from comparisons.core import balance
from comparisons.core.phases import Phase
from comparisons.core.records import RangeTest, finite
from comparisons.core.streams import Stream, generator
from comparisons.training.device import Runtime
from comparisons.training.fitting import compile_model, taken_back
from comparisons.training.optimizers import make_optimizer

LOWEST, HIGHEST = 1e-6, 10.0
FEWEST = 100  # steps; a smaller training set is gone through more than once
SMOOTHING = 0.9  # of the moving average of losses: short, for the sweep is short
EXPLODED = 2.0  # times the lowest smoothed loss
MARGIN = 10.0  # how far below the rate of the lowest smoothed loss the chosen one lies


def range_test(
    model: keras.Model,
    phase: Phase,
    inputs: np.ndarray,
    labels: np.ndarray,
    classes: int,
    seed: int,
    runtime: Runtime,
) -> RangeTest:
    """One pass over `inputs` [n, ...] with `labels` int64 [n] at exponentially rising rates.

    In batches of the phase and in an order drawn from `seed`; `FEWEST` steps at least. Ends early
    when the smoothed loss explodes. Every variable of the model is as before, bit for bit.
    """
    optimizer = make_optimizer(msgspec.structs.replace(phase, schedule="constant"), 1)
    compile_model(model, phase, optimizer, runtime, balance.weights(labels, classes))
    batches = _batches(len(inputs), phase.batch_size, seed)
    targets = keras.utils.to_categorical(labels, classes)
    rates: list[float] = []
    losses: list[float] = []
    with taken_back(model):
        for rate, rows in zip(np.geomspace(LOWEST, HIGHEST, len(batches)), batches, strict=True):
            optimizer.learning_rate = float(rate)
            logs = model.train_on_batch(inputs[rows], targets[rows], return_dict=True)
            rates.append(float(rate))
            losses.append(float(logs["cross_entropy"]))
            if exploded(losses):
                break
    return RangeTest(
        rates=rates,
        losses=[finite(loss) for loss in losses],
        smoothed=smoothed(losses),
        chosen=choose(rates, losses),
        exploded=exploded(losses),
    )


def _batches(count: int, size: int, seed: int) -> list[np.ndarray]:
    """Rows for each step: whole passes over `count` images, each in an order of its own."""
    draws = generator(seed, Stream.RANGE_TEST)
    batches: list[np.ndarray] = []
    while len(batches) < FEWEST:
        order = draws.permutation(count)
        batches += np.array_split(order, math.ceil(count / size))
    return batches


def smoothed(losses: list[float]) -> list[float | None]:
    """The moving average of losses, freed of its start at 0; None from where it is not finite."""
    average = 0.0
    found: list[float | None] = []
    for step, loss in enumerate(losses, start=1):
        average = SMOOTHING * average + (1 - SMOOTHING) * loss
        found.append(average / (1 - SMOOTHING**step) if math.isfinite(average) else None)
    return found


def exploded(losses: list[float]) -> bool:
    """Whether the smoothed loss is no number now, or several times its lowest."""
    known = smoothed(losses)
    last = known[-1] if known else 0.0
    return last is None or last > EXPLODED * min((v for v in known if v is not None), default=last)


def choose(rates: list[float], losses: list[float]) -> float:
    """A tenth of the rate at which the smoothed loss was lowest."""
    known = [math.inf if value is None else value for value in smoothed(losses)]
    return rates[known.index(min(known))] / MARGIN
