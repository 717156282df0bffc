"""Which thread settings of TensorFlow train fastest on this processor."""

from __future__ import annotations

from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result
from comparisons.benchmarks.training import trained
from comparisons.core.machine import cores

ROUNDS = 3
EPOCHS, IMAGES = 2, 5000


def run(rounds: int) -> Result:
    """Two epochs of `cnn:scratch` on 5,000 images, each in a process of its own."""
    own = str(cores())
    settings: dict[str, dict[str, str]] = {
        "TensorFlow's own": {},
        f"{own} within, 1 between": {"TF_NUM_INTRAOP_THREADS": own, "TF_NUM_INTEROP_THREADS": "1"},
        f"{own} within, {own} between": {
            "TF_NUM_INTRAOP_THREADS": own,
            "TF_NUM_INTEROP_THREADS": own,
        },
        f"1 within, {own} between": {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": own},
    }

    def seconds(variables: dict[str, str]) -> float:
        return trained("cnn:scratch", EPOCHS, IMAGES, variables).seconds.train

    taken = alternate({n: lambda v=v: seconds(v) for n, v in settings.items()}, rounds)  # type: ignore[misc]
    sides = [Side(name, s, EPOCHS * IMAGES, "image") for name, s in taken.items()]
    ratios = [ratio(side, sides[0]) for side in sides[1:]]
    return result("threads", "Which thread settings train fastest?", sides, ratios)
