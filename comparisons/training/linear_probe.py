"""A linear probe: penalised logistic regression on kept features, its penalty by validation.

What is made small is the mean cross-entropy plus penalty / 2 times the sum of squares of the
weights, biases apart, by L-BFGS (Liu & Nocedal 1989, Mathematical Programming 45:503-528); each of
its iterations is an epoch. scikit-learn's LogisticRegression has the same minimum at
C = 1 / (penalty * n).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from comparisons.core.clock import Clock
from comparisons.core.phases import Phase
from comparisons.core.records import Epoch
from comparisons.training.fitting import Fit, checked, choosing, noted

LBFGS = "lbfgs"
# The largest first: each begins where the one before ended.
PENALTIES = tuple(10.0 ** (-half / 2) for half in range(-1, 11))  # 3 to 1e-5
STEPS = 30  # of each but the last fit: it has not far to go
CLOSE = 1e-4  # the largest slope at which a fit ends


@dataclass(frozen=True)
class Examples:
    """Features float32 [n, d] and their labels int64 [n], of so many classes.

    `weights` [classes] are what an image of each weighs in what is made small: alike by default.
    """

    features: np.ndarray
    labels: np.ndarray
    classes: int
    weights: np.ndarray | None = None

    @property
    def operations(self) -> int:
        """FLOP of one slope: logits, and the product of what is wrong with all features."""
        return 4 * self.features.size * self.classes

    def logits(self, weights: np.ndarray) -> np.ndarray:
        """Float32 [n, classes], by weights [d + 1, classes], the last row biases."""
        small = weights.astype(np.float32)
        return self.features @ small[:-1] + small[-1]

    def scores(self, weights: np.ndarray) -> tuple[float, float]:
        """Cross-entropy in nats, and accuracy."""
        logits = self.logits(weights)
        losses, _ = self._losses(logits)
        return float(losses.mean(dtype=np.float64)), float(
            (logits.argmax(axis=1) == self.labels).mean()
        )

    def slope(self, weights: np.ndarray, penalty: float) -> tuple[float, np.ndarray]:
        """What is made small, and its gradient [d + 1, classes]."""
        losses, wrong = self._losses(self.logits(weights))
        wrong[np.arange(len(wrong)), self.labels] -= 1
        wrong /= len(wrong)
        if self.weights is not None:
            each = self.weights[self.labels][:, None]
            losses, wrong = losses * each, wrong * each
        loss = float(losses.mean(dtype=np.float64))
        gradient = np.vstack([self.features.T @ wrong, wrong.sum(axis=0)]).astype(np.float64)
        gradient[:-1] += penalty * weights[:-1]
        return loss + penalty / 2 * float((weights[:-1] ** 2).sum()), gradient

    def _losses(self, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cross-entropy of logits [n, 1], and their softmax, float32 [n, classes]."""
        logits = logits - logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        total = odds.sum(axis=1, keepdims=True)
        right = np.take_along_axis(logits, self.labels[:, None], axis=1)
        return np.log(total) - right, odds / total


def fit_probe(
    train: Examples,
    validation: Examples,
    phase: Phase,
    result: Fit,
    clock: Clock,
    tell: Callable[[Epoch], None],
) -> tuple[np.ndarray, float]:
    """Fit a probe; its weights [d + 1, classes], the last row biases, and its penalty.

    The penalty is the one of PENALTIES with the lowest cross-entropy on the first validation
    examples, a ninth as many as are trained on. Iterations, at most the phase's epochs, are added
    to `result`.
    """
    # Its steps are so small that threads of the linear algebra would wait more than they help.
    with clock.charge("train"), threadpool_limits(1, "blas"):
        few = choosing(len(train.labels), len(validation.labels))
        chosen_by = Examples(validation.features[:few], validation.labels[:few], train.classes)
        penalty, tried = _best_penalty(train, chosen_by)
        paths: list[np.ndarray] = []
        ends = [clock.spent("train").wall]
        elapsed: list[tuple[float, float]] = []

        def note(weights: np.ndarray) -> None:
            paths.append(weights)
            ends.append(clock.spent("train").wall)
            elapsed.append((clock.learning().wall, clock.learning_cold().wall))

        weights, steps = minimise(train, penalty, phase.epochs, note=note)
    chosen = tried * train.operations + len(PENALTIES) * chosen_by.operations // 2
    before = result.learnt + chosen
    result.learn(chosen + steps * train.operations)
    looked_at = checked(len(paths)) if paths else set()
    for number, (path, at) in enumerate(zip(paths, elapsed, strict=True), start=1):
        with clock.charge("validate"):
            seen = validation.scores(path) if number in looked_at else None
            known = train.scores(path)
        seconds, rate = ends[number] - ends[number - 1], phase.learning_rate
        done = before + steps * number // len(paths) * train.operations
        entry = noted(phase, number, len(train.labels), known, seen, rate, seconds, at, done)
        result.epochs.append(entry)
        tell(entry)
    return weights, penalty


def minimise(
    train: Examples,
    penalty: float,
    iterations: int,
    begin: np.ndarray | None = None,
    note: Callable[[np.ndarray], None] = lambda weights: None,
) -> tuple[np.ndarray, int]:
    """The weights [d + 1, classes] at one penalty, from `begin` (default: zero) on.

    And how often their slope was computed; `note` hears those after each iteration.
    """
    shape = (train.features.shape[1] + 1, train.classes)
    begin = np.zeros(shape) if begin is None else begin

    def slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = train.slope(flat.reshape(shape), penalty)
        return value, gradient.ravel()

    found = minimize(
        slope,
        begin.ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=lambda flat: note(flat.reshape(shape).copy()),
        options={"maxiter": iterations, "gtol": CLOSE, "ftol": 1e-7},
    )
    return found.x.reshape(shape), found.nfev


def _best_penalty(train: Examples, chosen_by: Examples) -> tuple[float, int]:
    losses, slopes = {}, 0
    weights = None
    for penalty in PENALTIES:
        weights, some = minimise(train, penalty, STEPS, weights)
        slopes += some
        losses[penalty] = chosen_by.scores(weights)[0]
    return min(losses, key=lambda penalty: losses[penalty]), slopes
