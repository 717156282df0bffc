"""Maps kept as float16 instead of float32: the time of an epoch, and the test accuracy."""

from __future__ import annotations

from functools import partial
from statistics import mean

from comparisons.benchmarks.measure import Result, Side, alternate, gained, ratio, result
from comparisons.core.clock import Clock
from comparisons.core.machine import cores

ROUNDS = 5
IMAGES, SIZE, BLOCKS = 5000, 96, 2
TYPES = ("float32", "float16")


def run(rounds: int) -> Result:
    """MobileNet's last blocks trained on both with every seed from 0 on, in turn."""
    import keras

    from comparisons.data import prepare, split
    from comparisons.plan import arms, recipes
    from comparisons.training import evaluation, extraction
    from comparisons.training.device import start
    from comparisons.training.fitting import Fit, fit
    from models import adapt, engines
    from models.catalog import weights_file
    from models.prediction import predict

    runtime = start("cpu", 0, False)
    data = prepare("cifar10", None)
    arm = arms.parse(f"mobilenet@0.25x{SIZE}:partial@{BLOCKS}")
    phase = recipes.phases(arm, IMAGES, None, None)[-1]
    weights = weights_file(arm.model)
    found: dict[str, list[float]] = {name: [] for name in TYPES}
    kept: dict[str, int] = {}

    def seconds(name: str) -> float:
        seed = len(found[name])
        keras.utils.set_random_seed(seed)
        network = adapt.build(arm.model, data.image_shape, 10, weights)
        adapt.set_trainable(network, "last", BLOCKS)
        lower, upper = adapt.halves(network, "last", BLOCKS)
        assert lower is not None
        extract = engines.ENGINES[extraction.choose("auto", runtime)](lower, cores())
        rows = split(data.y_train, seed, IMAGES)
        train, held, test = (
            extract(images).astype(name)
            for images in (data.x_train[rows.train], data.x_train[rows.validation], data.x_test)
        )
        kept[name] = train.nbytes
        done = Fit()
        fit(
            upper,
            phase,
            (train, data.y_train[rows.train]),
            (held, data.y_train[rows.validation]),
            len(data.classes),
            seed,
            runtime,
            done,
            Clock(),
            lambda epoch: None,
        )
        # Test labels can be opened once of each data set that was read.
        again = prepare("cifar10", None)
        found[name].append(evaluation.test_metrics(predict(upper, test), again).accuracy)
        return mean(epoch.seconds for epoch in done.epochs)

    taken = alternate({name: partial(seconds, name) for name in TYPES}, rounds)
    sides = [Side(name, taken[name], IMAGES, "image") for name in TYPES]
    for side in sides:
        side.notes = {
            "test accuracy": f"{mean(found[side.name]):.4f}",
            "MB kept": round(kept[side.name] / 1e6, 1),
        }
    whole, half = (found[name] for name in TYPES)
    sides[1].notes["points above float32"] = gained(half, whole)
    question = f"What do {arm.name}'s maps lose as float16, on {IMAGES:,} images?"
    return result("storage", question, sides, [ratio(*sides)])
