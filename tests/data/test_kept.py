"""Decoded data is kept: it comes back as it was, or is made again."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import own
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from own import arrays, same

from comparisons import data
from comparisons.core.errors import ComparisonError
from comparisons.data import dataset, kept


def kept_folder(cache: Path) -> Path:
    (folder,) = cache.glob("data/own-*")
    return folder


def keep(folder: Path, arrays: dataset.Arrays, about: kept.About) -> None:
    with kept.keeping(folder) as part:
        kept.write(part, arrays, about)


def test_what_is_kept_comes_back(tmp_path):
    whole = own.decoded(note="a note")
    about = kept.about(whole, "some", synthetic=True, complete=False)
    keep(tmp_path / "there", whole, about)
    found = kept.load_kept(tmp_path / "there")
    assert found is not None
    assert same(found, arrays())
    assert found.y_train.dtype == np.int64
    assert (found.name, found.classes, found.note) == ("some", ("a", "b", "c"), "a note")
    assert (found.synthetic, found.complete) == (True, False)
    assert found.image_shape == (8, 8, 1)
    assert found.fingerprint == dataset.fingerprint(whole) != dataset.fingerprint(own.decoded(1))
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert kept.about_kept(tmp_path / "there") == about
    assert (about.train, about.test, about.image_shape) == (30, 9, (8, 8, 1))


def test_a_fingerprint_covers_shape_and_type():
    plain = own.decoded()
    longer = own.decoded(y_test=plain.y_test.astype(np.int32))
    reshaped = own.decoded(x_train=plain.x_train.reshape(30, 4, 16, 1))
    prints = {dataset.fingerprint(each) for each in (plain, longer, reshaped)}
    assert len(prints) == 3


def test_decoding_is_done_once(cache, tmp_path):
    path, said = own.write(tmp_path), []
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


@pytest.mark.parametrize("name", [*dataset.ARRAYS, "about"])
@pytest.mark.parametrize("damage", [halve, alter, clear, Path.unlink])
def test_a_damaged_copy_is_noticed_and_made_again(cache, tmp_path, name, damage):
    path = own.write(tmp_path)
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


def foreign(**changes: object) -> bytes:
    """What is kept beside the arrays, some of it changed."""
    about = kept.about(own.decoded(), "own.npz")
    return msgspec.json.encode(msgspec.to_builtins(about) | changes)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b"\xff\xfe",
        foreign(name=3),
        foreign(name=None),
        foreign(classes="abc"),
        foreign(classes=["a", "b"]),
        foreign(classes=["a", "b", {}]),
        foreign(train=31),
        foreign(image_shape=[8, 8]),
        foreign(image_shape=[8, 9, 1]),
        foreign(fingerprint=[]),
        foreign(fingerprint=dataset.fingerprint(own.decoded(1))),
        b'{"name": "\\udc80"}',
    ],
)
def test_what_another_wrote_beside_the_arrays_is_noticed_and_made_again(cache, tmp_path, content):
    path = own.write(tmp_path, classes=np.array(["a", "b", "c"]))
    data.prepare(str(path), None)
    (kept_folder(cache) / "about.json").write_bytes(content)
    said: list[str] = []
    assert same(data.prepare(str(path), None, said.append), arrays())
    assert said
    assert data.describe(str(path), None) == kept.about(own.decoded(), "own.npz")
    said.clear()
    assert data.prepare(str(path), None, said.append).classes == ("a", "b", "c")
    assert not said


@pytest.mark.parametrize("name", ["about.json", "."])
def test_a_file_and_a_folder_in_each_others_place_are_replaced(cache, tmp_path, name):
    path = own.write(tmp_path)
    data.prepare(str(path), None)
    victim = kept_folder(cache) / name
    if name == ".":
        shutil.rmtree(victim)
        victim.write_text("a file")
    else:
        victim.unlink()
        (victim / "more").mkdir(parents=True)
    assert same(data.prepare(str(path), None), arrays())
    said: list[str] = []
    data.prepare(str(path), None, said.append)
    assert not said


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.integers(0, 127), some.integers(1, 255))
def test_no_byte_of_a_header_can_change_unnoticed(tmp_path, where, change):
    folder = tmp_path / "there"
    if not folder.exists():
        keep(folder, own.decoded(), kept.about(own.decoded(), ""))
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


def test_processes_prepare_the_same_data_at_once(cache, tmp_path, spawn):
    processes = [spawn(TOGETHER) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    rounds = 40
    for i in range(rounds):
        path = own.write(tmp_path, f"own{i}.npz")
        for process in processes:
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
        for process in processes:
            answer = process.stdout.readline().strip()
            assert answer == dataset.fingerprint(own.decoded()), process.stderr.read()
    assert not list((cache / "data").glob("[.]*.part")), "nothing unfinished is left"
    assert len(list(cache.glob("data/own*"))) >= rounds


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    in_its_place = tmp_path / "cache"
    in_its_place.write_text("a file, where the folder should be")
    monkeypatch.setenv("COMPARISONS_CACHE", str(in_its_place))
    with pytest.raises(ComparisonError, match="COMPARISONS_CACHE") as error:
        data.prepare(str(own.write(tmp_path)), None)
    assert error.value.exit_code == 1
    assert "\n" not in str(error.value)


def test_the_test_labels_open_once(cache, tmp_path):
    found = data.prepare(str(own.write(tmp_path)), None)
    assert (found.open_test_labels() == arrays()["y_test"]).all()
    assert found.test_was_read
    with pytest.raises(RuntimeError, match="once"):
        found.open_test_labels()
    assert "sealed" not in repr(found)


def test_some_classes_keep_their_images_labels_and_order():
    whole = dataset.Dataset(
        "some", ("a", "b", "c", "d"), pictures(40, 0), np.arange(40) % 4,
        pictures(8, 1), np.arange(8) % 4, fingerprint="f",
    )  # fmt: skip
    part = whole.only(["d", "b"])
    assert part.classes == ("b", "d") and part.name == "some (b, d)"
    assert (part.x_train == whole.x_train[1::2]).all() and (part.x_test == whole.x_test[1::2]).all()
    assert (part.y_train == np.arange(20) % 2).all()
    assert (part.open_test_labels() == np.arange(4) % 2).all()
    assert not whole.test_was_read
    prints = {whole.only(some).fingerprint for some in (["a", "b"], ["b", "a"], ["a", "c"], [])}
    assert len(prints) == 3 and whole.only([]) is whole


def test_without_its_training_images_a_data_set_still_says_and_tests_the_same():
    whole = dataset.Dataset(
        "some", ("a", "b"), pictures(40, 0), np.arange(40) % 2, pictures(8, 1), np.arange(8) % 2
    )
    whole.files = tuple(f"{number}.png" for number in range(48))
    left = whole.for_tests()
    assert left.test_files == whole.test_files == [f"{number}.png" for number in range(40, 48)]
    assert left.tested_on(3).test_files == whole.tested_on(3).test_files
    assert len(left.x_train) == 0 and len(whole.x_train) == 40
    assert left.image_shape == whole.image_shape and left.described() == whole.described()
    assert (left.y_train == whole.y_train).all() and (left.x_test == whole.x_test).all()
    assert (left.open_test_labels() == np.arange(8) % 2).all() and not whole.test_was_read
    drawn = replace(whole, x_test=whole.x_test[:0], sealed_test_labels=np.arange(0))
    assert drawn.for_tests() is drawn


def pictures(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), np.uint8)


def test_a_part_of_the_test_images_is_the_same_every_time_and_keeps_its_labels(tmp_path):
    whole = own.decoded()
    keep(tmp_path / "there", whole, kept.about(whole, "some"))
    found = kept.load_kept(tmp_path / "there")
    parts = [found.tested_on(4) for _ in range(2)]
    assert (parts[0].x_test == parts[1].x_test).all()
    assert len(parts[0].x_test) == 4 and found.tested_on(None) is found
    rows = [int(np.flatnonzero((found.x_test == image).all(axis=(1, 2, 3)))[0])
            for image in parts[0].x_test]  # fmt: skip
    assert (parts[0].open_test_labels() == found.sealed_test_labels[rows]).all()
    assert not found.test_was_read
    assert parts[0].described().sizes.test == 4
