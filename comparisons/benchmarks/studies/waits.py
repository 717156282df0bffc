"""How long Keras's `predict` waits after its last batch (see comparisons.benchmarks.waits)."""

from __future__ import annotations

from functools import partial

import numpy as np

from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result, warmed
from comparisons.benchmarks.waits import left_out, noted

ROUNDS = 10
# Passes of which the longest takes ten times as long as the shortest.
IMAGES = (1000, 3000, 10_000)


def run(rounds: int) -> Result:
    """`cnn` on images in memory, by Keras's `predict` and by what is used in its place here."""
    from comparisons.training.device import start
    from models.adapt import build
    from models.catalog import MODELS
    from models.prediction import EVALUATION_BATCH, predict

    start("cpu", 0, False)
    model = build(MODELS["cnn"], (32, 32, 3), 10).whole
    pixels = np.random.default_rng(0).integers(0, 256, (max(IMAGES), 32, 32, 3), np.uint8)
    sides, ratios = [], []
    for count in IMAGES:
        images = pixels[:count]
        waited: list[float] = []
        theirs = left_out(
            partial(model.predict, images, batch_size=EVALUATION_BATCH, verbose=0), waited
        )
        names = [f"{count:,} images, {how}" for how in ("Keras's predict", "batch by batch")]
        taken = alternate(
            {names[0]: theirs, names[1]: warmed(partial(predict, model, images))}, rounds
        )
        # Here waiting is what the question is about.
        taken[names[0]] = [sum(both) for both in zip(taken[names[0]], waited, strict=True)]
        slow, fast = (Side(name, taken[name], count, "image") for name in names)
        slow.notes = {"of which waiting": noted(waited)}
        sides += [slow, fast]
        ratios.append(ratio(slow, fast))
    question = "How long does Keras's `predict` wait for tf.data after its last batch?"
    return result("waits", question, sides, ratios)
