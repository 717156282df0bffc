"""A small data set of one's own, as arrays and as a file, whole or spoilt."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.data import Dataset
from comparisons.data.dataset import Arrays


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """The four arrays: 30 and 9 grey images of 8x8 pixels in 3 classes."""
    generator = np.random.default_rng(seed)
    return {
        "x_train": generator.integers(0, 256, (30, 8, 8, 1), np.uint8),
        "y_train": np.arange(30) % 3,
        "x_test": generator.integers(0, 256, (9, 8, 8, 1), np.uint8),
        "y_test": np.arange(9) % 3,
    }


def decoded(seed: int = 0, **changes: Any) -> Arrays:
    """The same as a reader gives them."""
    return Arrays(**(arrays(seed) | {"classes": ("a", "b", "c")} | changes))


def write(folder: Path, name: str = "own.npz", **changes: Any) -> Path:
    """Write a good .npz file with some arrays changed, or left out where None."""
    wanted = arrays() | changes
    with (folder / name).open("wb") as file:
        np.savez(file, **{key: value for key, value in wanted.items() if value is not None})
    return folder / name


def header(shape: tuple[int, ...], dtype: Any = np.uint8) -> bytes:
    """The beginning of an array of that shape, without the array itself."""
    file = io.BytesIO()
    description = np.lib.format.dtype_to_descr(np.dtype(dtype))
    np.lib.format.write_array_header_1_0(
        file, {"shape": shape, "fortran_order": False, "descr": description}
    )
    return file.getvalue()


def put(path: Path, **contents: bytes) -> Path:
    """Replace or add arrays in an .npz file by any bytes."""
    with zipfile.ZipFile(path) as archive:
        whole = {name: archive.read(name) for name in archive.namelist()}
    whole |= {f"{name}.npy": content for name, content in contents.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in whole.items():
            archive.writestr(name, content)
    return path


def same(dataset: Dataset, wanted: dict[str, np.ndarray]) -> bool:
    """Whether a data set has the wanted arrays."""
    got = {
        "x_train": dataset.x_train,
        "y_train": dataset.y_train,
        "x_test": dataset.x_test,
        "y_test": dataset.sealed_test_labels,
    }
    return all((got[name] == wanted[name]).all() for name in wanted)
