"""Formats that a kept network is exported to, and what computes the exported file.

TensorFlow backend only. A file is trusted when it answers as the network does, not before: see
models.parity.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

BATCH = 50


@dataclass(frozen=True)
class Format:
    """A row of the table: the file's name, Keras's word for the format, and who computes it.

    `answers`: such a file and uint8 images [n, h, w, c] -> probabilities float32 [n, classes], on
    so many cores.
    """

    file: str
    word: str
    answers: Callable[[Path, np.ndarray, int], np.ndarray]


def export(network: keras.Model, chosen: Format, path: Path) -> None:
    """Write a network to a file. Raises OSError, and whatever the converter raises."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder, _quiet():
        network = _of_one_input(network)
        # Keras exports none that was never called.
        network(np.zeros((1, *network.input_shape[1:]), np.uint8), training=False)
        # Converters look at the ending, and write as they go.
        part = Path(folder) / chosen.file
        network.export(str(part), format=chosen.word, verbose=False)
        part.replace(path)


def onnx_answers(path: Path, images: np.ndarray, cores: int) -> np.ndarray:
    """What ONNX Runtime makes of images."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return _in_batches(images, lambda batch: session.run(None, {given.name: batch})[0])


def tflite_answers(path: Path, images: np.ndarray, cores: int) -> np.ndarray:
    """What TensorFlow Lite's interpreter makes of images."""
    import tensorflow as tf

    with _quiet():
        interpreter = tf.lite.Interpreter(str(path), num_threads=cores)
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()

    def answers(batch: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(given["index"], batch.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], batch)
        interpreter.invoke()
        return interpreter.get_tensor(result["index"])

    return _in_batches(images, answers)


FORMATS = {
    "onnx": Format("model.onnx", "onnx", onnx_answers),
    "tflite": Format("model.tflite", "litert", tflite_answers),
}


def _in_batches(images: np.ndarray, answers: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    parts = [answers(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    return np.concatenate(parts).astype(np.float32, copy=False)


def _of_one_input(network: keras.Model) -> keras.Model:
    """The same network, sharing its layers, without those that would add inputs to an export.

    Keras holds what a Normalization subtracts and divides by as tensors that are no weights.
    TensorFlow counts these among a function's inputs, and tf2onnx among the model's.
    """

    def plain(layer: keras.Operation) -> keras.Operation:
        if isinstance(layer, keras.Model):  # not by `recursive`: in Keras 3.13 it goes one deep
            return keras.models.clone_model(layer, clone_function=plain)
        if not isinstance(layer, layers.Normalization):
            return layer
        mean, deviation = np.ravel(layer.mean), np.sqrt(np.ravel(layer.variance))
        scale = 1 / np.maximum(deviation, keras.config.epsilon())
        return layers.Rescaling(scale.tolist(), (-mean * scale).tolist(), name=layer.name)

    return keras.models.clone_model(network, clone_function=plain)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what converters say: of graphs, of loggers, of TensorFlow Lite's new home."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
