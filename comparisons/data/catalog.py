"""The table of data sets, and where each is found: local copy, network, drawing, a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from comparisons.core.errors import ComparisonError, unknown
from comparisons.core.files import cache_folder
from comparisons.data import dataset, shapes
from comparisons.data.dataset import Dataset

# Raise when the decoding or drawing changes: kept copies of older versions are not used.
DECODING = 1


@dataclass(frozen=True)
class Source:
    """A row of the table: the published sizes of train and test, and the host to fetch from."""

    name: str
    sentence: str
    sizes: tuple[int, int]
    host: str = ""
    megabytes: int = 0


SOURCES = {
    row.name: row
    for row in (
        Source(
            "cifar10",
            "CIFAR-10: 60,000 photographs of 32x32 pixels in 10 classes",
            (50_000, 10_000),
            host="www.cs.toronto.edu",
            megabytes=162,
        ),
        Source(
            "cifar100",
            "CIFAR-100: the same size and number, in 100 classes",
            (50_000, 10_000),
            host="www.cs.toronto.edu",
            megabytes=160,
        ),
        Source(
            "mnist",
            "MNIST: 70,000 handwritten digits of 28x28 pixels",
            (60_000, 10_000),
            host="storage.googleapis.com",
            megabytes=11,
        ),
        Source(
            "shapes",
            "drawn shapes of 32x32 pixels in 10 classes; built in, needs no network",
            shapes.SIZES["target"],
        ),
        Source(
            "shapes-source",
            "20 other drawn shapes, on which the bundled base `tiny` was pretrained",
            shapes.SIZES["source"],
        ),
    )
}
REAL = tuple(name for name, row in SOURCES.items() if row.host)
DRAWN = {"shapes": "target", "shapes-source": "source"}
# What a base is first trained on where no other source is named; files of one's own too.
USUAL_SOURCE = {"cifar100": "cifar10", "shapes": "shapes-source"}
OTHER_SOURCE = "cifar100"


def data_root(data_dir: Path | None) -> Path:
    """Where TFDS keeps data: `data_dir`, else TFDS_DATA_DIR, else its default."""
    named = data_dir or os.environ.get("TFDS_DATA_DIR")
    return Path(named) if named else Path.home() / "tensorflow_datasets"


def local_copy(name: str, data_dir: Path | None) -> Path | None:
    """The folder of the newest local TFDS copy of a real data set, or None."""
    found = (data_root(data_dir) / name).glob("*/dataset_info.json")
    versions = sorted(
        (path.parent for path in found),
        key=lambda path: [int(part) if part.isdigit() else 0 for part in path.name.split(".")],
    )
    return versions[-1] if versions else None


def available(name: str, data_dir: Path | None) -> bool:
    """Whether a named data set can be had without the network."""
    return name not in REAL or local_copy(name, data_dir) is not None


def describe(name: str, data_dir: Path | None) -> dict[str, Any] | None:
    """What is known of a data set that was decoded before (see `about_kept`), else None."""
    try:
        return dataset.about_kept(_kept_folder(name, data_dir))
    except OSError:
        return None


def prepare(
    name: str, data_dir: Path | None, say: Callable[[str], None] = lambda line: None
) -> Dataset:
    """Load a data set, decoding or drawing it only when no good kept copy exists.

    `name` is a row of SOURCES or the path of an .npz file. A real data set without a local
    copy is downloaded by TFDS. Raises ComparisonError with what is missing and where to put it.
    """
    if name not in SOURCES and not name.endswith(".npz"):
        raise unknown("data set", name, [*SOURCES, "FILE.npz"])
    if name in REAL and local_copy(name, data_dir) is None:
        from comparisons.data import tfds_reader

        say(f"downloading {name} ({SOURCES[name].megabytes} MB)")
        tfds_reader.download(name, data_root(data_dir))
    folder = _kept_folder(name, data_dir)
    kept = dataset.load_kept(folder)
    if kept is not None:
        return kept
    try:
        locks = cache_folder() / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        # One process decodes; a second one waits, and then finds the copy there.
        with FileLock(locks / f"{folder.name}.lock"):
            kept = dataset.load_kept(folder)
            if kept is not None:
                return kept
            say(f"decoding {Path(name).name} (once)")
            dataset.keep(folder, *_read(name, data_dir))
    except OSError as error:
        raise ComparisonError(
            f"cannot keep the decoded data under {folder.parent}: {error.strerror or error}; "
            "free some space or set COMPARISONS_CACHE to another folder",
            exit_code=1,
        ) from None
    again = dataset.load_kept(folder)
    if again is None:
        raise ComparisonError(f"the decoded data under {folder} cannot be read back", exit_code=1)
    return again


def _read(name: str, data_dir: Path | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays of a data set and what a record says of them."""
    if name in REAL:
        from comparisons.data import tfds_reader

        folder = local_copy(name, data_dir)
        assert folder is not None
        arrays = tfds_reader.read(folder)
    elif name in DRAWN:
        arrays = dict(shapes.make(DRAWN[name]))  # type: ignore[arg-type]
    else:
        from comparisons.data import npz

        arrays = npz.read(Path(name))
    classes = arrays.pop("classes")
    sizes = len(arrays["y_train"]), len(arrays["y_test"])
    published = SOURCES[name].sizes if name in SOURCES else sizes
    whole = sizes[0] >= published[0] and sizes[1] >= published[1]
    note = (
        ""
        if whole
        else f"{name} here is not whole: {sizes[0]:,} of {published[0]:,} training and "
        f"{sizes[1]:,} of {published[1]:,} test images; no figure here is a {name} result"
    )
    about = {
        "name": name if name in SOURCES else Path(name).name,
        "classes": list(classes),
        "synthetic": name in DRAWN,
        "complete": whole,
        "note": note,
    }
    return arrays, about


def _kept_folder(name: str, data_dir: Path | None) -> Path:
    """Where the decoded copy lies; another folder when the source files change."""
    if name in DRAWN:
        files = [Path(shapes.__file__)]
    elif name in REAL:
        folder = local_copy(name, data_dir)
        files = sorted(folder.iterdir()) if folder else []
    else:
        files = [Path(name).resolve()]
    digest = hashlib.blake2b(f"{DECODING} {name}".encode(), digest_size=6)
    for path in files:
        if name in DRAWN:
            digest.update(path.read_bytes())
        elif path.is_file():
            status = path.stat()
            digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}".encode())
        else:
            digest.update(str(path).encode())
    stem = name if name in SOURCES else Path(name).stem
    return cache_folder() / "data" / f"{stem}-{digest.hexdigest()}"
