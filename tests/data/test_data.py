"""Data sets: split alike for all arms, kept and checked, read from files of all sorts."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from comparisons import data
from comparisons.core.errors import ComparisonError
from comparisons.data import catalog, split
from comparisons.data import dataset as kept
from comparisons.data import npz as npz_reader

CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


# --- the split -----------------------------------------------------------------------------


@some.composite
def label_lists(draw: some.DrawFn) -> np.ndarray:
    """Labels of up to six classes of any sizes, shuffled."""
    counts = draw(some.lists(some.integers(1, 60), min_size=1, max_size=6))
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(draw(some.integers(0, 99))).permutation(labels)


seeds = some.integers(0, 2**31)


@given(label_lists(), seeds)
def test_a_split_uses_every_row_once(labels, seed):
    rows = split(labels, seed)
    together = np.concatenate([rows.train, rows.validation])
    assert sorted(together) == list(range(len(labels)))
    held_out = len(rows.validation)
    assert held_out == (len(labels) // 10 if len(labels) >= 10 else min(1, len(labels) - 1))


@given(label_lists(), seeds, some.data())
def test_smaller_training_sets_are_the_beginning_of_larger_ones(labels, seed, more):
    whole = split(labels, seed)
    size = more.draw(some.integers(1, len(whole.train)))
    part = split(labels, seed, size)
    assert (part.train == whole.train[:size]).all()
    assert (part.validation == whole.validation).all()
    assert not set(part.train) & set(part.validation)


@given(label_lists(), seeds, some.data())
def test_every_part_is_balanced_as_the_whole_is(labels, seed, more):
    size = more.draw(some.integers(1, len(split(labels, seed).train)))
    rows = split(labels, seed, size)
    shares = np.bincount(labels) / len(labels)
    for part in (rows.train, rows.validation):
        counts = np.bincount(labels[part], minlength=len(shares))
        # Rounding once for each class and end of the stretch.
        assert (np.abs(counts - shares * len(part)) <= 2 + shares * len(shares)).all()


@given(some.integers(2, 10), some.integers(1, 12), seeds)
def test_equal_classes_differ_by_one_at_most(classes, tens, seed):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(classes), 10 * tens))
    rows = split(labels, seed, max(1, 4 * tens * classes))
    for part in (rows.train, rows.validation):
        counts = np.bincount(labels[part], minlength=classes)
        assert np.ptp(counts) <= 1


@given(label_lists().filter(lambda labels: len(labels) > 40), seeds)
def test_the_seed_alone_decides(labels, seed):
    first, again, other = (split(labels, s) for s in (seed, seed, seed + 1))
    assert (first.train == again.train).all()
    assert (first.validation == again.validation).all()
    assert (first.train != other.train).any()


@pytest.mark.parametrize("size", [0, -1, 91])
def test_a_size_that_cannot_be_is_an_error(size):
    with pytest.raises(ValueError, match=f"{size} training images asked for, 1 to 90"):
        split(np.arange(100) % 10, 0, size)


# --- keeping a decoded copy ----------------------------------------------------------------


def arrays(seed: int = 0) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    return {
        "x_train": generator.integers(0, 256, (30, 8, 8, 1), np.uint8),
        "y_train": np.arange(30) % 3,
        "x_test": generator.integers(0, 256, (9, 8, 8, 1), np.uint8),
        "y_test": np.arange(9) % 3,
    }


@pytest.fixture
def npz(tmp_path: Path) -> Callable[..., Path]:
    """Write a good .npz file with some arrays changed, or left out where None."""

    def write(name: str = "own.npz", **changes: Any) -> Path:
        path = tmp_path / name
        wanted = arrays() | changes
        np.savez(path, **{key: value for key, value in wanted.items() if value is not None})
        return path

    return write


def same(dataset: data.Dataset, wanted: dict[str, Any]) -> bool:
    got = {
        "x_train": dataset.x_train,
        "y_train": dataset.y_train,
        "x_test": dataset.x_test,
        "y_test": dataset.sealed_test_labels,
    }
    return all((got[name] == wanted[name]).all() for name in wanted)


def kept_folder(cache: Path) -> Path:
    (folder,) = cache.glob("data/own-*")
    return folder


def test_what_is_kept_comes_back(tmp_path):
    about = {
        "name": "some",
        "classes": ["a", "b", "c"],
        "synthetic": True,
        "complete": False,
        "note": "a note",
    }
    kept.keep(tmp_path / "there", arrays(), about)
    found = kept.load_kept(tmp_path / "there")
    assert found is not None
    assert same(found, arrays())
    assert found.y_train.dtype == np.int64
    assert (found.name, found.classes, found.note) == ("some", ("a", "b", "c"), "a note")
    assert (found.synthetic, found.complete) == (True, False)
    assert found.image_shape == (8, 8, 1)
    assert found.fingerprint == kept.fingerprint(arrays()) != kept.fingerprint(arrays(1))
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    known = kept.about_kept(tmp_path / "there")
    assert known is not None
    assert (known["train"], known["test"]) == (30, 9)


def test_a_fingerprint_covers_shape_and_type():
    plain = arrays()
    longer = plain | {"y_test": plain["y_test"].astype(np.int32)}
    reshaped = plain | {"x_train": plain["x_train"].reshape(30, 4, 16, 1)}
    prints = {kept.fingerprint(each) for each in (plain, longer, reshaped)}
    assert len(prints) == 3


def test_decoding_is_done_once(cache, npz):
    path, said = npz(), []
    first = data.prepare(str(path), None, said.append)
    again = data.prepare(str(path), None, said.append)
    assert len(said) == 1
    assert same(first, arrays())
    assert same(again, arrays())
    assert first.fingerprint == again.fingerprint
    np.savez(path, **arrays(1))
    os.utime(path, ns=(10**18, 10**18))
    changed = data.prepare(str(path), None, said.append)
    assert same(changed, arrays(1))
    assert changed.fingerprint != first.fingerprint


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def clear(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("name", [*kept.ARRAYS, "about"])
@pytest.mark.parametrize("damage", [halve, alter, clear, Path.unlink])
def test_a_damaged_copy_is_noticed_and_made_again(cache, npz, name, damage):
    path = npz()
    data.prepare(str(path), None)
    (victim,) = kept_folder(cache).glob(f"{name}.*")
    damage(victim)
    said: list[str] = []
    again = data.prepare(str(path), None, said.append)
    assert said
    assert same(again, arrays())
    said.clear()
    assert same(data.prepare(str(path), None, said.append), arrays())
    assert not said


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.integers(0, 127), some.integers(1, 255))
def test_no_byte_of_a_header_can_change_unnoticed(tmp_path, where, change):
    folder = tmp_path / "there"
    if not folder.exists():
        about = {"name": "", "classes": [], "synthetic": False, "complete": True, "note": ""}
        kept.keep(folder, arrays(), about)
    victim = folder / "x_train.npy"
    whole = victim.read_bytes()
    content = bytearray(whole)
    content[where] ^= change
    victim.write_bytes(content)
    try:
        found = kept.load_kept(folder)
        # Some bytes of a header say the same in two ways, such as its blanks.
        assert found is None or same(found, arrays())
    finally:
        victim.write_bytes(whole)


TOGETHER = """
import sys
from comparisons import data
print("ready", flush=True)
for line in sys.stdin:
    print(data.prepare(line.strip(), None).fingerprint, flush=True)
