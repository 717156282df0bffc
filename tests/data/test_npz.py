"""Files of the user's own: taken, or refused in one line before they are read."""

from __future__ import annotations

import math
import pickle
import zipfile
from pathlib import Path

import numpy as np
import own
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from own import arrays, same

from comparisons import cifar, data
from comparisons.core.errors import ComparisonError
from comparisons.data import dataset
from comparisons.data import npz as npz_reader
from comparisons.running import supplies


def test_a_file_of_ones_own(cache, tmp_path):
    found = data.prepare(str(own.write(tmp_path, classes=np.array(["a", "b", "c", "d"]))), None)
    assert same(found, arrays())
    assert found.classes == ("a", "b", "c", "d")
    assert (found.name, found.synthetic, found.complete) == ("own.npz", False, True)


def test_grey_images_without_channels_and_small_label_types_are_taken(cache, tmp_path):
    plain = arrays()
    path = own.write(
        tmp_path,
        x_train=plain["x_train"][..., 0],
        x_test=plain["x_test"][..., 0],
        y_train=plain["y_train"].astype(np.uint8)[:, None],
    )
    found = data.prepare(str(path), None)
    assert same(found, plain)
    assert found.y_train.dtype == np.int64
    assert found.classes == ("0", "1", "2")


ABC = np.array(["a", "b", "c"])
GREY = np.zeros((30, 8, 8, 1), np.uint8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_train": None}, "lacks x_train"),
        ({"y_test": None, "x_test": None}, "lacks x_test, y_test"),
        ({"x_train": GREY.astype(np.float32)}, "x_train must be uint8 images .* not float32"),
        ({"x_train": GREY.astype(np.int64)}, "x_train must be uint8"),
        ({"x_train": np.zeros((30, 8, 8, 4), np.uint8)}, "1 or 3"),
        ({"x_train": np.zeros((30, 64), np.uint8)}, "x_train must be uint8 images"),
        ({"x_train": np.uint8(3)}, "x_train must be uint8 images"),
        ({"x_train": GREY[:29]}, "x_train and y_train differ in length"),
        ({"y_test": np.arange(8)}, "x_test and y_test differ in length"),
        ({"y_train": np.arange(30) / 2}, "y_train must be whole numbers from 0"),
        ({"y_train": np.arange(30) - 1}, "y_train must be whole numbers from 0"),
        ({"y_train": np.array(["a"] * 30)}, "y_train must be whole numbers from 0"),
        ({"x_train": GREY[:, :7]}, "8x8 pixels or more"),
        ({"x_train": GREY[:0], "y_train": np.arange(0)}, "x_train is empty"),
        ({"x_test": GREY[:0], "y_test": np.arange(0)}, "x_test is empty"),
        ({"x_train": np.zeros((30, 9, 9, 1), np.uint8)}, "differ in shape"),
        ({"classes": np.array(["a", "b"])}, "2 classes named, 3 are needed"),
        ({"classes": np.array("abc")}, "classes"),
        ({"y_train": np.zeros(30, int), "y_test": np.zeros(9, int)}, "2 are needed"),
        ({"y_train": np.zeros(30, int), "classes": ABC}, "y_train has one class alone"),
        ({"x_train": np.array([None] * 30)}, r"must be uint8 images .*, not object \[30\]"),
        ({"y_train": np.array([None] * 30)}, "y_train must be whole numbers from 0"),
        ({"y_train": np.eye(3, dtype=int)[np.arange(30) % 3]}, r"one for each .* int64 \[30, 3\]"),
        ({"y_train": np.full(30, 2**40)}, "labels run to 1,099,511,627,776"),
        ({"y_train": np.full(30, 2**64 - 1)}, "label of 18,446,744,073,709,551,615 names no"),
        ({"y_test": np.full(9, 2**63), "classes": ABC}, "label of 9,223,372,036,854,775,808 names"),
        ({"y_test": np.full(9, 2**63 - 1), "classes": ABC}, "3 classes named"),
        ({"classes": np.array(["a", None, {}])}, "classes must be a list of names, not object"),
        ({"classes": np.eye(3)}, "classes must be a list of names, not float64"),
        ({"classes": np.array([["a", "b", "c"]])}, "classes must be a list of names"),
        ({"classes": np.array(["a", "b", "a"])}, "two classes are named 'a'"),
        ({"classes": np.array([b"a", "b", b"b"])}, "two classes are named 'b'"),
        ({"classes": np.array(["a", "", "c"])}, "class 1 has no name"),
        ({"classes": np.array(["a", "b", " \t"])}, "class 2 has no name"),
        ({"classes": np.array(["a", "b" * 501, "c"])}, "class 1 has more than 500 letters"),
        ({"classes": np.array([b"a", b"\xff\xfe", b"c"])}, "name of class 1 is not UTF-8"),
        ({"classes": np.array(["a", "b", "\udc80"])}, "name of class 2 is not UTF-8"),
        ({"classes": np.full(3, 0x7FFFFFFF).astype("u4").view("<U1")}, "class 0 is not UTF-8"),
    ],
)
def test_errors_of_a_file_are_one_line(cache, tmp_path, changes, words):
    path = own.write(tmp_path, **changes)
    with pytest.raises(ComparisonError, match=words) as error:
        data.prepare(str(path), None)
    assert "own.npz" in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2
    assert not list(cache.glob("data/own*"))


