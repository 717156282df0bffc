"""Engines: what computes the features of a frozen base. All agree with Keras, or are not used."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Extract = Callable[[np.ndarray], np.ndarray]

TOLERANCE = 1e-3
CHECKED = 32  # images that an engine is compared with Keras on
# Images that go through at once: small batches stay in a processor's caches. Measured by
# `python -m comparisons.benchmarks batches`.
BATCHES = {"keras": 256, "tensorflow": 64, "openvino": 8}


def keras_steps(backbone: Any, cores: int = 1, size: int = BATCHES["keras"]) -> Extract:
    """Keras's own step of prediction: every backend and device; the reference for the others."""
    from models.prediction import predict

    return lambda images: predict(backbone, images, size)


def tensorflow_graph(backbone: Any, cores: int = 1, size: int = BATCHES["tensorflow"]) -> Extract:
    """One TensorFlow graph with the weights folded in as constants."""
    import tensorflow as tf

    graph = _constant(backbone)

    def extract(images: np.ndarray) -> np.ndarray:
        parts = [
            graph(tf.constant(images[start : start + size]))[0].numpy()
            for start in range(0, len(images), size)
        ]
        return np.concatenate(parts).astype(np.float32)

    return extract


def openvino(backbone: Any, cores: int = 1, size: int = BATCHES["openvino"]) -> Extract:
    """OpenVINO's compiler for CPUs, from TensorFlow's graph; a batch on each core at once."""
    import openvino as ov

    from models.resizing import as_products

    model = read_by_openvino(backbone)
    model.reshape([size, *backbone.input_shape[1:]])
    as_products(model)
    # bfloat16, where the hardware offers it, is not exact enough for features.
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": str(cores),
    }
    compiled = ov.Core().compile_model(model, "CPU", settings)
    # While one batch is computed the next is handed over, so that no core waits for Python.
    queue = ov.AsyncInferQueue(compiled, 2 * cores)
    width = backbone.output_shape[1:]

    def extract(images: np.ndarray) -> np.ndarray:
        features = np.empty((len(images), *width), np.float32)

        def collect(request: Any, start: int) -> None:
            count = min(size, len(images) - start)
            features[start : start + count] = request.get_output_tensor(0).data[:count]

        queue.set_callback(collect)
        for start in range(0, len(images), size):
            batch = images[start : start + size]
            if len(batch) < size:
                # The compiled program has one batch size: fill up with copies, drop them above.
                batch = np.concatenate([batch, np.repeat(batch[-1:], size - len(batch), 0)])
            queue.start_async({0: batch}, start)
        queue.wait_all()
        return features

    return extract


def read_by_openvino(backbone: Any) -> Any:
    """A network as OpenVINO's model, of images of any number, from TensorFlow's graph."""
    import openvino as ov

    with tempfile.TemporaryDirectory() as folder:
        # OpenVINO's converter in Python makes the same of it, but takes a second more, and
        # reports its use to its makers.
        path = Path(folder) / "graph.pb"
        path.write_bytes(_constant(backbone).graph.as_graph_def().SerializeToString())
        return ov.Core().read_model(path)


def _constant(backbone: Any) -> Any:
    """A network as a function of TensorFlow, of images of any number, its weights constants."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    images = tf.TensorSpec([None, *backbone.input_shape[1:]], tf.uint8)
    traced = tf.function(lambda x: backbone(x, training=False)).get_concrete_function(images)
    return convert_variables_to_constants_v2(traced)


ENGINES: dict[str, Callable[..., Extract]] = {
    "openvino": openvino,
    "tensorflow": tensorflow_graph,
    "keras": keras_steps,
}


class EngineRefused(Exception):
    """An engine failed or disagreed with Keras; the message is a line for the record."""


def checked(name: str, backbone: Any, first: np.ndarray, cores: int = 1) -> Extract:
    """An engine whose features of a `first` batch of images agree with Keras's.

    Raises EngineRefused when it fails, or when they differ by more than 1e-3 of the largest.
    """
    if name == "keras":
        return keras_steps(backbone)
    expected = keras_steps(backbone)(first)
    try:
        extract = ENGINES[name](backbone, cores)
        got = extract(first)
    except Exception as error:
        raise EngineRefused(f"engine {name} failed ({_first_line(error)}): Keras instead") from None
    scale = float(np.abs(expected).max()) or 1.0
    difference = float(np.abs(got - expected).max()) / scale
    if not difference <= TOLERANCE:
        raise EngineRefused(
            f"engine {name} differs from Keras by {difference:.1e}, more than {TOLERANCE:g}: "
            "Keras instead"
        )
    return extract


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0][:200]
