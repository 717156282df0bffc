"""A frozen base: the features computed once, against plain `fit` that computes them every epoch.

Like is compared with like: what the epochs take, validation included. For plain `fit` that is
`fit` itself; here it is extraction, training and evaluation. Reading data, imports, compilation,
the test images' features and the page are apart on both sides, and are in the sides that time
whole processes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from comparisons.benchmarks.measure import Result, Side, alternate, gained, ratio, result
from comparisons.benchmarks.training import apart, command
from comparisons.benchmarks.waits import noted, without_waits, working
from comparisons.core.machine import cores
from comparisons.core.records import Record

ROUNDS = 5
SIZE, ALPHA, EPOCHS = 160, 0.25, 10
ARM = f"mobilenet@{ALPHA}x{SIZE}:frozen"
BATCH = 32
# Images of an epoch that are trained on, and validated on: all of them, and as many as are timed
# of plain `fit`, which takes a quarter of an hour. These fill their batches, nine to one as all do.
WHOLE = (45_000, 5_000)
PART = (9_216, 1_024)

PLAIN, COLD, WARM = "plain fit", "frozen here, cold", "frozen here, warm"


def run(rounds: int) -> Result:
    """Every round has a seed of its own, and a cache that holds decoded data but no features."""
    ours: dict[str, list[tuple[Record, float]]] = {COLD: [], WARM: []}
    waited: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        apart(_decode, folder)

        def here() -> float:
            seed = len(ours[COLD])
            shutil.rmtree(cache / "features", ignore_errors=True)
            for name in (COLD, WARM):  # in this order: the second finds what the first has kept
                ours[name].append(_here(seed, folder))
            return charged(ours[COLD][-1][0], True)

        plain_fit = working(partial(apart, plain_seconds), waited, scaled(1.0))
        taken = alternate({PLAIN: plain_fit, COLD: here}, rounds)
    plain = Side(PLAIN, taken[PLAIN])
    cold, warm = (
        Side(name, [charged(record, name == COLD) for record, _ in ours[name]]) for name in ours
    )
    whole = [
        Side(f"{name}, start to page", [seconds for _, seconds in ours[name]]) for name in ours
    ]
    theirs = apart(plain_accuracy, rounds)
    own = [record.test.accuracy for record, _ in ours[COLD] if record.test]
    plain.notes = {
        "": f"one epoch of {sum(PART):,} of {sum(WHOLE):,} images timed, scaled to {EPOCHS} epochs",
        "test accuracy": f"{mean(theirs):.4f} by the same `fit` on features",
        "left out as waiting": noted(waited),
    }
    cold.notes = {
        "test accuracy": f"{mean(own):.4f}",
        "points above plain fit": gained(own, theirs),
    }
    question = f"How much faster is {ARM} than plain `fit`, for {EPOCHS} epochs of all CIFAR-10?"
    ratios = [ratio(plain, cold), ratio(plain, warm)]
    return result("frozen", question, [plain, cold, warm, *whole], ratios)


def charged(record: Record, cold: bool) -> float:
    """The seconds of a run that plain `fit` has a counterpart to.

    Preparing the engine and the test counts whole, which is to our disadvantage: plain `fit` is
    not charged for the test.
    """
    s = record.seconds
    made = s.extract_train + s.extract_validation + (s.engine_cold if cold else 0.0)
    return made + s.train + s.validate + s.test


def scaled(seconds: float) -> float:
    """What all epochs of all images take, by one epoch of a part of them."""
    return seconds * sum(WHOLE) / sum(PART) * EPOCHS


def plain_seconds() -> tuple[float, float]:
    """One epoch of plain `fit` on a part of the images, with its validation, once compiled.

    The seconds of work, and those of waiting (`benchmarks.waits`).
    """
    import keras

    from comparisons.data import prepare
    from comparisons.training.device import start
    from models.catalog import MODELS, weights_file, with_options

    start("cpu", 0, False)
    data = prepare("cifar10", None)
    # As guides to transfer learning have it: the base is in the model, and stays as it is.
    base = keras.applications.MobileNet(
        (SIZE, SIZE, 3),
        alpha=ALPHA,
        include_top=False,
        weights=str(weights_file(with_options(MODELS["mobilenet"], f"{ALPHA}x{SIZE}"))),
    )
    base.trainable = False
    inputs = keras.Input(data.image_shape)
    x = keras.layers.Resizing(SIZE, SIZE)(inputs)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = base(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, _head(x.shape[1:])(x))
    _compile(model)
    train, held = slice(PART[0]), slice(WHOLE[0], WHOLE[0] + PART[1])

    def epoch(train: slice, held: slice, callbacks: list[Any]) -> None:
        validation = (data.x_train[held], data.y_train[held])
        model.fit(
            data.x_train[train],
            data.y_train[train],
            batch_size=BATCH,
            validation_data=validation,
            callbacks=callbacks,
            verbose=0,
        )

    epoch(slice(BATCH), slice(BATCH), [])
    return without_waits(lambda callbacks: epoch(train, held, callbacks))


def plain_accuracy(seeds: int) -> list[float]:
    """Test accuracy after all epochs of plain `fit` with each seed from 0 on.

    What a frozen base makes of an image is the same in every epoch, so the head is fitted to
    features computed once: but for rounding the numbers are those of a base within the model.
    """
    import keras

    from comparisons.data import prepare, split
    from comparisons.training import evaluation, extraction
    from comparisons.training.device import start
    from models import adapt, engines
    from models.catalog import MODELS, weights_file, with_options

    runtime = start("cpu", 0, False)
    data = prepare("cifar10", None)
    model = with_options(MODELS["mobilenet"], f"{ALPHA}x{SIZE}")
    network = adapt.build(model, data.image_shape, len(data.classes), weights_file(model))
    extract = engines.ENGINES[extraction.choose("auto", runtime)](network.backbone, cores())
    train, test = extract(data.x_train), extract(data.x_test)
    found = []
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        rows = split(data.y_train, seed).train
        head = _head(train.shape[1:])
        _compile(head)
        head.fit(train[rows], data.y_train[rows], batch_size=BATCH, epochs=EPOCHS, verbose=0)
        logits = head.predict(test, verbose=0)
        # Test labels can be opened once of each data set that was read.
        found.append(evaluation.test_metrics(logits, prepare("cifar10", None)).accuracy)
    return found


def _here(seed: int, cache: str) -> tuple[Record, float]:
    flags = ("--data", "cifar10", "--arms", ARM, "--epochs", str(EPOCHS), "--seeds", str(seed))
    (record,), seconds = command(*flags, variables={"COMPARISONS_CACHE": cache})
    return record, seconds


def _decode(cache: str) -> None:
    from comparisons.data import prepare

    os.environ["COMPARISONS_CACHE"] = cache
    prepare("cifar10", None)


def _head(shape: tuple[int, ...]) -> Any:
    """The head of the arm."""
    import keras

    from models.adapt import dense_head

    return keras.Sequential([keras.Input(shape), *dense_head(10)])


def _compile(model: Any) -> None:
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
