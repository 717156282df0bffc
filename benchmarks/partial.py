"""An epoch with the last block unfrozen: on kept features of the rest, and as plain `fit`."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import Result, Side, alternate, ratio, result, warmed

ROUNDS = 5
IMAGES, BATCH, SIZE = 2048, 64, 96


def run(rounds: int) -> Result:
    """MobileNet 0.25 at 96 pixels from random weights; features are computed before the clock."""
    import keras

    from comparisons.runtime import start
    from models import adapt
    from models.catalog import MODELS, weights_file

    start("cpu", 0, False)
    model, options = MODELS["mobilenet"], {"alpha": 0.25, "size": SIZE}
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
    labels = np.arange(IMAGES) % 10

    def network(part: str, count: int) -> Any:
        built = adapt.build(model, options, (32, 32, 3), 10, weights_file(model, options))
        adapt.set_trainable(built, part, count)
        return built, adapt.halves(built, part, count)

    def epoch(trained: Any, inputs: np.ndarray, steps: int) -> Any:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        trained.compile("adam", loss, steps_per_execution=steps, jit_compile=False)
        return warmed(lambda: trained.fit(inputs, labels, batch_size=BATCH, verbose=0))

    ours: dict[str, Any] = {}
    for name, part, count in (
        ("frozen", "head", 0),
        ("partial@1", "last", 1),
        ("partial@2", "last", 2),
    ):
        _, (lower, upper) = network(part, count)
        ours[name] = epoch(upper, lower.predict(images, verbose=0), 16)
    plain, _ = network("last", 1)
    ours["partial@1 as plain fit"] = epoch(plain.whole, images, 1)
    taken = alternate(ours, rounds)
    sides = {name: Side(name, seconds, IMAGES, "image") for name, seconds in taken.items()}
    ratios = [
        ratio(sides["partial@1 as plain fit"], sides["partial@1"]),
        ratio(sides["partial@1"], sides["frozen"]),
        ratio(sides["partial@2"], sides["frozen"]),
    ]
    question = "What does an epoch cost when the last blocks train as well?"
    return result("partial", question, [*sides.values()], ratios)
