"""Published weights, fetched aside, checked, and only then moved to where they are looked for.

Whenever this is killed, nothing half fetched lies there. Imports no framework by itself.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from filelock import FileLock

from models.catalog import Model, weights_address, weights_file


def fetch(model: Model) -> None:
    """Download the published weights of a model to `catalog.weights_file`.

    To be called in a process that has not loaded Keras yet, whose home it moves. Raises OSError
    for what cannot be fetched or written, or is not what it should be.
    """
    if model.application is None:
        from models import savedmodel

        savedmodel.fetch(str(model.place))  # TensorFlow Hub does all of this by itself
        return
    file = weights_file(model)
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".fetching-{file.name}")
    # One process fetches; a second one waits, and then finds the file there.
    with FileLock(file.with_name(f".{file.name}.lock")):
        if file.exists():
            return
        shutil.rmtree(aside, ignore_errors=True)  # what a kill left
        aside.mkdir()
        try:
            _let_keras_fetch(model, aside / "models" / file.name, aside)
            (aside / "models" / file.name).replace(file)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _let_keras_fetch(model: Model, file: Path, home: Path) -> None:
    """Let Keras fetch a file into a home of its own, where it also reads it into its network.

    It knows the checksums of most of them.
    """
    usual = os.environ.pop("KERAS_HOME", None)
    os.environ["KERAS_HOME"] = str(home)  # which Keras reads as it is loaded
    import keras

    del os.environ["KERAS_HOME"]
    if usual is not None:
        os.environ["KERAS_HOME"] = usual
    assert model.application is not None
    build = getattr(keras.applications, model.application.function)
    own = {name: value for name, value in model.options if name != "size"}
    try:
        # At the size that Keras takes by itself: the file is the same for every other.
        build(include_top=False, weights="imagenet", **own)
    except Exception as error:
        address = weights_address(model)
        if file.exists():
            raise OSError(f"what {address} gives is not the weights of {model.name}") from None
        raise OSError(f"{address} could not be fetched ({error})") from None
