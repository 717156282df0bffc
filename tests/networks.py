"""Networks, files of weights and SavedModels, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import factory
import h5py
import keras
import numpy as np

from comparisons.data import prepare
from comparisons.plan import arms
from comparisons.plan.runs import Run
from models import adapt, catalog

SHAPE = (32, 32, 3)


def build(name: str, weights: Path | None = None, **change: Any) -> adapt.Network:
    arm = arms.parse(f"{name}:scratch")
    keras.utils.set_random_seed(0)
    return adapt.build(arm.model, SHAPE, 3, weights, adapt.Change(**change))


def through(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What a model computes, without the time of compiling it."""
    return np.asarray(model(images, training=False))


def alike(got: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.abs(got - wanted).max() <= 1e-4 * np.abs(wanted).max())


def published(network: keras.Model, path: Path) -> Path:
    """A file as Keras publishes it: by the order of layers."""
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    return path


def one_run(arm: str, data: Path, **more: Any) -> Run:
    dataset = prepare(str(data), None)
    given = {"data": str(data), "fingerprint": dataset.fingerprint, "command": "test"}
    return factory.planned(arm, 200, epochs=2, engine="keras", **given)


def save_models(folder: Path) -> Path:
    """SavedModels made on the spot: `images`, `words`, `maps` and `grey`."""
    keras.utils.set_random_seed(0)
    images = keras.Input((24, 24, 3))
    maps = keras.layers.Conv2D(6, 5, 3, activation="relu")(images)
    grey, words = keras.Input((24, 24, 1)), keras.Input((10,))
    pool = keras.layers.GlobalAveragePooling2D
    for name, inputs, outputs in (
        ("images", images, pool()(maps)),
        ("maps", images, maps),
        ("grey", grey, pool()(grey)),
        ("words", words, keras.layers.Dense(4)(words)),
    ):
        keras.Model(inputs, outputs).export(str(folder / name), verbose=False)
    return folder


def save_bases(folder: Path) -> Path:
    """Bases of random weights with cards as `comparisons.pretrain` writes them."""
    for name in ("tiny", "cnn", "mobilenet@0.25x32"):
        adapt.save_base(build(name), folder / f"{name}.weights.h5")
        card = json.loads((catalog.BUNDLED / "tiny.json").read_text()) | {"model": name}
        (folder / f"{name}.json").write_text(json.dumps(card))
    return folder


def damaged(good: bytes) -> dict[str, tuple[bytes | None, str]]:
    """Files that are no weights, each with what is said of it; None stands for a folder."""
    half = good[: len(good) // 2]
    return {
        "empty": (b"", "is empty"),
        "a folder": (None, "is a folder, not a file of weights"),
        "cut short": (half, "is no file of weights, or not all of one"),
        "garbage": (bytes(range(256)) * 40, "is no file of weights, or not all of one"),
        "a page": (b"<html>Sign in</html>", "is no file of weights, or not all of one"),
    }


def put(content: bytes | None, path: Path) -> Path:
    """Write a file, or make a folder of that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    return path
