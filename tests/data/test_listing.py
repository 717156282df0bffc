"""What is found in a folder of pictures, and what is left out and named."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import drawn_pictures as drawn
import pytest

from comparisons.core.errors import ComparisonError
from comparisons.data.listing import listing


def why(found):
    return {one.file: one.why for one in found.left_out}


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_each_sub_folder_is_a_class_at_any_depth(tmp_path):
    touch(tmp_path, "b/1.jpg", "b/more/2.JPG", "a/3.png", "a/4")
    found = listing(tmp_path)
    assert found.classes == ["a", "b"] and found.drawn
    assert [file.name for file in found.files] == ["a/3.png", "a/4", "b/1.jpg", "b/more/2.JPG"]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("train", "val", "test"), ("train", "validation", "test")),
        (("Train", "valid"), ("train", "test")),
        (("training", "testing"), ("train", "test")),
        (("train",), ("train",)),
    ],
)
def test_parts_of_the_user_are_respected(tmp_path, parts, expected):
    for part in parts:
        touch(tmp_path, *(f"{part}/{label}/{n}.png" for label in "ab" for n in range(2)))
    found = listing(tmp_path)
    assert tuple(dict.fromkeys(file.part for file in found.files)) == expected
    assert found.classes == ["a", "b"]
    assert found.drawn == (len(parts) == 1)


def test_a_class_that_is_only_tested_on_is_left_out(tmp_path):
    touch(tmp_path, "train/a/1", "train/b/1", "test/a/2", "test/b/2", "test/c/3")
    found = listing(tmp_path)
    assert found.classes == ["a", "b"]
    assert why(found) == {"test/c/3": "its class c has no picture to train on"}


def test_a_class_of_one_picture_is_left_out(tmp_path):
    touch(tmp_path, "a/1", "a/2", "b/1", "b/2", "c/1")
    found = listing(tmp_path)
    assert found.classes == ["a", "b"]
    assert "one cannot be learnt and tested too" in why(found)["c/1"]


def test_names_of_any_kind_are_read_and_leftovers_passed_over(tmp_path):
    names = ("two words/ü.png", "🐝/日本.png", "[brackets]/a[1].png", "* ?/~.png")
    touch(tmp_path, *names, *(f"{Path(name).parent}/second.png" for name in names))
    touch(tmp_path, ".git/x", "🐝/.hidden.png", "🐝/Thumbs.db", "🐝/desktop.ini", ".DS_Store")
    found = listing(tmp_path)
    assert {file.name for file in found.files} >= set(names)
    assert len(found.files) == 8 and not found.left_out


def test_links_are_not_followed(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    touch(outside, "secret.png")
    touch(inside, "a/1", "a/2", "b/1", "b/2")
    (inside / "a" / "leaves.png").symlink_to(outside / "secret.png")
    (inside / "b" / "round").symlink_to(inside)
    (inside / "c").symlink_to(outside)
    found = listing(inside)
    assert len(found.files) == 4
    assert why(found) == dict.fromkeys(
        ("a/leaves.png", "b/round", "c"), "a link, which is not followed"
    )


def test_what_is_in_no_class_or_no_file_is_named(tmp_path):
    touch(tmp_path, "a/1", "a/2", "b/1", "b/2", "stray.png")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "a" / "pipe")
    assert why(listing(tmp_path)) == {
        "stray.png": "it lies in no class's folder",
        "empty": "an empty folder",
        "a/pipe": "neither a file nor a folder",
    }


def test_classes_that_differ_in_case_alone_are_noted(tmp_path):
    touch(tmp_path, "Ant/1", "Ant/2", "ant/1", "ant/2")
    found = listing(tmp_path)
    if found.classes == ["Ant", "ant"]:
        assert "upper and lower case alone: Ant, ant" in found.notes[0]


def test_folders_that_may_not_be_read_are_named():
    if os.geteuid():
        pytest.skip("only root can become somebody else")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        touch(root, "a/1", "a/2", "b/1", "b/2", "c/1")
        root.chmod(0o755)
        (root / "c").chmod(0)
        os.seteuid(65534)
        try:
            assert why(listing(root)) == {"c": "it cannot be read: Permission denied"}
            with pytest.raises(ComparisonError, match="Permission denied"):
                listing(root / "c")
        finally:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "holds no pictures: give a folder with one sub-folder"),
        (("a.png",), "holds no pictures (1 left out, the first a.png: it lies in no class"),
        (("a/1.png", "a/2.png"), "holds pictures of one class alone, a"),
        (("a/1.png", "a/2.png", "b/1.png"), "holds pictures of one class alone, a"),
        (("train/a/1", "train/a/2", "val/a/3"), "holds pictures of one class alone, a"),
    ],
)
def test_what_cannot_be_compared_is_one_line(tmp_path, names, said):
    touch(tmp_path, *names)
    with pytest.raises(ComparisonError) as error:
        listing(tmp_path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (("train", "dev"), "holds train/ as if in parts, but dev/ beside it is no part"),
        (("holdout", "test"), "holds test/ as if in parts, but holdout/ beside it is no part"),
        (("test", "val"), "holds test/, val/ as if in parts, but no train/ is beside them"),
        (
            ("train", "Training"),
            "no val/ or test/ is beside them: parts are train with val, test or both",
        ),
    ],
)
def test_parts_that_do_not_go_together_are_one_line(tmp_path, folders, said):
    for part in folders:
        touch(tmp_path, *(f"{part}/{label}/{n}.png" for label in "ab" for n in range(2)))
        touch(tmp_path, f"{part}/notes.txt")
    with pytest.raises(ComparisonError, match=said):
        listing(tmp_path)


def test_a_class_may_be_called_like_a_part(tmp_path):
    touch(tmp_path, *(f"{label}/{n}.png" for label in ("bus", "train") for n in range(2)))
    found = listing(tmp_path)
    assert found.classes == ["bus", "train"] and found.drawn


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("head", ["", "path{0}label\n", "label{0}other{0}File\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff", "\n  \n"])
def test_a_csv_names_pictures(tmp_path, separator, head, mark):
    drawn.folder(tmp_path, each=2)
    rows = [
        ["x/../ants/000.png", "ants"],
        ["ants/001.png", "ants"],
        ["bees/000.png", "bees"],
        ["bees/001.png", "bees"],
        ["gone.png", "bees"],
    ]
    (tmp_path / "x").mkdir()
    if head.startswith("label"):
        rows = [[label, "?", name] for name, label in rows]
    lines = "\n".join(separator.join(row) for row in rows)
    path = tmp_path / "list.CSV"
    path.write_text(mark + head.format(separator) + lines, encoding="utf-8")
    found = listing(path)
    assert found.classes == ["ants", "bees"] and len(found.files) == 4
    assert why(found) == {"gone.png": "there is no such file"}


def test_a_csv_may_say_what_is_tested_on(tmp_path):
    drawn.folder(tmp_path, each=2)
    rows = "file,class,split\nants/000.png,ants,train\nbees/000.png,bees,train\n"
    rows += "ants/001.png,ants,test\nbees/001.png,bees,other\nants,ants,train\n"
    (tmp_path / "list.csv").write_text(rows)
    found = listing(tmp_path / "list.csv")
    assert found.counts() == {"train": 2, "test": 1} and not found.drawn
    assert why(found) == {"bees/001.png": "its row has no known split: other", "ants": "not a file"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no list of pictures"),
        (b",\n,\n", "is no list of pictures"),
        (b"\n \n", "is no list of pictures"),
        (b"words\nwithout any\n", "is no list of pictures"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b'a,"b\nc,d', "is no list of pictures"),
        (b"path,label\n", "holds no pictures"),
        (
            b"gone.png,a\n",
            "holds no pictures (1 left out, the first gone.png: there is no such file): name "
            "pictures of two classes or more, by their paths from its own folder",
        ),
    ],
)
def test_a_csv_that_is_none_is_one_line(tmp_path, content, said):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(ComparisonError) as error:
        listing(path)
    assert said in str(error.value)


def test_many_files_are_listed_soon(tmp_path):
    """200,000 are to take ten seconds."""
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(2000):
            os.close(os.open(tmp_path / label / f"{number}.jpg", os.O_CREAT))
    begun = time.process_time()
    assert len(listing(tmp_path).files) == 4000
    assert time.process_time() - begun < 4000 * 10 / 200_000 * 3  # a slow machine is no reason
