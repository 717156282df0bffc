"""Pictures of any kind become squares of RGB; what is none is told."""

from __future__ import annotations

import io
import os
import struct
import zlib

import drawn_pictures as drawn
import numpy as np
import pytest
from PIL import Image

from comparisons.data import pictures
from comparisons.data.pictures import NoPicture

SIDE = 32


def decoded(path, image=None, side=SIDE, **how):
    if image is not None:
        image.save(path, **how)
    return pictures.decode(str(path), side)


def flat(mode, value, size=(40, 40)):
    return Image.new(mode, size, value)


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("grey.png", flat("L", 100), (100, 100, 100)),
        ("bits.png", flat("1", 1), (255, 255, 255)),
        ("16.png", Image.fromarray(np.full((40, 40), 0xC8FF, np.uint16)), (200, 200, 200)),
        ("16.tif", Image.fromarray(np.full((40, 40), 0x64FF, np.uint16)), (100, 100, 100)),
        ("alpha.png", flat("RGBA", (10, 20, 30, 0)), (255, 255, 255)),
        ("half.png", flat("LA", (0, 128)), (127, 127, 127)),
        ("palette.gif", flat("RGB", (255, 0, 0)).convert("P"), (255, 0, 0)),
        ("inks.tif", flat("CMYK", (0, 255, 255, 0)), (255, 0, 0)),
        ("modern.webp", flat("RGB", (0, 0, 255)), (0, 0, 255)),
        ("photo.jpg", flat("RGB", (200, 100, 50), (4000, 300)), (200, 100, 50)),
    ],
)
def test_every_kind_of_picture_becomes_rgb(tmp_path, name, image, expected):
    found, seen = decoded(tmp_path / name, image)
    assert found.shape == (SIDE, SIDE, 3) and found.dtype == np.uint8
    assert np.abs(found.reshape(-1, 3).mean(axis=0) - expected).max() < 4
    assert (seen.width, seen.height) == image.size


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_pictures_are_turned_as_exif_says(tmp_path, orientation, ending):
    """Stored turned and marked so, a picture is the same as the upright one."""
    upright = np.zeros((64, 64, 3), np.uint8)
    upright[:16], upright[:, :16] = (255, 0, 0), (0, 0, 255)
    back = {2: [1], 3: [1, 0], 4: [0], 5: "t", 6: "l", 7: "a", 8: "r"}.get(orientation)
    stored = upright
    if isinstance(back, list):
        stored = np.flip(upright, axis=back)
    elif back:
        turned = {"t": 0, "l": 1, "a": 2, "r": 3}[back]
        stored = np.rot90(upright, turned) if back in "lr" else upright.swapaxes(0, 1)
        stored = np.rot90(stored, 2) if back == "a" else stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{ending}"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, quality=95)
    found, _ = decoded(path, side=64)
    assert np.abs(found.astype(int) - upright).mean() < 5


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims to be so large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0"))


def half(ending):
    content = io.BytesIO()
    drawn.picture(0, side=96).save(content, ending)
    return content.getvalue()[: len(content.getvalue()) // 2]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("empty.jpg", b"", "an empty file"),
        ("text.jpg", b"no picture at all", "not a picture"),
        ("huge.png", bomb(50_000, 50_000), "more pixels than Pillow"),
        ("large.png", bomb(10_000, 10_000), "100 million pixels"),
        ("half.jpg", half("jpeg"), "cannot be read: image file is truncated"),
        ("half.png", half("png"), "truncated|damaged|broken"),
        ("phone.heic", b"\0\0\0\x18ftypheic" + b"\0" * 40, r"scratch-or-finetune\[heic\]"),
        ("program.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
@pytest.mark.filterwarnings("ignore")  # as `read` does
def test_what_is_no_picture_is_told_in_a_few_words(tmp_path, name, content, why):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NoPicture, match=why):
        decoded(tmp_path / name)


def test_fractions_are_no_picture(tmp_path):
    with pytest.raises(NoPicture, match="fractions"):
        decoded(tmp_path / "f.tif", Image.fromarray(np.ones((9, 9), np.float32)))


def test_the_shape_of_things_is_kept_by_cropping_the_middle(tmp_path):
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, 40:80] = 255
    found, _ = decoded(tmp_path / "wide.png", Image.fromarray(wide))
    assert found.min() > 200


def test_any_number_of_pictures_is_decoded_into_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "CHUNK", 3)
    paths, wanted, told = [], [], []
    for number in range(10):
        path = tmp_path / f"{number}.png"
        drawn.picture(number).save(path)
        if number % 4 == 1:
            path.write_bytes(b"damaged")
        else:
            wanted.append(decoded(path)[0])
        paths.append(str(path))
    with (tmp_path / "x.npy").open("wb") as file:
        found = pictures.read(paths, SIDE, file, lambda *done: told.append(done))
    assert [isinstance(one, NoPicture) for one in found] == [n % 4 == 1 for n in range(10)]
    assert np.array_equal(np.load(tmp_path / "x.npy"), wanted)
    assert told == [(3, 10), (6, 10), (9, 10), (10, 10)]


def test_a_picture_that_may_not_be_read_is_told(tmp_path):
    path = tmp_path / "secret.png"
    drawn.picture(0).save(path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("whoever runs this may read everything")
    with pytest.raises(NoPicture, match="cannot be read: Permission denied"):
        decoded(path)
