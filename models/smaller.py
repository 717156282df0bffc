"""A network for smaller images than it was built for, with the same weights."""

from __future__ import annotations

from typing import Any

import keras


def smaller(model: keras.Model, height: int, width: int) -> keras.Model:
    """The same network, its layers shared, for images [n, height, width, c].

    What it gives must not depend on their size. Raises ValueError where it does, or where the
    images are too small for it.
    """
    inputs = keras.Input((height, width, model.input_shape[-1]), dtype=model.input.dtype)
    return _over(model, inputs)


def _over(model: keras.Model, inputs: Any) -> keras.Model:
    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        # A model within a model insists on the shape that it was built for.
        if isinstance(layer, keras.Model) and not isinstance(layer, keras.Sequential):
            return _over(layer, *args).output
        return layer(*args, **kwargs)

    return keras.models.clone_model(
        model, inputs, clone_function=lambda layer: layer, call_function=call
    )
