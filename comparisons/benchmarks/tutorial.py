"""The tutorial's network, as plain `fit` and as an arm here, against `cnn:scratch`."""

from __future__ import annotations

import statistics
from functools import partial

from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result
from comparisons.benchmarks.training import apart, trained
from comparisons.benchmarks.waits import noted, without_waits, working
from comparisons.core.records import Record

ROUNDS = 5
PART, WHOLE = 2, 10  # epochs timed of the tutorial, and epochs that it has
EPOCHS = 1  # of cnn:scratch
FAST = f"cnn:scratch, {EPOCHS} epoch"


def run(rounds: int) -> Result:
    """Training on 45,000 images, compilation and validation included."""
    records: dict[str, list[Record]] = {"tutorial-cnn:scratch": [], "cnn:scratch": []}

    waited: list[float] = []
    plain = working(partial(apart, plain_seconds), waited, WHOLE / PART)

    def arm(name: str, epochs: int, scale: float) -> float:
        record = trained(name, epochs)
        records[name].append(record)
        spent = record.seconds
        return (spent.train + spent.validate + spent.test) * scale + spent.compile

    taken = alternate(
        {
            f"plain fit, {WHOLE} epochs": plain,
            f"tutorial-cnn:scratch, {WHOLE} epochs": lambda: arm(
                "tutorial-cnn:scratch", PART, WHOLE / PART
            ),
            FAST: lambda: arm("cnn:scratch", EPOCHS, 1.0),
        },
        rounds,
    )
    names = list(taken)
    accuracy = statistics.mean(r.test.accuracy for r in records["cnn:scratch"] if r.test)
    timed = f"{PART} epochs timed, scaled to {WHOLE}"
    sides = [
        Side(names[0], taken[names[0]], notes={"": timed, "left out as waiting": noted(waited)}),
        Side(names[1], taken[names[1]], notes={"": timed}),
        Side(names[2], taken[names[2]], notes={"test accuracy": round(accuracy, 4)}),
    ]
    ratios = [ratio(sides[0], sides[2]), ratio(sides[1], sides[2]), ratio(sides[0], sides[1])]
    question = "How much sooner does cnn:scratch pass the tutorial's network?"
    return result("tutorial", question, sides, ratios)


def plain_seconds() -> tuple[float, float]:
    """The tutorial's steps as its page describes them: seconds of work, and of waiting.

    Pixels in 0 to 1, Adam at its usual rate, batches of 32, validation after each epoch.
    """
    import keras

    from comparisons.data import prepare
    from comparisons.training.device import start
    from models.adapt import build
    from models.catalog import MODELS

    start("cpu", 0, False)
    data = prepare("cifar10", None)
    network = build(MODELS["tutorial-cnn"], data.image_shape, 10).whole
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    train, held = slice(0, 45_000), slice(45_000, None)
    return without_waits(
        lambda callbacks: network.fit(
            data.x_train[train],
            data.y_train[train],
            epochs=PART,
            validation_data=(data.x_train[held], data.y_train[held]),
            callbacks=callbacks,
            verbose=0,
        )
    )