def text(path: Path, good: bytes) -> bytes:
    return b"these are not arrays"


def nothing(path: Path, good: bytes) -> bytes:
    return b""


def half(path: Path, good: bytes) -> bytes:
    return good[: len(good) // 2]


def one_array(path: Path, good: bytes) -> bytes:
    with path.with_suffix(".npy").open("wb") as file:
        np.save(file, np.arange(3))
    return path.with_suffix(".npy").read_bytes()


def a_pickle(path: Path, good: bytes) -> bytes:
    return pickle.dumps({"x_train": 1})


def flipped(path: Path, good: bytes) -> bytes:
    return good[:2000] + bytes([good[2000] ^ 1]) + good[2001:]


def flipped_while_compressed(path: Path, good: bytes) -> bytes:
    np.savez_compressed(path, **arrays())
    content = bytearray(path.read_bytes())
    content[200:210] = bytes(10)
    return bytes(content)


@pytest.mark.parametrize(
    "spoil", [text, nothing, half, one_array, a_pickle, flipped, flipped_while_compressed]
)
def test_a_file_that_is_no_npz_is_one_line(cache, tmp_path, spoil):
    path = own.write(tmp_path)
    path.write_bytes(spoil(path, path.read_bytes()))
    with pytest.raises(ComparisonError, match=r"own\.npz is not a readable \.npz file") as error:
        data.prepare(str(path), None)
    assert "\n" not in str(error.value)
    assert "pickle" not in str(error.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(some.floats(0, 1, exclude_max=True), some.integers(1, 255))
def test_a_byte_changed_anywhere_in_a_compressed_file_is_one_line_or_harmless(
    tmp_path, where, change
):
    path = tmp_path / "own.npz"
    np.savez_compressed(path, **arrays())
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= change
    path.write_bytes(content)
    try:
        found = npz_reader.read(path)
    except ComparisonError as error:
        assert "\n" not in str(error)
    else:
        # Some bytes of an archive say nothing of its content, such as its dates.
        assert all((getattr(found, name) == value).all() for name, value in arrays().items())


def test_a_file_larger_than_memory_is_refused_by_its_headers(cache, tmp_path, capsys):
    claims = {
        "x_train": own.header((10**9, 100, 100, 3)),
        "y_train": own.header((10**9,), np.int64),
        "x_test": own.header((9, 100, 100, 3)),
    }
    path = own.put(own.write(tmp_path), **claims)
    refused = r"own\.npz: its arrays take 30,008\.0 GB, 2 times that is needed in memory .* has"
    with pytest.raises(ComparisonError, match=refused) as error:
        data.prepare(str(path), None)
    assert "\n" not in str(error.value)
    assert cifar.main(["--data", str(path), "--dry-run"]) == 2
    assert capsys.readouterr().err == f"error: {error.value}\n"


@pytest.mark.parametrize(
    "content", [own.header((10**13,)), own.header((3,), object), b"no array", own.header((3,))]
)
def test_what_is_not_used_is_not_read(cache, tmp_path, content):
    path = own.put(own.write(tmp_path), more=content, x_validation=content)
    assert same(data.prepare(str(path), None), arrays())


@pytest.mark.parametrize("name", ["x_train", "y_test", "classes"])
def test_an_array_cut_short_is_one_line(cache, tmp_path, name):
    path = own.write(tmp_path, classes=ABC)
    with zipfile.ZipFile(path) as archive:
        content = archive.read(f"{name}.npy")
    with pytest.raises(ComparisonError, match="not a readable") as error:
        data.prepare(str(own.put(path, **{name: content[:-1]})), None)
    assert "\n" not in str(error.value)


def test_a_dry_run_reads_no_image_and_keeps_nothing(cache, tmp_path, capsys):
    path = own.write(tmp_path)
    with zipfile.ZipFile(path) as archive:
        content = archive.read("x_train.npy")
    own.put(path, x_train=content[:-1])
    plan = ["--data", str(path), "--arms", "cnn:scratch", "--train-size", "27", "--dry-run"]
    assert cifar.main(plan) == 0
    assert "27" in capsys.readouterr().out
    assert not list(cache.glob("data/own*"))
    plan[4] = "28"
    assert cifar.main(["--data", str(path), "--train-size", "28", "--dry-run"]) == 2
    assert "2 to 27 images can be had" in capsys.readouterr().err


def test_an_outline_is_what_reading_finds(tmp_path):
    path = own.write(tmp_path, x_train=arrays()["x_train"][..., 0], classes=ABC)
    outline, found = npz_reader.outline(path), npz_reader.read(path)
    assert (outline.train, outline.test) == (len(found.y_train), len(found.y_test))
    assert outline.image_shape == found.x_train.shape[1:] == found.x_test.shape[1:]
    assert outline.classes == found.classes == ("a", "b", "c")


dimensions = some.integers(0, 40) | some.sampled_from([2**31, 2**62])
kinds = some.sampled_from(["u1", "<i8", ">i4", "u8", "f4", "?", "O", "S3", "U2", "M8[s]", "u1,f4"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    some.dictionaries(
        some.sampled_from([*dataset.ARRAYS, "classes", "more"]),
        some.tuples(some.lists(dimensions, max_size=5), kinds),
    )
)
def test_whatever_headers_say_it_is_taken_or_refused_in_one_line(tmp_path, claims):
    contents = {}
    for name, (shape, kind) in claims.items():
        there = own.header(tuple(shape), kind)
        contents[name] = there + bytes(min(math.prod(shape) * np.dtype(kind).itemsize, 10_000))
    path = own.put(own.write(tmp_path), **contents)
    try:
        outline, found = npz_reader.outline(path), None
        found = npz_reader.read(path)
    except ComparisonError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert found.x_train.shape == (outline.train, *outline.image_shape)
        assert found.x_test.shape == (outline.test, *outline.image_shape)
        for labels, images in ((found.y_train, found.x_train), (found.y_test, found.x_test)):
            assert labels.dtype == np.int64 and labels.shape == images.shape[:1]
            assert labels.min() >= 0 and labels.max() < len(found.classes)
        assert len(set(found.classes)) == len(found.classes) >= 2
        assert all(name.strip() for name in found.classes)


@pytest.mark.parametrize(
    "names", [["größe", "b", "c"], [b"gr\xc3\xb6\xc3\x9fe", b"b", b"c"], [7, 8, 9]]
)
def test_class_names_may_be_text_bytes_of_utf_8_or_numbers(cache, tmp_path, names):
    found = data.prepare(str(own.write(tmp_path, classes=np.array(names))), None)
    assert found.classes == (("größe", "b", "c") if names[1:] != [8, 9] else ("7", "8", "9"))


def test_test_images_of_classes_that_nothing_can_be_learnt_of_are_named(cache, tmp_path):
    path = own.write(tmp_path, y_test=np.array([0, 1, 2, 3, 4, 4, 0, 1, 2]))
    found = data.prepare(str(path), None)
    assert found.note.startswith("3 of 9 test images are of classes that no training image shows")
    assert found.note.endswith(": 3, 4")
    _, _, notices = supplies.dataset(str(path), None, print)
    assert notices == [found.note]
    many = own.write(tmp_path, "many.npz", y_test=np.arange(9) + 3)
    assert data.prepare(str(many), None).note.endswith(": 3, 4, 5, 6, 7 and 4 more")


def test_a_file_or_name_that_is_not_there(cache, tmp_path):
    with pytest.raises(ComparisonError, match=r"no file .*none\.npz"):
        data.prepare(str(tmp_path / "none.npz"), None)
    with pytest.raises(ComparisonError, match="did you mean cifar10"):
        data.prepare("cifar", None)
    folder = tmp_path / "folder.npz"
    folder.mkdir()
    with pytest.raises(ComparisonError, match="not a readable"):
        data.prepare(str(folder), None)
    with pytest.raises(ComparisonError, match="cannot be read: File name too long"):
        data.prepare("x" * 300 + ".npz", None)
    with pytest.raises(ComparisonError, match="unknown data set"):
        data.prepare("x" * 300, None)


def test_files_of_another_kind_are_told_what_is_read(tmp_path, capsys):
    (tmp_path / "photos").touch()
    assert cifar.main(["--data", str(tmp_path / "photos")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "such a file is not read; give a folder of pictures" in line
    assert "an .npz file that holds x_train y_train x_test y_test" in line
    assert "did you mean" not in line
