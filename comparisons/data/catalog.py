"""The table of data sets, and where each is found: local copy, network, drawing, a file."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from comparisons.core import audit as audits
from comparisons.core import cache
from comparisons.core.audit import Audit
from comparisons.core.cache import Entry
from comparisons.core.errors import ComparisonError, unknown
from comparisons.core.files import can_be_named, exists
from comparisons.core.records import data_name
from comparisons.data import dataset, folder, kept, listing, npz, shapes
from comparisons.data.dataset import Arrays, Dataset
from comparisons.data.kept import About

# Raise when the decoding or drawing changes: kept copies of older versions are not used.
DECODING = 1


@dataclass(frozen=True)
class Row:
    """A row of the table: the published sizes of train and test, classes, and the host it is from.

    `mirrors` says that an image means the same in a mirror.
    """

    name: str
    sentence: str
    sizes: tuple[int, int]
    classes: int
    host: str = ""
    megabytes: int = 0
    mirrors: bool = True


DATASETS = {
    row.name: row
    for row in (
        Row(
            "cifar10",
            "CIFAR-10: 60,000 photographs of 32x32 pixels in 10 classes",
            (50_000, 10_000),
            10,
            host="www.cs.toronto.edu",
            megabytes=162,
        ),
        Row(
            "cifar100",
            "CIFAR-100: the same size and number, in 100 classes",
            (50_000, 10_000),
            100,
            host="www.cs.toronto.edu",
            megabytes=160,
        ),
        Row(
            "mnist",
            "MNIST: 70,000 handwritten digits of 28x28 pixels",
            (60_000, 10_000),
            10,
            host="storage.googleapis.com",
            megabytes=11,
            mirrors=False,
        ),
        Row(
            "shapes",
            "drawn shapes of 32x32 pixels in 10 classes; built in, needs no network",
            shapes.SIZES["target"],
            10,
        ),
        Row(
            "shapes-source",
            "20 other drawn shapes, on which the bundled base `tiny` was pretrained",
            shapes.SIZES["source"],
            20,
        ),
    )
}
REAL = tuple(name for name, row in DATASETS.items() if row.host)
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


def must_be_known(name: str, *more: str) -> None:
    """Raise ComparisonError for what is no data set, .npz file, folder, and none of `more`."""
    known = (*more, *DATASETS)
    if name in known:
        return
    if can_be_named(name) and (name.endswith(".npz") or is_folder(name)):
        return
    if name and exists(Path(name)):
        raise ComparisonError(
            f"--data {name}: such a file is not read; give a folder of pictures, a .csv that "
            f"names some, an .npz file that holds {' '.join(dataset.ARRAYS)}, or one of "
            f"{', '.join(known)}"
        )
    raise unknown("data set", name, [*known, "FILE.npz", "FOLDER"])


def is_folder(name: str) -> bool:
    """Whether a name means a folder of pictures, or a CSV that names some."""
    return name not in DATASETS and not name.endswith(".npz") and listing.is_folder(name)


def must_lie_outside(name: str, folder: Path | None, called: str = "--out") -> None:
    """Raise ComparisonError for a folder to write to that lies within a folder of pictures.

    Of a CSV these are the folders that hold pictures which it names, wherever it lies itself.
    """
    if folder is None or not is_folder(name):
        return
    whole = folder.resolve()
    for place in listing.places(Path(name)):
        if whole.is_relative_to(place.resolve()):
            raise ComparisonError(
                f"{called} {folder} lies within {place}, where nothing is ever changed: name "
                "another, or start this elsewhere"
            )


def describe(name: str, data_dir: Path | None, image_size: int | None = None) -> About | None:
    """What is known of a data set without reading its images; None where that is nothing.

    Of a file or folder that was never decoded the fingerprint is empty, and any file of a folder
    is taken to be a picture. Raises ComparisonError.
    """
    must_be_known(name)
    entry = _entry(name, data_dir, image_size)
    known = None if _outdated(name, entry, image_size) else kept.about_kept(entry.folder)
    if known is None and is_folder(name):
        return folder.outline(Path(name), _side(image_size))
    if known is None and name not in DATASETS:
        found = npz.outline(Path(name))
        return About(
            name=data_name(name),
            classes=found.classes,
            synthetic=False,
            complete=True,
            note=found.note,
            fingerprint="",
            train=found.train,
            test=found.test,
            image_shape=found.image_shape,
        )
    return known


def at_hand(name: str, image_size: int | None) -> Dataset | None:
    """A folder of pictures by its kept copy; None where nothing is kept, and of other data sets.

    Raises ComparisonError.
    """
    if not is_folder(name):
        return None
    entry = _entry(name, None, image_size)
    return None if _outdated(name, entry, image_size) else kept.load_kept(entry.folder)


def is_decoded(name: str, data_dir: Path | None, image_size: int | None = None) -> bool:
    """Whether a data set can be loaded without decoding or drawing it."""
    entry = _entry(name, data_dir, image_size)
    return kept.about_kept(entry.folder) is not None and not _outdated(name, entry, image_size)


def prepare(
    name: str,
    data_dir: Path | None,
    say: Callable[[str], None] = lambda line: None,
    image_size: int | None = None,
) -> Dataset:
    """Load a data set, decoding or drawing it only when no good kept copy exists.

    `name` is a row of DATASETS or the path of an .npz file, of a folder of pictures or of a CSV
    that names some, which are made `image_size` pixels a side. A real data set without a local
    copy is downloaded by TFDS. Raises ComparisonError with what is missing and where to put it.
    """
    must_be_known(name)
    if name in REAL and local_copy(name, data_dir) is None:
        from comparisons.data import tfds_reader

        say(f"downloading {name} ({DATASETS[name].megabytes} MB)")
        tfds_reader.download(name, data_root(data_dir))
    entry = _entry(name, data_dir, image_size)
    held = entry.use()
    if _outdated(name, entry, image_size):
        kept.forget(entry.folder)

    def read(part: Path) -> Arrays:
        return _read(name, data_dir, part, _side(image_size), say)

    found = kept.load_kept(entry.folder) or _decoded(name, entry, read, say)
    found.held = held
    return found


def audit(name: str, image_size: int | None = None) -> Audit | None:
    """What was seen in a folder of pictures when it was decoded; None of any other data set."""
    return audits.read(_entry(name, None, image_size).folder) if is_folder(name) else None


def _outdated(name: str, entry: Entry, image_size: int | None) -> bool:
    """Whether more of a folder's pictures can be read now than when its copy was kept."""
    return is_folder(name) and folder.outdated(Path(name), _side(image_size), entry.folder)


