"""Real data sets through TensorFlow Datasets: the only file that imports it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.core.errors import ComparisonError, first_line
from comparisons.data.dataset import Arrays


def read(folder: Path) -> Arrays:
    """Decode a local TFDS copy, never touching the network.

    Raises ComparisonError for files that cannot be read.
    """
    tfds = _tfds()
    try:
        builder = tfds.builder_from_directory(folder)
        x_train, y_train = _decoded(tfds, builder, "train")
        x_test, y_test = _decoded(tfds, builder, "test")
        classes = tuple(builder.info.features["label"].names)
    except Exception as error:
        raise ComparisonError(
            f"the data in {folder} cannot be read ({first_line(error)}); "
            "delete that folder to fetch it again"
        ) from None
    return Arrays(x_train, y_train, x_test, y_test, classes)


def download(name: str, root: Path) -> None:
    """Fetch a data set into `root` with TFDS. Raises ComparisonError when that fails."""
    tfds = _tfds()
    try:
        # TFDS draws its own progress bars; the terminal belongs to the comparison's display.
        with contextlib.redirect_stdout(io.StringIO()):
            tfds.builder(name, data_dir=root).download_and_prepare()
    except Exception as error:
        raise ComparisonError(
            f"{name} could not be downloaded ({first_line(error)}); put a TFDS copy under "
            f"{root}/{name}, or name its folder by --data-dir or TFDS_DATA_DIR"
        ) from None


def _decoded(tfds: Any, builder: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 and labels int64 in the order of the files, decoded on every core."""
    import tensorflow as tf

    # TFDS itself decodes one image after the other.
    encoded = builder.as_dataset(
        split=split, shuffle_files=False, decoders={"image": tfds.decode.SkipDecoding()}
    )
    channels = builder.info.features["image"].shape[-1]

    def decode(example: Any) -> tuple[Any, Any]:
        return tf.io.decode_png(example["image"], channels=channels), example["label"]

    batches = encoded.map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(1000)
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels).astype(np.int64)


def _tfds() -> Any:
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ComparisonError(
            f"reading real data sets needs tensorflow and tensorflow-datasets ({error}); "
            "without them use --data shapes or --data FILE.npz"
        ) from None
    tfds.disable_progress_bar()
    return tfds