"""


def test_processes_prepare_the_same_data_at_once(cache, npz, spawn):
    processes = [spawn(TOGETHER) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    rounds = 40
    for i in range(rounds):
        path = npz(f"own{i}.npz")
        for process in processes:
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
        for process in processes:
            answer = process.stdout.readline().strip()
            assert answer == kept.fingerprint(arrays()), process.stderr.read()
    left = sorted(path.name for path in (cache / "data").glob("[.]*"))
    assert not left, "nothing unfinished is left"
    assert len(list(cache.glob("data/own*"))) >= rounds


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, npz):
    in_its_place = tmp_path / "cache"
    in_its_place.write_text("a file, where the folder should be")
    monkeypatch.setenv("COMPARISONS_CACHE", str(in_its_place))
    with pytest.raises(ComparisonError, match="COMPARISONS_CACHE") as error:
        data.prepare(str(npz()), None)
    assert error.value.exit_code == 1
    assert "\n" not in str(error.value)


def test_the_test_labels_open_once(npz):
    found = data.prepare(str(npz()), None)
    assert (found.open_test_labels() == arrays()["y_test"]).all()
    assert found.test_was_read
    with pytest.raises(RuntimeError, match="once"):
        found.open_test_labels()
    assert "sealed" not in repr(found)


# --- files of the user's own ---------------------------------------------------------------


def test_a_file_of_ones_own(cache, npz):
    found = data.prepare(str(npz(classes=np.array(["a", "b", "c", "d"]))), None)
    assert same(found, arrays())
    assert found.classes == ("a", "b", "c", "d")
    assert (found.name, found.synthetic, found.complete) == ("own.npz", False, True)


def test_grey_images_without_channels_and_small_label_types_are_taken(cache, npz):
    plain = arrays()
    path = npz(
        x_train=plain["x_train"][..., 0],
        x_test=plain["x_test"][..., 0],
        y_train=plain["y_train"].astype(np.uint8)[:, None],
    )
    found = data.prepare(str(path), None)
    assert same(found, plain)
    assert found.y_train.dtype == np.int64
    assert found.classes == ("0", "1", "2")


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
        ({"x_train": GREY[:0], "y_train": np.arange(0)}, "8x8 pixels or more"),
        ({"x_train": np.zeros((30, 9, 9, 1), np.uint8)}, "differ in shape"),
        ({"classes": np.array(["a", "b"])}, "2 classes named, 3 are needed"),
        ({"classes": np.array("abc")}, "classes"),
        ({"y_train": np.zeros(30, int), "y_test": np.zeros(9, int)}, "2 are needed"),
        ({"x_train": np.array([None] * 30)}, "not a readable .npz file"),
        ({"y_train": np.full(30, 2**40)}, "labels run to 1,099,511,627,776"),
        ({"classes": np.array(["a", None, {}])}, "not a readable .npz file"),
    ],
)
def test_errors_of_a_file_are_one_line(cache, npz, changes, words):
    path = npz(**changes)
    with pytest.raises(ComparisonError, match=words) as error:
        data.prepare(str(path), None)
    assert "own.npz" in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2
    assert not list(cache.glob("data/*"))


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
def test_a_file_that_is_no_npz_is_one_line(cache, npz, spoil):
    path = npz()
    path.write_bytes(spoil(path, path.read_bytes()))
    with pytest.raises(ComparisonError, match=r"own\.npz is not a readable \.npz file") as error:
        data.prepare(str(path), None)
    assert "\n" not in str(error.value)


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
        assert all((found[name] == value).all() for name, value in arrays().items())


def test_a_file_or_name_that_is_not_there(cache, tmp_path):
    with pytest.raises(ComparisonError, match=r"no file .*none\.npz"):
        data.prepare(str(tmp_path / "none.npz"), None)
    with pytest.raises(ComparisonError, match="did you mean cifar10"):
        data.prepare("cifar", None)
    folder = tmp_path / "folder.npz"
    folder.mkdir()
    with pytest.raises(ComparisonError, match="not a readable"):
        data.prepare(str(folder), None)


# --- real data -----------------------------------------------------------------------------

REAL = {
    "cifar10": ((32, 32, 3), 50_000, 10_000, 10),
    "mnist": ((28, 28, 1), 60_000, 10_000, 10),
    "cifar100": ((32, 32, 3), None, None, 100),
}


@pytest.mark.parametrize("name", REAL)
def test_real_data(real_data, no_network, name):
    if catalog.local_copy(name, real_data) is None:
        pytest.skip(f"{name} is not under TFDS_DATA_DIR")
    shape, train, test, classes = REAL[name]
    found = data.prepare(name, real_data)
    assert found.image_shape == shape
    assert found.x_train.dtype == found.x_test.dtype == np.uint8
    assert found.y_train.dtype == np.int64
    labels = found.open_test_labels()
    assert len(found.x_train) == len(found.y_train)
    assert len(found.x_test) == len(labels)
    assert len(found.classes) == len(set(found.classes)) == classes
    assert set(found.y_train) == set(labels) == set(range(classes))
    assert (found.name, found.synthetic) == (name, False)
    published = catalog.SOURCES[name].sizes
    assert found.complete == ((len(found.y_train), len(labels)) == published)
    assert bool(found.note) != found.complete
    if train:
        assert (len(found.y_train), len(labels)) == (train, test)
        assert found.complete
    assert 30 < found.x_train.mean() < 220
    again = data.prepare(name, real_data)
    assert again.fingerprint == found.fingerprint
    about = data.describe(name, real_data)
    assert about is not None
    assert (about["fingerprint"], about["train"]) == (found.fingerprint, len(found.y_train))


def test_names_of_cifar10_are_in_the_order_of_its_labels(real_data, no_network):
    found = data.prepare("cifar10", real_data)
    assert found.classes == CIFAR10
    # Ships and airplanes are mostly before blue, frogs and deer are not.
    blue = [
        float(found.x_train[found.y_train == k][..., 2].mean())
        - float(found.x_train[found.y_train == k][..., 0].mean())
        for k in range(10)
    ]
    order = [CIFAR10[k] for k in np.argsort(blue)]
    assert set(order[-2:]) == {"airplane", "ship"}


def test_a_part_of_a_data_set_says_so(real_data, no_network):
    found = data.prepare("cifar100", real_data)
    if found.complete:
        pytest.skip("the local cifar100 is whole")
    assert "cifar100 here is not whole" in found.note
    assert "of 50,000" in found.note
    assert "\n" not in found.note


def test_a_fingerprint_is_of_the_images_and_not_of_this_decoding(
    real_data, no_network, tmp_path, monkeypatch
):
    first = data.prepare("cifar100", real_data)
    monkeypatch.setenv("COMPARISONS_CACHE", str(tmp_path))
    said: list[str] = []
    again = data.prepare("cifar100", real_data, said.append)
    assert said
    assert again.fingerprint == first.fingerprint
    assert same(again, {"x_train": first.x_train, "y_train": first.y_train})


def test_a_damaged_local_copy_is_one_line(real_data, cache, tmp_path):
    found = catalog.local_copy("cifar100", real_data)
    assert found is not None
    copy = tmp_path / "cifar100" / found.name
    copy.mkdir(parents=True)
    for path in found.iterdir():
        target = copy / path.name
        if "tfrecord" in path.name:
            target.write_bytes(path.read_bytes()[:100_000])
        else:
            target.write_bytes(path.read_bytes())
    with pytest.raises(ComparisonError, match="delete that folder to fetch it again") as error:
        data.prepare("cifar100", tmp_path)
    assert "\n" not in str(error.value)


def test_the_newest_local_version_is_used(tmp_path):
    for version in ("3.0.2", "3.0.10", "2.9.9"):
        folder = tmp_path / "cifar10" / version
        folder.mkdir(parents=True)
        (folder / "dataset_info.json").write_text(json.dumps({}))
    found = catalog.local_copy("cifar10", tmp_path)
    assert found is not None
    assert found.name == "3.0.10"
    assert data.available("cifar10", tmp_path)
    assert not data.available("cifar10", tmp_path / "elsewhere")
    assert data.available("shapes", tmp_path / "elsewhere")
