"""A data set of the user's own, from one .npz file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from comparisons.core.errors import ComparisonError
from comparisons.data.dataset import ARRAYS


def read(path: Path) -> dict[str, Any]:
    """Read x_train, y_train, x_test, y_test and optionally classes from an .npz file.

    Images are uint8 [n, h, w], [n, h, w, 1] or [n, h, w, 3]; labels whole numbers from 0.
    Raises ComparisonError with one line that says what does not fit.
    """
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays: dict[str, Any] = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise ComparisonError(f"there is no file {path}") from None
    except Exception as error:
        # Damaged archives raise what zipfile, zlib, NumPy or Python's parser happen to raise.
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ComparisonError(f"{path} is not a readable .npz file ({reason})") from None
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise ComparisonError(f"{path} lacks {', '.join(missing)}")
    for part in ("train", "test"):
        arrays[f"x_{part}"] = _images(path, f"x_{part}", arrays[f"x_{part}"])
        arrays[f"y_{part}"] = _labels(path, f"y_{part}", arrays[f"y_{part}"])
        if len(arrays[f"x_{part}"]) != len(arrays[f"y_{part}"]):
            raise ComparisonError(f"{path}: x_{part} and y_{part} differ in length")
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        raise ComparisonError(f"{path}: training and test images differ in shape")
    count = 1 + max(arrays["y_train"].max(), arrays["y_test"].max())
    if "classes" not in arrays and count > len(arrays["y_train"]):
        raise ComparisonError(
            f"{path}: labels run to {count - 1:,}, more than there are training images; number "
            "the classes from 0 on, or name them in `classes`"
        )
    names = np.atleast_1d(arrays.get("classes", np.arange(count))).astype(str)
    if names.ndim != 1 or len(names) < max(count, 2):
        raise ComparisonError(f"{path}: {len(names)} classes named, {max(count, 2)} are needed")
    return {name: arrays[name] for name in ARRAYS} | {"classes": tuple(names.tolist())}


def _images(path: Path, name: str, images: np.ndarray) -> np.ndarray:
    if images.ndim == 3:
        images = images[..., None]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ComparisonError(
            f"{path}: {name} must be uint8 images [n, height, width, 1 or 3], "
            f"not {images.dtype} {list(images.shape)}"
        )
    if len(images) == 0 or min(images.shape[1:3]) < 8:
        raise ComparisonError(f"{path}: {name} needs images of 8x8 pixels or more")
    return images


def _labels(path: Path, name: str, labels: np.ndarray) -> np.ndarray:
    labels = labels.reshape(-1)
    if not np.issubdtype(labels.dtype, np.integer) or (labels < 0).any():
        raise ComparisonError(f"{path}: {name} must be whole numbers from 0")
    return labels.astype(np.int64)
