"""Real data sets through TensorFlow Datasets: the only file that imports it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.core.errors import ComparisonError, first_line


def read(folder: Path) -> dict[str, Any]:
    """Decode a local TFDS copy, never touching the network.

    Returns x_train, y_train, x_test, y_test (uint8 images, int64 labels) and classes.
    Raises ComparisonError for files that cannot be read.
    """
    tfds = _tfds()
    try:
        builder = tfds.builder_from_directory(folder)
        arrays: dict[str, Any] = {"classes": tuple(builder.info.features["label"].names)}
        for split in ("train", "test"):
            pairs = _decoded(tfds, builder, split)
            arrays[f"x_{split}"] = np.concatenate([images for images, _ in pairs])
            arrays[f"y_{split}"] = np.concatenate([labels for _, labels in pairs]).astype(np.int64)
    except Exception as error:
        raise ComparisonError(
            f"the data in {folder} cannot be read ({first_line(error)}); "
            "delete that folder to fetch it again"
        ) from None
    return arrays


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


def _decoded(tfds: Any, builder: Any, split: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Batches of images and labels in the order of the files, decoded on every core."""
    import tensorflow as tf

    # TFDS itself decodes one image after the other.
    encoded = builder.as_dataset(
        split=split, shuffle_files=False, decoders={"image": tfds.decode.SkipDecoding()}
    )
    channels = builder.info.features["image"].shape[-1]

    def decode(example: dict[str, Any]) -> tuple[Any, Any]:
        return tf.io.decode_png(example["image"], channels=channels), example["label"]

    batches = encoded.map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(1000)
    return list(batches.as_numpy_iterator())


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
