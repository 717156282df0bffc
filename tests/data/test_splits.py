"""Test sets that each seed draws: fair, whole groups, and kept by a manifest."""

from __future__ import annotations

import csv
from dataclasses import replace

import drawn_pictures as drawn
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparisons import data
from comparisons.core.errors import ComparisonError
from comparisons.data import folder, kept, splits
from comparisons.data.dataset import Dataset, split


def rows(path):
    with (path / splits.FILE).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@settings(max_examples=25)
@given(
    groups=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), min_size=12, max_size=40),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_group_is_on_one_side_and_every_class_is_left_to_train_on(groups, seed):
    labels = np.array([label for label, size in groups for _ in range(size)])
    _, labels = np.unique(labels, return_inverse=True)
    numbers = np.array([number for number, (_, size) in enumerate(groups) for _ in range(size)])
    tested = splits.draw(labels, numbers, seed, "abc")
    train = np.setdiff1d(np.arange(len(labels)), tested)
    assert len(tested) and len(train) > len(tested)
    assert not np.intersect1d(numbers[tested], numbers[train]).size
    several = [c for c in np.unique(labels) if len(np.unique(numbers[labels == c])) > 1]
    assert set(several) <= set(labels[train].tolist())
    if len(train) > 1:
        found = split(labels[train], seed, groups=numbers[train])
        held = numbers[train][found.validation]
        whole = np.bincount(numbers[train])
        several = [
            c for c in labels[train] if len(np.unique(numbers[train][labels[train] == c])) > 1
        ]
        free = numbers[train][np.isin(labels[train], several)]
        if len(free) and whole[free].min() <= max(1, len(train) // 10):
            assert not np.intersect1d(held, numbers[train][found.train]).size
            assert set(labels[train]) == set(labels[train][found.train])
        assert 0 < len(found.validation) <= max(1, len(train) // 10)


def test_a_fifth_of_each_class_is_tested_on_and_seeds_differ():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    found = [splits.draw(labels, np.arange(100), seed, "abc") for seed in range(5)]
    assert all(np.bincount(labels[one]).tolist() == [10, 6, 4] for one in found)
    assert len({one.tobytes() for one in found}) == 5
    assert np.array_equal(found[0], splits.draw(labels, np.arange(100), 0, "abc"))


def prepared(root):
    return data.prepare(str(root), None, image_size=32)


def test_bursts_are_split_into_fewer_shares(cache, tmp_path):
    drawn.bursts(
        tmp_path / "p", *((label, scene, 3) for label in ("ants", "bees") for scene in (1, 2))
    )
    whole = prepared(tmp_path / "p")
    assert len(np.unique(whole.groups)) == 4
    for seed, rows in splits.tested(whole, [0, 1, 2], splits.read(None)).items():
        dealt = whole.dealt(rows)
        assert set(dealt.y_train[dealt.subset(seed).train]) == {0, 1}
        assert not set(whole.groups[rows]) & set(np.delete(whole.groups, rows))


@pytest.mark.parametrize(
    ("takes", "said"),
    [
        ((("ants", 1, 5), ("bees", 1, 5)), "of ants, bees none would be left"),
        ((("ants", 1, 5), ("bees", 2, 5)), "none would be left to train on; add pictures"),
    ],
)
def test_where_every_class_is_one_burst_that_is_one_line(cache, tmp_path, takes, said):
    drawn.bursts(tmp_path / "p", *takes)
    whole = prepared(tmp_path / "p")
    if takes[0][1] == takes[1][1]:  # one scene
        whole = replace(whole, groups=np.zeros_like(whole.groups))
    with pytest.raises(ComparisonError, match=said):
        splits.tested(whole, [0], splits.read(None))


def test_a_class_of_one_burst_is_trained_on_and_that_it_is_not_tested_on_is_told(cache, tmp_path):
    takes = [("bees", scene, 2) for scene in range(2, 7)]
    drawn.bursts(tmp_path / "p", ("ants", 1, 2), *takes)
    whole = prepared(tmp_path / "p")
    tested = splits.tested(whole, range(5), splits.read(None))
    for seed, rows in tested.items():
        dealt = whole.dealt(rows)
        assert set(dealt.y_train[dealt.subset(seed).train]) == {0, 1}, "nor does it validate"
    assert splits.untested(whole, tested) == {"ants": []}
    tested[3] = [0]
    assert splits.untested(whole, tested) == {"ants": [0, 1, 2, 4], "bees": [3]}


def test_a_class_that_a_test_set_of_one_s_own_lacks_is_told(cache, tmp_path):
    for part, names in (("train", ("ants", "bees")), ("test", ("bees",))):
        drawn.folder(tmp_path / "p" / part, each=4, classes=names)
    whole = prepared(tmp_path / "p")
    assert splits.untested(whole, splits.tested(whole, [0], splits.read(None))) == {"ants": []}


@settings(max_examples=40)
@given(
    counts=st.lists(st.integers(2, 40), min_size=2, max_size=5).filter(lambda n: sum(n) > 12),
    seeds=st.lists(st.integers(0, 99), min_size=1, max_size=3, unique=True),
    own=st.booleans(),
)
def test_the_sizes_at_which_a_class_is_not_learnt_are_those_whose_subsets_lack_it(
    counts, seeds, own
):
    labels = np.repeat(np.arange(len(counts)), counts)
    images = np.zeros((len(labels), 2, 2, 3), np.uint8)
    test = np.arange(len(counts))
    whole = Dataset("p", tuple("abcde"[: len(counts)]), images, labels, images[test], test)
    drawn_anew = {
        seed: splits.draw(labels, np.arange(len(labels)), seed, "abcde") for seed in seeds
    }
    tested = {} if own else drawn_anew
    smallest = min(len(whole.dealt(tested.get(seed, [])).subset(seed).train) for seed in seeds)
    sizes = sorted({2, 5, smallest // 2, smallest} & set(range(2, smallest + 1)))
    wanted = {}
    for seed in seeds:
        dealt = whole.dealt(tested.get(seed, []))
        for size in sizes:
            learnt = dealt.y_train[dealt.subset(seed, size).train]
            for label in set(range(len(counts))) - set(learnt.tolist()):
                wanted.setdefault(whole.classes[label], set()).add(size)
    found = splits.unlearnt(whole, tested, seeds, sizes)
    assert {name: set(lacking) for name, lacking in found.items()} == wanted
    assert all(lacking == sorted(lacking) for lacking in found.values())


def test_what_validation_would_take_from_two_pictures_is_one_line(cache, tmp_path):
    drawn.folder(tmp_path / "p", each=2)
    with pytest.raises(ComparisonError, match=r"too few pictures: of (ants|bees) none is left"):
        splits.tested(prepared(tmp_path / "p"), [0], splits.read(None))


def test_a_manifest_that_leaves_a_class_nothing_to_train_on_is_one_line(pictures, tmp_path):
    whole = pictures()
    ants = frozenset(name for name in whole.files if name.startswith("ants"))
    with pytest.raises(ComparisonError, match=r"by manifest\.csv every picture of ants is tested"):
        splits.tested(whole, [0], splits.Manifest({0: ants}, ants))


@pytest.fixture
def pictures(cache, tmp_path):
    def prepared():
        return data.prepare(str(tmp_path / "p"), None, image_size=32)

    drawn.folder(tmp_path / "p", each=15)
    return prepared


def test_a_seed_s_test_set_is_sealed_and_apart(pictures):
    whole = pictures()
    assert whole.drawn
    tested = splits.tested(whole, [0, 7], splits.read(None))
    for chosen in tested.values():
        dealt = whole.dealt(chosen)
        assert len(dealt.x_test) == len(chosen) == 6 and len(dealt.x_train) == 24
        assert dealt.fingerprint == whole.fingerprint and dealt.described().drawn_from == 30
        assert np.array_equal(dealt.pool.images[dealt.pool.test], dealt.x_test)
        assert np.array_equal(dealt.pool.images[dealt.pool.train], dealt.x_train)
        assert np.array_equal(dealt.open_test_labels(), whole.y_train[chosen])
        with pytest.raises(RuntimeError):
            dealt.open_test_labels()
        fewer = dealt.tested_on(3)
        assert np.array_equal(fewer.pool.images[fewer.pool.test], fewer.x_test)
    assert tested[0] != tested[7]


def test_the_manifest_says_which_files_are_tested_on(pictures, tmp_path):
    whole = pictures()
    tested = splits.tested(whole, [0, 1], splits.read(tmp_path))
    splits.write(tmp_path, whole, tested)
    for seed, chosen in tested.items():
        column = [row[f"seed {seed}"] for row in rows(tmp_path)]
        assert [i for i, part in enumerate(column) if part == "test"] == chosen
        assert column.count("validation") == 2
    assert [row["file"] for row in rows(tmp_path)] == list(whole.files)


def test_the_next_run_tests_on_the_same_files(pictures, tmp_path):
    whole = pictures()
    first = splits.tested(whole, [0], splits.read(tmp_path))
    splits.write(tmp_path, whole, first)
    before = {whole.files[row] for row in first[0]}
    # Names that come first move every row; one of them is a copy of what is tested on.
    for number in range(10):
        drawn.picture(90 + number).save(tmp_path / "p" / "ants" / f"0 new {number}.png")
    kept = sorted(before)[0]
    (tmp_path / "p" / kept).with_name("0 copy.png").write_bytes(
        (tmp_path / "p" / kept).read_bytes()
    )
    more = pictures()
    assert more.fingerprint != whole.fingerprint
    known = splits.read(tmp_path)
    again = splits.tested(more, [0, 5], known)
    now = {more.files[row] for row in again[0]}
    assert now & set(whole.files) == before
    assert (str((tmp_path / "p" / kept).with_name("0 copy.png").relative_to(tmp_path / "p"))) in now
    assert any("new" in name for name in now)
    splits.write(tmp_path, more, {5: again[5]})
    assert {row["file"] for row in rows(tmp_path) if row["seed 0"] == "test"} == before


@pytest.mark.parametrize(
    "content", [b"file,seed x\n1,test\n", b"\xff\xfe", b"name,seed 0\na,test\n"]
)
def test_a_damaged_manifest_is_one_line(tmp_path, content):
    (tmp_path / splits.FILE).write_bytes(content)
    with pytest.raises(ComparisonError, match=r"manifest\.csv is damaged"):
        splits.read(tmp_path)


def test_the_user_s_own_validation_validates(cache, tmp_path):
    for part, each in (("train", 8), ("val", 3), ("test", 2)):
        for label, name in enumerate(("ants", "bees")):
            (tmp_path / "p" / part / name).mkdir(parents=True)
            for number in range(each):
                image = drawn.picture(1000 * len(part) + number, label)
                image.save(tmp_path / "p" / part / name / f"{number}.png")
    found = data.prepare(str(tmp_path / "p"), None, image_size=32)
    assert (len(found.x_train), found.validation, len(found.x_test)) == (22, 6, 4)
    parts = split(found.y_train, 3, None, None, found.groups, found.validation)
    names = np.array(found.files)
    assert all(name.startswith("val/") for name in names[parts.validation])
    assert sorted(parts.train) == list(range(16))
    fewer = found.tested_on(2)
    places = [list(found.test_files).index(name) for name in fewer.test_files]
    assert np.array_equal(fewer.x_test, found.x_test[places])
    assert not splits.tested(found, [0], splits.read(None))
    splits.write(tmp_path, found, {})
    assert {row["file"].split("/")[0]: row["part"] for row in rows(tmp_path)} == {
        "train": "train", "val": "validation", "test": "test",
    }  # fmt: skip


def test_of_many_pictures_one_test_set_serves_all_seeds(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "MOST_DRAWN", 20)
    drawn.folder(tmp_path / "p", each=15)
    found = data.prepare(str(tmp_path / "p"), None, image_size=32)
    assert not found.drawn and (len(found.x_train), len(found.x_test)) == (24, 6)
    assert not splits.tested(found, [0, 1], splits.read(None))
    monkeypatch.undo()
    for images, labels, files in (
        (found.x_train, found.y_train, found.files[:24]),
        (found.x_test, found.sealed_test_labels, found.files[24:]),
    ):
        for image, label, name in zip(images, labels, files, strict=True):
            assert name.startswith(found.classes[label])
            from comparisons.data import pictures

            assert np.array_equal(image, pictures.decode(str(tmp_path / "p" / name), 32)[0])


def test_a_large_data_set_is_mapped_and_gives_the_same(pictures, tmp_path, monkeypatch):
    whole = pictures()
    monkeypatch.setattr(kept, "MAPPED", 1000)
    mapped = pictures()
    assert isinstance(mapped.x_train, np.memmap) and not isinstance(whole.x_train, np.memmap)
    assert np.array_equal(mapped.x_train, whole.x_train)
    assert mapped.fingerprint == whole.fingerprint
