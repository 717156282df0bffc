"""What Keras's `predict` and `fit` wait for after the last batch, with TensorFlow.

They read through tf.data, which tunes itself after 20, 60, 140 milliseconds and so on, each pause
twice the last. Its end may wait for the next such moment: cancelling wakes the thread that tunes
before it says that it is cancelled, so the thread goes back to sleep if it looks too soon
(TensorFlow's cancellation.cc runs callbacks, and sets `is_cancelled_` after them). A pass over data
then takes up to twice its time. That is no work, and other machines may be luckier, so it is left
out of what the other benchmarks time, which is to our disadvantage.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np


class Awake:
    """Seconds that `fit` or `predict` worked, and those that it waited between passes over data.

    Up to the last batch of a pass every second counts as work; from there to the next pass, or
    the end, only those of the processor.
    """

    def __init__(self) -> None:
        self.worked = self.waited = 0.0
        self._wall, self._processor = time.perf_counter(), time.process_time()

    @property
    def callback(self) -> Any:
        """What `fit` and `predict` take among their callbacks."""
        import keras

        begins = ("on_epoch_begin", "on_test_begin", "on_predict_begin")
        ends = ("on_train_batch_end", "on_test_batch_end", "on_predict_batch_end")
        return keras.callbacks.LambdaCallback(
            **dict.fromkeys(begins, lambda *_, **__: self.between()),
            **dict.fromkeys(ends, lambda *_, **__: self.batch()),
        )

    def batch(self) -> None:
        """A batch has ended."""
        self.worked += self._passed()[0]

    def between(self) -> None:
        """The time since the last batch was between passes."""
        wall, processor = self._passed()
        self.worked += min(wall, processor)
        self.waited += max(0.0, wall - processor)

    def _passed(self) -> tuple[float, float]:
        before = self._wall, self._processor
        self._wall, self._processor = time.perf_counter(), time.process_time()
        return self._wall - before[0], self._processor - before[1]


def without_waits(work: Callable[[list[Any]], Any]) -> tuple[float, float]:
    """Seconds that `work` worked, and that it waited.

    It is called with the callbacks that it gives to `fit` or `predict`.
    """
    awake = Awake()
    work([awake.callback])
    awake.between()
    return awake.worked, awake.waited


def left_out(work: Callable[..., Any], waited: list[float]) -> Callable[[], float]:
    """A call of `fit` or `predict` as a side: done once before, its waits added to `waited`."""
    work()
    return working(lambda: without_waits(lambda given: work(callbacks=given)), waited)


def working(
    timed: Callable[[], tuple[float, float]], waited: list[float], times: float = 1.0
) -> Callable[[], float]:
    """A side of what was `timed` by `without_waits`, which stands for `times` as much work."""

    def side() -> float:
        worked, waits = timed()
        waited.append(waits * times)
        return worked * times

    return side


def noted(waited: list[float]) -> str:
    """What a note says of the waits in every round."""
    low, middle, high = (round(float(f(waited)), 2) for f in (min, np.median, max))
    return f"{middle:g} s ({low:g} to {high:g})"
