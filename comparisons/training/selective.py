"""When a network had better say "I don't know": answers only above some certainty.

The fewer pictures it answers, the fewer of the answers are wrong: risk against coverage. El-Yaniv
& Wiener 2010, "On the Foundations of Noise-free Selective Classification", Journal of Machine
Learning Research 11:1605-1641; of deep networks: Geifman & El-Yaniv 2017, arXiv:1705.08500.
"""

from __future__ import annotations

import numpy as np

from comparisons.core.parts import RISK

NONE = 1.0  # the threshold that no certainty is above
STRETCHES = 20  # coverages at which the risk is noted


def certainty(logits: np.ndarray) -> np.ndarray:
    """The softmax probability of the likeliest class, float64 [n], of logits [n, classes]."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return 1 / np.exp(shifted).sum(axis=1)


def threshold(sure: np.ndarray, right: np.ndarray, risk: float = RISK) -> float:
    """The lowest certainty above which at most a share `risk` of the answers is wrong.

    `sure` and `right` tell of the same pictures [n]; NONE where even the surest are wrong too
    often, 0 where all may be answered. What is chosen by few pictures holds for others roughly:
    how often the answers are wrong must be measured on others.
    """
    order = np.argsort(-sure, kind="stable")
    falling, wrong = sure[order], np.cumsum(~right[order])
    answered = np.arange(1, len(sure) + 1)
    # Between pictures of the same certainty no threshold can tell.
    apart = np.append(falling[:-1] > falling[1:], True)[: len(sure)]
    good = np.flatnonzero(apart & (wrong <= risk * answered))
    if not len(good):
        return NONE
    last = int(good[-1])
    return float(falling[last + 1]) if last + 1 < len(falling) else 0.0


def answered(sure: np.ndarray, right: np.ndarray, above: float) -> tuple[float, float | None]:
    """The share of pictures answered above a certainty, and of wrong ones among the answers."""
    given = sure > above
    if not given.any():
        return 0.0, None
    return float(given.mean()), float((~right[given]).mean())


def risks(sure: np.ndarray, right: np.ndarray) -> list[float]:
    """The share of wrong ones among the surest twentieth of pictures, two twentieths, … all."""
    wrong = np.cumsum(~right[np.argsort(-sure, kind="stable")])
    counts = [max(1, round(len(sure) * part / STRETCHES)) for part in range(1, STRETCHES + 1)]
    return [float(wrong[count - 1] / count) for count in counts]
