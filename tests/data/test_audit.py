"""Copies and odd pictures are found, in a folder with some of each and in none without."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import drawn_pictures as drawn
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from comparisons import data
from comparisons.core.audit import Audit
from comparisons.data import audit as looking
from comparisons.data import catalog, pictures
from comparisons.data.dataset import Dataset

SIDE = 48


def looked_at(path: Path) -> tuple[Dataset, Audit]:
    found = data.prepare(str(path), None, image_size=SIDE)
    said = catalog.audit(str(path), SIDE)
    assert said is not None and said.fingerprint == found.fingerprint
    return found, said


def kinds(said: Audit) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for one in said.found:
        found.setdefault(one.kind, []).append([picture.file for picture in one.pictures])
    return found


def test_different_pictures_are_in_no_finding(cache, tmp_path):
    found, said = looked_at(drawn.folder(tmp_path / "p", each=40))
    assert not said.found and not said.left_out
    assert len(np.unique(found.groups)) == 80
    assert said.classes == {"ants": {"train": 40}, "bees": {"train": 40}} and said.used == 80
    assert said.sides.smallest == said.sides.largest == (48, 48)


NEAR = {
    "smaller": lambda image: image.resize((32, 32)),
    "larger": lambda image: image.resize((150, 150), Image.Resampling.BICUBIC),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "softer": lambda image: image.filter(ImageFilter.GaussianBlur(0.7)),
}


@pytest.mark.parametrize("how", NEAR)
def test_near_copies_are_found(cache, tmp_path, how):
    root = drawn.folder(tmp_path / "p", each=5)
    near = NEAR[how](drawn.picture(2, 0, side=96))
    drawn.picture(2, 0, side=96).save(root / "ants" / "first.png")
    near.save(root / "ants" / "near.jpg", quality=75)
    found, said = looked_at(root)
    pairs = kinds(said).pop("alike")
    assert ["ants/first.png", "ants/near.jpg"] in [pair[-2:] for pair in pairs]
    rows = [found.files.index(f"ants/{name}") for name in ("first.png", "near.jpg")]
    assert len(set(found.groups[rows])) == 1


def test_copies_across_classes_and_parts_are_told_apart(cache, tmp_path):
    for part in ("train", "test"):
        for label, name in enumerate(("ants", "bees")):
            folder = tmp_path / "p" / part / name
            folder.mkdir(parents=True)
            for number in range(4):
                drawn.picture(number + 100 * (part == "test"), label).save(folder / f"{number}.png")
    root = tmp_path / "p"
    shutil.copy(root / "train/ants/0.png", root / "train/ants/copy.png")
    shutil.copy(root / "train/ants/1.png", root / "test/ants/leak.png")
    shutil.copy(root / "train/ants/2.png", root / "train/bees/wrong.png")
    _, said = looked_at(root)
    assert kinds(said) == {
        "copies": [["train/ants/0.png", "train/ants/copy.png"]],
        "leaked": [["train/ants/1.png", "test/ants/leak.png"]],
        "mislabelled": [["train/ants/2.png", "train/bees/wrong.png"]],
    }
    assert all(
        picture.thumbnail[:2] == b"\xff\xd8" for one in said.found for picture in one.pictures
    )


def test_pictures_that_are_odd_in_themselves_are_found(cache, tmp_path):
    root = drawn.folder(tmp_path / "p", each=4)
    sharp = drawn.picture(50, side=240)
    odd = {
        "long": sharp.resize((240, 60)),
        "small": drawn.picture(51).resize((20, 20)),
        "dark": ImageEnhance.Brightness(sharp).enhance(0.25),
        "blank": Image.new("RGB", (60, 60), (200, 200, 190)),
        "blurred": drawn.picture(52, side=240).filter(ImageFilter.GaussianBlur(40)),
    }
    for name, image in odd.items():
        image.save(root / "ants" / f"{name}.png")
    found = kinds(looked_at(root)[1])
    assert {
        kind: [file for (file,) in files] for kind, files in found.items() if kind != "alike"
    } == {
        "odd": ["ants/long.png", "ants/small.png"],
        "dark": ["ants/dark.png"],
        "blank": ["ants/blank.png"],
        "blurred": ["ants/blurred.png"],
    }


def test_what_cannot_be_read_is_named_and_nothing_is_changed(cache, tmp_path):
    root = drawn.folder(tmp_path / "p", each=4)
    (root / "ants" / "bad.jpg").write_bytes(b"bad")
    (root / "alone").mkdir()
    drawn.picture(9).save(root / "alone" / "one.png")
    (root / "alone" / "two.png").touch()
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*")}
    found, said = looked_at(root)
    assert {one.file: one.why for one in said.left_out} == {
        "ants/bad.jpg": "not a picture that Pillow reads",
        "alone/one.png": "its class has fewer than 2 pictures that can be read",
        "alone/two.png": "an empty file",
    }
    assert found.classes == ("ants", "bees") and len(found.x_train) == 8
    assert before == {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in root.rglob("*")}


def test_what_no_reader_was_there_for_is_read_once_there_is_one(cache, tmp_path, monkeypatch):
    """As in a format without its reader: any that Pillow has, which is not asked for it."""
    root = drawn.folder(tmp_path / "p", each=4)
    (root / "wasps").mkdir()
    for number in range(3):
        drawn.picture(60 + number).save(root / "wasps" / f"{number}.heic", "jpeg")
    with monkeypatch.context() as without:
        without.setattr(pictures, "_FORMATS", ["PNG"])
        for _ in range(2):
            found, said = looked_at(root)
            assert found.classes == ("ants", "bees")
            assert {one.why for one in said.left_out} == {
                "HEIC needs its reader: pip install 'scratch-or-finetune[heic]'"
            }
        assert told(root) == [], "which is not decoded again and again"
    assert data.describe(str(root), None, SIDE).fingerprint == "", "nor said to be known"
    assert told(root) == ["decoding p (once)"] and told(root) == []
    found, said = looked_at(root)
    assert found.classes == ("ants", "bees", "wasps") and not said.left_out


def told(root: Path) -> list[str]:
    """What is said while a folder is read."""
    lines: list[str] = []
    data.prepare(str(root), None, lines.append, SIDE)
    return lines


def test_what_might_not_be_read_is_read_once_it_may(monkeypatch):
    with tempfile.TemporaryDirectory() as name:
        root = drawn.folder(Path(name) / "p", each=4)
        Path(name).chmod(0o777)
        monkeypatch.setenv("COMPARISONS_CACHE", str(Path(name) / "cache"))
        closed = root / "ants" / "000.png"
        closed.chmod(0)
        if not os.geteuid():
            os.seteuid(65534)  # what root may do all the same is given up
        try:
            _, said = looked_at(root)
            (left,) = said.left_out
            assert (left.file, left.why) == (
                "ants/000.png", "it cannot be read: Permission denied",
            )  # fmt: skip
            assert told(root) == []
        finally:
            os.seteuid(os.getuid())
        closed.chmod(0o644)
        assert told(root) == ["decoding p (once)"] and told(root) == []
        assert looked_at(root)[1].left_out == []


def test_near_copies_among_many_are_those_of_all_pairs():
    generator = np.random.default_rng(0)
    small = generator.integers(0, 256, (300, 32, 32), np.uint8)
    small[200:] = small[:100] // 2 + small[generator.integers(0, 100, 100)] // 2
    small[250:] = np.clip(small[:50].astype(int) + generator.integers(-9, 9, (50, 32, 32)), 0, 255)
    found = {tuple(sorted(pair)) for pair in looking._near(small)}
    bits = looking.hashes(small)
    wanted = {
        (a, b)
        for a in range(300)
        for b in range(a + 1, 300)
        if int(bits[a] ^ bits[b]).bit_count() <= looking.APART
        and looking._alike(small[a][None], small[b][None])[0]
    }
    assert found <= wanted and len(wanted) >= 50
    left, right = np.array(sorted(found)).T
    joined = coo_array((np.ones(len(left)), (left, right)), shape=(300, 300))
    parts = connected_components(joined, directed=False)[1]
    assert all(parts[a] == parts[b] for a, b in wanted)
