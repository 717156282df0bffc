"""A few test images kept beside the records, so that a page can show what each arm answered.

Which ones is a matter of labels and a fixed seed: no result can have chosen them. Beside these lie
some that results did choose: disputed, mistaken, confused (comparisons.findings.mistakes), and of
some mistakes where the kept model looked.
"""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from comparisons.core.errors import printable
from comparisons.core.files import remove, write_with

COUNT = 10
ON_SHOW = 12  # held-out images that people look at while networks learn
SIDE = 96  # pixels, the longest of an image that is kept
MOST_BYTES = 10_000_000  # of a file that is read: ten images of SIDE have a hundredth of it
SEED = 0
SMALL = 48  # pixels a side up to which a page has a picture as it is
QUALITY = 90  # of larger ones, as JPEG


@dataclass(frozen=True)
class Samples:
    """Images uint8 [n, h, w, c], their labels [n], and their rows in the test set [n].

    `files` are the names of the n files that they came from, where there were any; `suspects` rows
    [m] of all test images that probably have a wrong label, the worst first.
    """

    rows: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    files: tuple[str, ...] = ()
    suspects: tuple[int, ...] = ()

    def some(self, places: np.ndarray) -> Samples:
        """Those at some places, int [n]."""
        files = tuple(self.files[place] for place in places) if self.files else ()
        some = self.rows[places], self.labels[places], self.images[places]
        return Samples(*some, files, self.suspects)


def choose(labels: np.ndarray, count: int = COUNT) -> np.ndarray:
    """Rows of at most `count` images, int64 [n], drawn by SEED: as many of each class as can be."""
    generator = np.random.default_rng(SEED)
    order = generator.permutation(len(labels))
    classes = generator.permutation(np.unique(labels))
    by_class = [order[labels[order] == label] for label in classes]
    longest = max(map(len, by_class), default=0)
    turns = [rows[i] for i in range(longest) for rows in by_class if i < len(rows)]
    return np.array(turns[:count], np.int64)


def tested(
    images: np.ndarray,
    labels: np.ndarray,
    files: Sequence[str] = (),
    suspects: Sequence[int] = (),
) -> Samples:
    """A whole test set, to keep some of."""
    return Samples(np.arange(len(labels)), labels, images, tuple(files), tuple(suspects))


def keep(folder: Path, fingerprint: str, whole: Samples, seed: int | None = None) -> None:
    """Write the samples of a test set, unless they are there already and whole. Raises OSError.

    `seed` is whose test set it is, where each has its own: that may have changed since, so what is
    there is written anew. Opens the test labels, so it is for after the last run.
    """
    if seed is None and read(folder, fingerprint):
        return
    _write(_path(folder, fingerprint, seed), whole.some(choose(whole.labels)))


def keep_chosen(
    folder: Path, fingerprint: str, whole: Samples, rows: np.ndarray, seed: int | None = None
) -> None:
    """Write those rows of a test set that results chose, in place of others. Raises OSError."""
    path = _path(folder, fingerprint, seed, chosen=True)
    if len(rows):
        _write(path, whole.some(rows))
    else:
        path.unlink(missing_ok=True)


def read(
    folder: Path, fingerprint: str, seed: int | None = None, chosen: bool = False
) -> Samples | None:
    """The samples of a test set under `folder`; None where there are none that can be used."""
    return _read(_path(folder, fingerprint, seed, chosen))


def keep_looked(folder: Path, record: str, lit: Samples) -> None:
    """Write where the network of a record looked, in place of any other's. Raises OSError.

    The images are as models.gradcam lights them, the labels the classes that it called them.
    """
    remove_looked(folder)
    _write(_looked(folder, record), lit)


def remove_looked(folder: Path) -> None:
    """Take away where a network looked that is no longer kept."""
    for path in folder.glob("images/*-looked.npz"):
        remove(path)


def read_looked(folder: Path, record: str) -> Samples | None:
    """Where the network of a record looked; None where that is not kept."""
    return _read(_looked(folder, record))


def _looked(folder: Path, record: str) -> Path:
    return folder / "images" / f"{Path(record).name}-looked.npz"


def _read(path: Path) -> Samples | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        with zipfile.ZipFile(path) as packed:
            if sum(one.file_size for one in packed.infolist()) > MOST_BYTES:
                return None
        with np.load(path, allow_pickle=False) as arrays:
            kept = dict(arrays)
        files = kept.get("files", np.array([], "U"))
        suspects = kept.get("suspects", np.array([], np.int64))
        found = Samples(
            kept["rows"],
            kept["labels"],
            kept["images"],
            tuple(files.tolist()),
            tuple(suspects.tolist()),
        )
    except Exception:
        # A damaged header is read by Python's own parser, which may raise nearly anything.
        return None
    n = len(found.rows) if found.rows.ndim == 1 else 0
    whole = [a.dtype.kind in "iu" and a.shape == (n,) for a in (found.rows, found.labels)]
    pictures = found.images.dtype == np.uint8 and found.images.ndim == 4
    named = files.dtype.kind == "U" and files.shape in ((0,), (n,))
    doubted = suspects.dtype.kind == "i" and suspects.ndim == 1
    if not (n and all(whole) and pictures and len(found.images) == n and named and doubted):
        return None
    return found if found.images.shape[3] in (1, 3) and found.images.size else None


def _path(folder: Path, fingerprint: str, seed: int | None, chosen: bool = False) -> Path:
    name = Path(fingerprint).name or "unknown"
    whose = "" if seed is None else f"-s{seed}"
    return folder / "images" / f"{name}{whose}{'-chosen' if chosen else ''}.npz"


def _write(path: Path, found: Samples) -> None:
    images = np.stack([_small(image) for image in found.images])
    files = np.array([printable(name) for name in found.files], "U")
    suspects = np.array(found.suspects, np.int64)
    write_with(
        path,
        lambda file: np.savez(
            file,
            rows=found.rows,
            labels=found.labels,
            images=images,
            files=files,
            suspects=suspects,
        ),
    )


def _small(image: np.ndarray) -> np.ndarray:
    """An image of one or three channels with no side longer than SIDE."""
    channels = 3 if image.shape[-1] >= 3 else 1
    image = image[..., :channels]
    scale = SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    picture = Image.fromarray(image if channels == 3 else image[..., 0])
    return np.asarray(picture.resize(size, Image.Resampling.BOX)).reshape(*size[::-1], channels)


def data_uri(image: np.ndarray) -> str:
    """An image uint8 [h, w, c] as a page has it: small ones as they are."""
    picture = Image.fromarray(image if image.shape[-1] == 3 else image[..., 0])
    # A photograph takes a quarter of the bytes as JPEG; of a small picture every pixel is seen.
    kind = "jpeg" if max(image.shape[:2]) > SMALL and image.shape[-1] == 3 else "png"
    file = io.BytesIO()
    picture.save(file, kind, quality=QUALITY)
    return f"data:image/{kind};base64,{b64encode(file.getvalue()).decode()}"
