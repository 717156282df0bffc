"""Frozen bases with random weights: what these are changes nothing of the time."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any


def frozen(name: str, values: tuple[Any, ...]) -> Any:
    """The backbone of a base for CIFAR-10's images, as one with pretrained weights is built."""
    import keras

    from models import adapt
    from models.catalog import MODELS, with_options

    keras.backend.clear_session()
    model, shape, classes = with_options(MODELS[name], "x".join(map(str, values))), (32, 32, 3), 10
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.weights.h5"
        adapt.save_base(adapt.build(model, shape, classes), path)
        return adapt.build(model, shape, classes, path).backbone


def label(name: str, values: tuple[Any, ...]) -> str:
    """A base with its options: `mobilenet@0.25x128`."""
    return "@".join(filter(None, (name, "x".join(map(str, values)))))
