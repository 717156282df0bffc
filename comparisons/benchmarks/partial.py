"""An epoch with the last block unfrozen: on kept features of the rest, and as plain `fit`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial as call
from typing import Any

import numpy as np

from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result, warmed
from comparisons.benchmarks.waits import left_out, noted

ROUNDS = 5
IMAGES, BATCH, SIZE = 2048, 64, 96


def run(rounds: int) -> Result:
    """MobileNet 0.25 at 96 pixels, as pretrained; features are computed before the clock."""
    import keras

    from comparisons.training.device import start
    from comparisons.training.epochs import Examples, epochs
    from models import adapt
    from models.catalog import MODELS, weights_file, with_options
    from models.prediction import predict

    runtime = start("cpu", 0, False)
    model = with_options(MODELS["mobilenet"], f"0.25x{SIZE}")
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
    targets = keras.utils.to_categorical(np.arange(IMAGES) % 10, 10)

    def network(part: str, count: int) -> Any:
        built = adapt.build(model, (32, 32, 3), 10, weights_file(model))
        adapt.set_trainable(built, part, count)
        return built, adapt.halves(built, part, count)

    def compiled(trained: Any) -> Any:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        trained.compile("adam", loss, jit_compile=False)
        return trained

    ours: dict[str, Callable[[], float | None]] = {}
    for name, part, count in (
        ("frozen", "head", 0),
        ("partial@1", "last", 1),
        ("partial@2", "last", 2),
    ):
        _, (lower, upper) = network(part, count)
        kept = predict(lower, images)
        examples = Examples(kept, targets, (kept[:BATCH], targets[:BATCH]), seed=0)
        ours[name] = warmed(call(epochs(compiled(upper), examples, BATCH, runtime).train, 0))
    plain, _ = network("last", 1)
    waited: list[float] = []
    fit = call(compiled(plain.whole).fit, images, targets, batch_size=BATCH, verbose=0)
    ours["partial@1 as plain fit"] = left_out(fit, waited)
    taken = alternate(ours, rounds)
    sides = {name: Side(name, seconds, IMAGES, "image") for name, seconds in taken.items()}
    slow = sides["partial@1 as plain fit"]
    slow.notes = {"left out as waiting": noted(waited)}
    ratios = [
        ratio(slow, sides["partial@1"]),
        ratio(sides["partial@1"], sides["frozen"]),
        ratio(sides["partial@2"], sides["frozen"]),
    ]
    question = "What does an epoch cost when the last blocks train as well?"
    return result("partial", question, [*sides.values()], ratios)
