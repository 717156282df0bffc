"""Pictures of any size and format that Pillow reads, made one size: RGB, uint8 [side, side, 3].

Turned as EXIF says; scaled until the shorter side fits and cropped to the middle square, as
pretrained networks were shown pictures. Grey becomes three equal channels, what is transparent
lies on white, of 16 bits the upper 8 are kept, CMYK and palettes are converted by Pillow; of
several frames the first is taken.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from comparisons.core.errors import first_line
from comparisons.core.machine import cores

SMALL = 32  # pixels a side of what pictures are told apart by
MOST_BYTES = 500_000_000  # of a file
MOST_PIXELS = 90_000_000  # of what is decoded, which a draft of a JPEG makes fewer
CHUNK = 256  # pictures that are decoded before they are written
# Each starts a program of its own, or is no picture.
NEVER = {"EPS", "WMF", "GRIB", "BUFR", "HDF5", "MPEG", "FITS", "IPTC"}
HEIC = (".heic", ".heif", ".hif")


class NoPicture(Exception):
    """Why a file is left out, in a few words; `passing` where the file need not change for it."""

    def __init__(self, why: str, passing: bool = False) -> None:
        super().__init__(why)
        self.passing = passing


@dataclass(frozen=True)
class Seen:
    """What is known of a picture once it was decoded.

    `width` and `height` are those of the file, `digest` is of its bytes. Of the picture as it is
    kept, in grey from 0 to 255: `dark`, `bright` are the 1st and 99th percentile of brightness,
    `edges` is the standard deviation of its Laplacian, `small` uint8 [SMALL, SMALL] the means.
    """

    width: int
    height: int
    digest: bytes
    dark: int
    bright: int
    edges: float
    small: np.ndarray


def decode(path: str, side: int) -> tuple[np.ndarray, Seen]:
    """A picture uint8 [side, side, 3] and what is known of it. Raises NoPicture."""
    try:
        content = _content(path)
        with Image.open(io.BytesIO(content), formats=_formats()) as image:
            width, height = image.size
            image.draft(None, (side, side))  # a JPEG is decoded at a half, a quarter or an eighth
            if image.width * image.height > MOST_PIXELS:
                raise NoPicture(f"it has {width * height / 1e6:,.0f} million pixels")
            picture = _square(image, side)
    except NoPicture:
        raise
    except UnidentifiedImageError:
        raise _unknown(path) from None
    except Image.DecompressionBombError:
        raise NoPicture("it has more pixels than Pillow will decode") from None
    except OSError as error:
        # Those of the system have a number, those of Pillow, about what is in the file, have none.
        why = f"it cannot be read: {error.strerror or first_line(error)}"
        raise NoPicture(why, passing=error.errno is not None) from None
    except MemoryError:
        raise NoPicture("it does not fit into memory", passing=True) from None
    except Exception as error:  # damaged files raise whatever their plugin happens to raise
        raise NoPicture(f"it is damaged: {first_line(error)}") from None
    grey = picture.convert("L")
    brightness = np.cumsum(grey.histogram()) / (side * side)
    dark, bright = np.searchsorted(brightness, (0.01, 0.99))
    seen = Seen(
        width,
        height,
        hashlib.sha256(content).digest(),  # which many processors know by themselves
        int(dark),
        int(bright),
        _edges(np.asarray(grey, np.int16)),
        np.asarray(grey.resize((SMALL, SMALL), Image.Resampling.BOX)),
    )
    return np.asarray(picture), seen


def as_input(path: str, shape: tuple[int, int, int]) -> np.ndarray:
    """A picture as a network takes it, uint8 [h, w, c]: as folders are read, then the middle.

    Raises NoPicture.
    """
    height, width, channels = shape
    side = max(height, width)
    picture, _ = decode(path, side)
    top, left = (side - height) // 2, (side - width) // 2
    picture = picture[top : top + height, left : left + width]
    if channels == 1:
        return np.asarray(Image.fromarray(picture).convert("L"))[..., None]
    return picture


def read(
    paths: Sequence[str], side: int, file: IO[bytes], tell: Callable[[int, int], None]
) -> list[Seen | NoPicture]:
    """Decode pictures on every core into an .npy file, uint8 [n, side, side, 3], n those read.

    For each path what is known of its picture, or why it is none. No more than CHUNK pictures are
    ever held. `tell` hears how many of the paths are done. Raises OSError.
    """
    found: list[Seen | NoPicture] = []
    count = 0

    def header() -> None:
        about = {"descr": "|u1", "fortran_order": False, "shape": (count, side, side, 3)}
        np.lib.format.write_array_header_1_0(file, about)

    def one(path: str) -> tuple[np.ndarray, Seen] | NoPicture:
        try:
            return decode(path, side)
        except NoPicture as why:
            return why

    header()  # which leaves room for any number of pictures
    with quiet(), ThreadPoolExecutor(cores()) as threads:
        for begin in range(0, len(paths), CHUNK):
            for result in threads.map(one, paths[begin : begin + CHUNK]):
                if isinstance(result, NoPicture):
                    found.append(result)
                    continue
                picture, seen = result
                file.write(picture.data)
                found.append(seen)
                count += 1
            tell(len(found), len(paths))
    file.seek(0)
    header()
    return found


def size_of(path: str) -> tuple[int, int] | None:
    """Width and height of a picture by its header alone; None where it is none."""
    with suppress(Exception), quiet(), Image.open(path, formats=_formats()) as image:
        return image.size
    return None


def can_be_read(path: str, side: int) -> bool:
    """Whether a file is a picture that can be read now; most that are none are told soon."""
    if size_of(path) is None:
        return False
    with suppress(NoPicture), quiet():
        decode(path, side)
        return True
    return False


def _content(path: str) -> bytes:
    with Path(path).open("rb") as file:
        # As much as there is: room for the most would be made for every picture.
        content = file.read(min(os.fstat(file.fileno()).st_size, MOST_BYTES) + 1)
    if not content:
        raise NoPicture("an empty file")
    if len(content) > MOST_BYTES:
        raise NoPicture(f"it has more than {MOST_BYTES / 1e6:,.0f} MB")
    return content


def _square(image: Image.Image, side: int) -> Image.Image:
    """The middle square of a picture, upright, in RGB."""
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    crop = min(image.size)
    left, top = (image.width - crop) / 2, (image.height - crop) / 2
    box = (left, top, left + crop, top + crop)
    return _rgb(image).resize((side, side), Image.Resampling.BILINEAR, box, reducing_gap=2.0)


def _edges(grey: np.ndarray) -> float:
    """The standard deviation of the Laplacian of brightness [n, n], the border left out."""
    across = grey[1:-1, :-2] + grey[1:-1, 2:]
    down = grey[:-2, 1:-1] + grey[2:, 1:-1]
    return float((across + down - 4 * grey[1:-1, 1:-1]).astype(np.float32).std())


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I;16", "I;16B", "I;16L", "I;16N", "I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise NoPicture("its numbers do not fit 16 bits")
        return Image.fromarray((values >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise NoPicture("its pixels are fractions, whose range nobody states")
    if image.has_transparency_data:
        solid = image.convert("RGBA")
        white = Image.new("RGBA", solid.size, "white")
        return Image.alpha_composite(white, solid).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _formats() -> list[str]:
    """The formats that are read: those of Pillow, and HEIC where its reader is installed."""
    if not _FORMATS:
        with suppress(ImportError):
            import pillow_heif

            pillow_heif.register_heif_opener()
        Image.init()
        _FORMATS.extend(name for name in Image.ID if name not in NEVER)
    return _FORMATS


_FORMATS: list[str] = []


def _unknown(path: str) -> NoPicture:
    if path.lower().endswith(HEIC) and "HEIF" not in _formats():
        return NoPicture(
            "HEIC needs its reader: pip install 'scratch-or-finetune[heic]'", passing=True
        )
    return NoPicture("not a picture that Pillow reads")


@contextmanager
def quiet() -> Iterator[None]:
    """Without Pillow's warnings, such as of large pictures: those that fail are named."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
