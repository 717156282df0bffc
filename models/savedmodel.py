"""A SavedModel, from TensorFlow Hub or a folder, as a frozen layer. TensorFlow backend only.

`hub.KerasLayer` is made for Keras 2 and fails in Keras 3; loading the SavedModel itself does not.
"""

from __future__ import annotations

import warnings
from functools import cached_property
from pathlib import Path
from typing import Any

import keras

FREE_SIZE = 224  # pixels a side where the SavedModel takes every size
SIGNATURES = ("serving_default", "default", "serve")


class SavedModel(keras.Layer):
    """Images float32 RGB [n, size, size, 3], 0 to 1 -> features or logits float32 [n, d].

    `size` is what its signature asks for. Raises ValueError with one line, which names it as
    `shown`, for a SavedModel that cannot be read or is not from one image to one vector.
    """

    def __init__(self, folder: Path, shown: str) -> None:
        super().__init__(trainable=False, dtype="float32", name="saved_model")
        if keras.backend.backend() != "tensorflow":
            raise ValueError(f"{shown} is a SavedModel, which needs the TensorFlow backend")
        try:
            self.loaded = _hub().load(str(folder))
        except Exception as error:
            first = str(error).splitlines()[0][:200].replace(str(folder), shown)
            raise ValueError(f"{shown} cannot be read as a SavedModel: {first}") from None
        self.function, self.argument, taken = _function(self.loaded, shown)
        self.result, given = _result(self.function)
        if not _is_image(taken) or given is None or given[1] is None:
            raise ValueError(
                f"{shown} is not a base for images: it must take float32 images [n, height, "
                "width, 3] and give one vector [n, d]; it takes "
                f"{', '.join(map(_told, taken))} and gives {_outputs(self.function)}"
            )
        self.size, self.width = taken[0].shape[1] or FREE_SIZE, given[1]

    def call(self, images: Any) -> Any:
        """Run the SavedModel in inference mode."""
        outputs = self.function(**{self.argument: images})
        return outputs[self.result]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """[n, d]."""
        return (input_shape[0], self.width)

    @property
    def weights(self) -> list[Any]:
        """The SavedModel's own variables, so that they are counted and hashed."""
        return list(getattr(self.loaded, "variables", []))

    @cached_property
    def operations(self) -> int:
        """FLOP of convolutions and matrix products for one image, as TensorFlow counts them."""
        import tensorflow as tf
        from tensorflow.python.framework.convert_to_constants import (
            convert_variables_to_constants_v2,
        )

        one = tf.TensorSpec((1, self.size, self.size, 3), tf.float32)
        graph = convert_variables_to_constants_v2(
            tf.function(self.call).get_concrete_function(one)
        ).graph
        counted = tf.compat.v1.profiler.profile(
            graph,
            cmd="op",
            options={
                **tf.compat.v1.profiler.ProfileOptionBuilder.float_operation(),
                "account_type_regexes": ["Conv2D", "DepthwiseConv2dNative", "MatMul"],
                "output": "none",
            },
        )
        return int(counted.total_float_ops)


def fetch(handle: str) -> None:
    """Let TensorFlow Hub download a model into TFHUB_CACHE_DIR. Raises what that raises."""
    _hub().resolve(handle)


def _hub() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources, which says that it is old
        import tensorflow_hub

    return tensorflow_hub


def _function(loaded: Any, shown: str) -> tuple[Any, str, list[Any]]:
    """A signature of a SavedModel, the name of its argument, and what it takes."""
    known = getattr(loaded, "signatures", {})
    for name in SIGNATURES:
        if name in known:
            taken = known[name].structured_input_signature[1]
            return known[name], next(iter(taken), ""), list(taken.values())
    raise ValueError(
        f"{shown} has none of the signatures {', '.join(SIGNATURES)} "
        f"(it has: {', '.join(known) or 'none'})"
    )


def _result(function: Any) -> tuple[str, Any]:
    """The output that is a vector for each image, by name and shape; None where none is."""
    outputs = function.structured_outputs
    vectors = {name: tuple(o.shape) for name, o in outputs.items() if o.shape.rank == 2}
    # Image modules of the older format give their features by this name, among other outputs.
    name = "default" if "default" in vectors else next(iter(vectors), "")
    return name, vectors.get(name) if len(vectors) == 1 or name == "default" else None


def _is_image(taken: list[Any]) -> bool:
    if len(taken) != 1 or taken[0].shape.rank != 4 or taken[0].dtype.name != "float32":
        return False
    count, height, width, channels = taken[0].shape
    return count is None and height == width and channels == 3


def _told(spec: Any) -> str:
    shape = "of any shape" if spec.shape.rank is None else list(spec.shape)
    return f"{spec.dtype.name} {shape}"


def _outputs(function: Any) -> str:
    return ", ".join(_told(one) for one in function.structured_outputs.values())
