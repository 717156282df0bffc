"""The door to the user's own pictures: an answer from a folder, every mistake in one line."""

from __future__ import annotations

import csv
import os
import unicodedata
from pathlib import Path

import drawn_pictures as drawn
import numpy as np
import pytest

from comparisons import cifar, images, pretrain, tune
from comparisons.core import audit, records
from comparisons.core.errors import ComparisonError
from comparisons.core.records import data_name
from comparisons.data import catalog
from comparisons.findings.view import view
from comparisons.live.contest import Asked, Contest
from comparisons.live.feed import Feed
from comparisons.plan.request import Request
from comparisons.report.looked import looked


def said(capsys, *arguments) -> str:
    assert images.main([str(one) for one in arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_ten_pictures_get_an_honest_answer(cache, tmp_path, capsys):
    root = drawn.folder(tmp_path / "ten 🐜 [pictures]", each=5)
    (root / "ants" / "notes.txt").write_text("not a picture")
    before = sorted((path, path.stat().st_mtime_ns) for path in [root, *root.rglob("*")])
    out = tmp_path / "out"
    command = [str(root), "--arms", "tiny:frozen", "--seeds", "0", "--epochs", "2"]
    assert images.main([*command, "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert shown.err == "" and "Too few to tell: with 2 test images in all" in " ".join(
        shown.out.split()
    )
    assert "ants/notes.txt (not a picture that Pillow reads)" in " ".join(shown.out.split())
    assert shown.out.count("How long this takes is unknown: nothing near it was measured") == 1
    found, _ = records.load_all(out)
    assert [one.train_size for one in found] == [7]
    assert {one.data.drawn_from for one in found} == {10}
    assert {one.data.name for one in found} == {root.name}
    assert {one.settings.image_size for one in found} == {48}
    seen = audit.read(out, found[0].data.fingerprint)
    assert seen is not None and seen.used == 10
    page = (out / "report.html").read_text()
    assert "Your pictures" in page and "notes.txt" in page and "Too few to tell" in page
    assert (out / "manifest.csv").is_file()
    assert "no model is kept: none of the runs" in " ".join(shown.out.split())  # unasked: no error
    assert before == sorted((path, path.stat().st_mtime_ns) for path in [root, *root.rglob("*")])
    # A plan names the runs that the command itself does, and knows which of them are done.
    assert images.main([*command, "--out", str(out), "--dry-run"]) == 0
    assert "Nothing is left to run." in capsys.readouterr().out
    # Without the audit the page has no such section.
    (out / audit.FILE).write_text("{")
    assert looked(out, view(found)) is None


def test_a_csv_with_its_own_split_is_compared(cache, tmp_path, capsys):
    root = drawn.folder(tmp_path / "photos", each=20)
    parts = ["train"] * 12 + ["val"] * 4 + ["Test"] * 4
    rows = [
        f"{label},photos/{label}/{number:03}.png,{part}"
        for label in ("ants", "bees")
        for number, part in enumerate(parts)
    ]
    (tmp_path / "list.csv").write_text("\n".join(["label,file,split", *rows]))
    before = sorted((path, path.stat().st_mtime_ns) for path in root.rglob("*"))
    asked = ["--arms", "tiny:probe", "--seeds", "0", "--epochs", "1"]
    out = tmp_path / "out"
    assert images.main([str(tmp_path / "list.csv"), *asked, "--out", str(out)]) == 0
    assert "split: train 24, validation 8, test 8" in capsys.readouterr().out
    found, _ = records.load_all(out)
    assert {one.train_size for one in found} == {24} and len(found) == 1
    assert {(one.data.sizes.validation, one.data.sizes.test) for one in found} == {(8, 8)}
    assert all(one.test and not one.data.drawn_from for one in found)
    with (out / "manifest.csv").open() as file:
        told = {row["file"]: row["part"] for row in csv.DictReader(file)}
    names = {"train": "train", "val": "validation", "Test": "test"}
    assert told == {row.split(",")[1]: names[row.split(",")[2]] for row in rows}
    assert before == sorted((path, path.stat().st_mtime_ns) for path in root.rglob("*"))


@pytest.mark.ci
def test_uneven_classes_are_weighed_and_that_is_said(cache, tmp_path, capsys):
    root = drawn.folder(tmp_path / "p", each=24)
    for path in sorted((root / "bees").iterdir())[8:]:
        path.unlink()
    command = [str(root), "--arms", "tiny:probe", "--seeds", "0", "--epochs", "2"]
    assert images.main([*command, "--dry-run"]) == 0
    assert "classes weighed alike" in " ".join(capsys.readouterr().out.split())
    out = tmp_path / "out"
    assert images.main([*command, "--out", str(out)]) == 0
    said = "classes are uneven: in training an image of class c weighs n / (k n_c)"
    assert said in " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert said in (out / "report.html").read_text()
    found, _ = records.load_all(out)
    assert found and all(p.class_weights for one in found for p in one.phases)
    plain = images.compare(
        root, "tiny:probe", seeds=0, epochs=2, class_weights="off", out=tmp_path / "plain"
    )
    assert not {one.id for one in plain} & {one.id for one in found}
    assert not any("uneven" in notice for one in plain for notice in one.notices)


@pytest.mark.ci
def test_a_model_that_few_pictures_chose_is_announced_with_that(cache, tmp_path, capsys):
    root = drawn.folder(tmp_path / "p", each=24)
    arms = ["--arms", "tiny:probe", "tiny:frozen", "--seeds", "0", "--epochs", "4"]
    assert images.main([str(root), *arms, "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    (line,) = (one for one in shown.splitlines() if one.startswith("the model:"))
    assert "the best of 2 arms on" in line and "too few to choose by" in line
    assert "too few to choose by" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        ((), "holds no pictures"),
        (("ants/1.png", "ants/2.png"), "one class alone, ants"),
        (("1.png", "2.png"), "it lies in no class's folder"),
        (("ants/1.png", "ants/2.png", "bees/1.png"), "one class alone, ants"),
    ],
)
def test_a_folder_without_two_classes_is_one_line(cache, tmp_path, capsys, names, hint):
    for name in names:
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).touch()
    (tmp_path / "p").mkdir(exist_ok=True)
    assert hint in said(capsys, tmp_path / "p", "--arms", "tiny:frozen", "--out", tmp_path / "out")


def test_files_that_are_no_pictures_are_one_line(cache, tmp_path, capsys):
    for name in ("ants/1.png", "ants/2.png", "bees/1.png", "bees/2.png"):
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_text("nothing")
    line = said(capsys, tmp_path / "p", "--arms", "tiny:frozen", "--out", tmp_path / "out")
    assert "holds no pictures (4 left out" in line


def test_pictures_of_one_burst_for_each_class_are_one_line(cache, tmp_path, capsys):
    root = drawn.bursts(tmp_path / "p", ("ants", 1, 5), ("bees", 2, 5))
    line = said(capsys, root, "--arms", "tiny:frozen", "--out", tmp_path / "out")
    assert "no test set can be drawn" in line and "add pictures" in line


def test_a_class_that_is_never_tested_on_is_said_on_terminal_and_page(cache, tmp_path, capsys):
    bees = [("bees", scene, 2) for scene in range(2, 7)]
    root = drawn.bursts(tmp_path / "p", ("ants", 1, 3), *bees)
    asked = ["--arms", "mlp:scratch", "--epochs", "1", "--seeds", "0", "--image-size", "32"]
    assert images.main([str(root), *asked, "--out", str(tmp_path / "out")]) == 0
    wanted = "no test image of ants: no figure here says how often it is recognised"
    assert wanted in " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert wanted in (tmp_path / "out" / "report.html").read_text()


def test_a_class_that_a_small_training_set_lacks_is_said_on_terminal_and_page(
    cache, tmp_path, capsys
):
    root = drawn.folder(tmp_path / "p", each=30, classes=("ants",))
    drawn.folder(root, each=4, classes=("bees",))
    out = ["--out", str(tmp_path / "out")]
    asked = ["--arms", "mlp:scratch", "--epochs", "1", "--seeds", "0", "--image-size", "32"]
    assert images.main([str(root), *asked, "--train-size", "2", "20", *out]) == 0
    wanted = "no image to learn from of bees (with 2 training images), with one seed at least"
    assert wanted in " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert wanted in (tmp_path / "out" / "report.html").read_text()
    assert images.main([str(root), *asked, "--train-size", "20", *out]) == 0
    assert "no image to learn from" not in capsys.readouterr().out


@pytest.mark.parametrize("more", [["--dry-run"], []])
def test_a_file_where_results_belong_is_told_before_pictures_are_read(
    cache, tmp_path, capsys, more
):
    root = drawn.folder(tmp_path / "p", each=4)
    (tmp_path / "taken").touch()
    out = tmp_path / "taken" / "results"
    assert images.main([str(root), "--arms", "tiny:frozen", "--out", str(out), *more]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"--out {out}: {tmp_path / 'taken'} is a file, name a folder" in line
    assert not list(cache.rglob("*.npy"))


def test_other_mistakes_are_one_line(cache, tmp_path, capsys, monkeypatch):
    root = drawn.folder(tmp_path / "p", each=4)
    assert "there is no folder none" in said(capsys, "none")
    assert "name a folder" in said(capsys)
    assert "--image-size 5: give 32 to 512" in said(capsys, root, "--image-size", 5)
    (tmp_path / "p.txt").touch()
    assert "p.txt is a file: name a folder with" in said(capsys, tmp_path / "p.txt")
    within = said(capsys, root, "--arms", "tiny:frozen", "--out", root / "results")
    assert "where nothing is ever changed" in within and not (root / "results").exists()
    monkeypatch.chdir(root)
    assert "results/p lies within" in said(capsys, ".", "--arms", "tiny:frozen")
    assert sorted(path.name for path in root.iterdir()) == ["ants", "bees"]
    with pytest.raises(ComparisonError, match="there is no folder"):
        images.compare("none")


@pytest.mark.parametrize(
    ("door", "arguments"),
    [
        (cifar, "--data photos --arms tiny:frozen --out photos/results"),
        (cifar, "--data {root} --arms tiny:frozen --out photos/results"),
        (images, "link --arms tiny:frozen --out link/results"),
        (images, "photos --arms tiny:frozen --out link/ants"),
        (images, "photos --arms tiny:frozen --out photos/results --dry-run"),
        (images, "list.csv --arms tiny:frozen --out photos/ants/results"),
        (images, "list.csv --arms tiny:frozen --out link/bees"),
        (images, "photos --arms tiny:frozen --tensorboard link/board"),
        (tune, "tiny:frozen --data photos --out photos/tuning"),
        (pretrain, "--data photos --model cnn --out photos/base"),
    ],
)
def test_by_no_name_is_anything_written_into_the_pictures(
    cache, tmp_path, capsys, monkeypatch, door, arguments
):
    root = drawn.folder(tmp_path / "photos", each=4)
    (tmp_path / "link").symlink_to("photos")
    listed(tmp_path / "list.csv", root)
    before = sorted(root.rglob("*"))
    monkeypatch.chdir(tmp_path)
    assert door.main(arguments.format(root=root).split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "where nothing is ever changed" in line
    assert sorted(root.rglob("*")) == before and not any(cache.rglob("*.npy")), "not even decoded"


def listed(path: Path, root: Path) -> Path:
    """A CSV that names the pictures of a folder."""
    rows = [f"{os.path.relpath(one, path.parent)},{one.parent.name}" for one in root.rglob("*.png")]
    path.write_text("\n".join(["path,label", *sorted(rows)]))
    return path


def test_results_of_a_csv_lie_beside_folders_of_pictures_and_in_none(
    cache, tmp_path, capsys, monkeypatch
):
    root = drawn.folder(tmp_path / "photos", each=4)
    listed(root / "list.csv", root)
    for place in (tmp_path, root):
        monkeypatch.chdir(place)
        catalog.must_lie_outside(str(root / "list.csv"), Path("results", "list"))
    # Where pictures lie beside the CSV, so would its results.
    listed(root / "ants" / "list.csv", root)
    monkeypatch.chdir(root / "ants")
    line = said(capsys, "list.csv", "--arms", "tiny:frozen")
    assert "results/list lies within" in line and "where nothing is ever changed" in line
    assert not (root / "ants" / "results").exists()


@pytest.mark.parametrize(("inside", "name"), [(".", "."), ("ants", "..")])
def test_results_of_the_folder_we_are_in_are_called_after_it_and_go_elsewhere(
    cache, tmp_path, capsys, monkeypatch, inside, name
):
    root = drawn.folder(tmp_path / "photos", each=4)
    monkeypatch.chdir(root / inside)
    assert Request(default_out=True).folder(name) == Path("results", "photos")
    assert data_name(name) == "photos"
    assert cifar.main(["--data", name, "--arms", "tiny:frozen"]) == 2
    assert "results/photos lies within" in capsys.readouterr().err
    with pytest.raises(ComparisonError, match="where nothing is ever changed"):
        Contest(Feed()).start(Asked(arms=["tiny:frozen"], data=name))
    with pytest.raises(ComparisonError, match="where nothing is ever changed"):
        Contest(Feed(), target=root / "page").start(Asked(arms=["tiny:frozen"], data=str(root)))
    assert sorted(path.name for path in root.iterdir()) == ["ants", "bees"]


@pytest.mark.ci
def test_another_folder_of_the_same_name_takes_the_place_of_nothing(cache, tmp_path, capsys):
    for each, place in enumerate("ab", start=4):
        drawn.folder(tmp_path / place / "photos", each=each)
    out = str(tmp_path / "out")
    asked = ["--arms", "mlp:scratch", "--epochs", "1", "--seeds", "0", "--image-size", "32"]
    asked += ["--out", out]
    assert images.main([str(tmp_path / "a" / "photos"), *asked]) == 0
    before = {path: path.read_bytes() for path in Path(out).rglob("*") if path.is_file()}
    assert str(tmp_path) not in before[Path(out, audit.FILE)].decode()
    capsys.readouterr()
    line = said(capsys, tmp_path / "b" / "photos", *asked)
    assert "has the results of another folder called photos" in line and "--out" in line
    assert before == {path: path.read_bytes() for path in Path(out).rglob("*") if path.is_file()}
    # The same folder goes on, though it has changed, and so does its content elsewhere.
    drawn.picture(99).save(tmp_path / "a" / "photos" / "ants" / "new.png")
    assert images.main([str(tmp_path / "a" / "photos"), *asked]) == 0
    (tmp_path / "a").rename(tmp_path / "c")
    assert images.main([str(tmp_path / "c" / "photos"), *asked]) == 0


def test_names_do_nothing_to_a_terminal(cache, tmp_path, capsys):
    classes = ("a\x1b[2J\x1b]0;title\x07", "b\nb")
    root = drawn.folder(tmp_path / "p\x1b[31m", each=4, classes=classes)
    (root / "b\nb" / "\x9b31m.png").write_text("no picture")
    asked = ["--arms", "mlp:scratch", "--epochs", "1", "--seeds", "0", "--image-size", "32"]
    assert images.main([str(root), *asked, "--out", str(tmp_path / "p\x1bout")]) == 0
    shown = capsys.readouterr()
    assert not {c for c in shown.out + shown.err if unicodedata.category(c) == "Cc"} - {"\n"}
    assert r"a\x1b[2J\x1b]0;title\x07" in shown.out and "not a picture" in shown.out


def test_the_plan_is_shown_without_decoding(cache, tmp_path, capsys):
    root = drawn.folder(tmp_path / "p", each=50)
    assert (
        images.main([str(root), "--arms", "mobilenet:frozen", "--image-size", "96", "--dry-run"])
        == 0
    )
    shown = capsys.readouterr().out
    assert "6 runs" in shown and "mobilenet@0.25x96:frozen" in shown
    assert all(f" {size} " in shown for size in (72, 36))
    assert not cache.exists() or not any(cache.rglob("*.npy"))


@pytest.mark.slow
def test_pictures_of_several_seeds_share_features_and_still_are_their_own(cache, tmp_path):
    """What a seed tests on is extracted once, and never mixed up with another seed's."""
    root = drawn.folder(tmp_path / "p", each=8)
    both = images.compare(
        root, "tiny:frozen", seeds=[0, 1], epochs=2, train_size=8, out=tmp_path / "out"
    )
    cache.rename(tmp_path / "away")
    (alone,) = images.compare(root, "tiny:frozen", seeds=[1], epochs=2, train_size=8)
    assert both[1].id == alone.id
    assert both[1].test.right == alone.test.right
    assert np.isclose(both[1].test.loss, alone.test.loss, rtol=1e-3)