def _side(image_size: int | None) -> int:
    return image_size or folder.USUAL_SIDE


def _decoded(
    name: str, entry: Entry, read: Callable[[Path], Arrays], say: Callable[[str], None]
) -> Dataset:
    """Decode a data set into its entry of the cache, unless another process just did."""
    try:
        with entry.alone():
            found = kept.load_kept(entry.folder)
            if found is None:
                say(f"decoding {data_name(name)} (once)")
                with kept.keeping(entry.folder) as part:
                    arrays = read(part)
                    kept.write(part, arrays, _about(name, arrays))
    except OSError as error:
        cache.check()
        raise ComparisonError(
            f"cannot keep the decoded data under {entry.folder.parent}: "
            f"{error.strerror or error}; free some space or set COMPARISONS_CACHE to another "
            "folder",
            exit_code=1,
        ) from None
    found = found or kept.load_kept(entry.folder)
    if found is None:
        raise ComparisonError(
            f"the decoded data under {entry.folder} cannot be read back", exit_code=1
        )
    return found


def _read(
    name: str, data_dir: Path | None, part: Path, side: int, say: Callable[[str], None]
) -> Arrays:
    if name in DRAWN:
        return Arrays(**shapes.make(DRAWN[name]))  # type: ignore[arg-type]
    if is_folder(name):
        return folder.read(Path(name), side, part, say)
    if name not in REAL:
        return npz.read(Path(name))
    from comparisons.data import tfds_reader

    copy = local_copy(name, data_dir)
    assert copy is not None
    return tfds_reader.read(copy)


def _about(name: str, arrays: Arrays) -> About:
    """What a record says of a data set; whether it is all that was published."""
    sizes = len(arrays.y_train), len(arrays.y_test)
    published = DATASETS[name].sizes if name in DATASETS else sizes
    whole = sizes[0] >= published[0] and sizes[1] >= published[1]
    if not whole:
        part = (
            f"{name} here is not whole: {sizes[0]:,} of {published[0]:,} training and "
            f"{sizes[1]:,} of {published[1]:,} test images; no figure here is a {name} result"
        )
        arrays = replace(arrays, note=part)
    return kept.about(arrays, data_name(name), synthetic=name in DRAWN, complete=whole)


def _entry(name: str, data_dir: Path | None, image_size: int | None = None) -> Entry:
    """Where the decoded copy lies; another place when the source files change.

    Raises ComparisonError for a file that is not there.
    """
    files: list[Path] = []
    if name in DRAWN:
        files = [Path(shapes.__file__)]
    elif name in REAL:
        copy = local_copy(name, data_dir)
        files = sorted(copy.iterdir()) if copy else []
    elif not is_folder(name):
        files = [npz.found(Path(name)).resolve()]
    digest = hashlib.blake2b(os.fsencode(f"{DECODING} {name}"), digest_size=6)
    for path in files:
        if name in DRAWN:
            digest.update(path.read_bytes())
        elif path.is_file():
            status = path.stat()
            digest.update(os.fsencode(f"{path.name} {status.st_size} {status.st_mtime_ns}"))
        else:
            digest.update(os.fsencode(path))
    if is_folder(name):
        digest.update(f"{folder.RULES} {_side(image_size)}".encode())
        for file in listing.listing(Path(name)).files:
            digest.update(repr(file).encode())
    elif name not in DATASETS:
        digest.update(f"{npz.RULES}".encode())
    stem = name if name in DATASETS else re.sub(r"[^A-Za-z0-9_-]+", "-", Path(name).stem)[:40]
    return cache.entry("data", f"{stem}-{digest.hexdigest()}")
