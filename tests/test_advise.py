"""The door of advice: what it refuses, says and loads."""

from __future__ import annotations

import json
import subprocess
import sys

import drawn_pictures as drawn
import factory
import numpy as np
import pytest
from PIL import Image

from comparisons import advise
from comparisons.core import records
from comparisons.core.machine import ROOT, cpu_name
from comparisons.core.probe import Speed
from comparisons.findings import experience
from comparisons.running import advising, measured

FIELDS = {
    "arm", "accuracy", "seconds", "runner_up", "evidence", "reaches", "would_change", "notes",
}  # fmt: skip

# What takes a second or more to load; answering within five leaves three for the probe.
HEAVY = {
    "tensorflow", "keras", "jax", "torch", "openvino", "tensorflow_datasets", "tensorflow_hub",
    "matplotlib", "jinja2",
}  # fmt: skip


def said(capsys, *arguments) -> dict:
    assert advise.main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ([], "--data"),
        (["--images", "100"], "--classes"),
        (["--images", "1", "--classes", "5"], "--images 1"),
        (["--images", "100", "--classes", "1"], "--classes 1"),
        (["--images", "100", "--classes", "5", "--minutes", "0"], "--minutes 0"),
        (["--images", "100", "--classes", "5", "--minutes", "nan"], "--minutes nan"),
        (["--images", "100", "--classes", "5", "--minutes", "inf"], "above 0, to 1000000000"),
        (["--data", "cifar"], "cifar10"),
        (["--data", ""], "unknown data set ''"),
        (["--data", "shapes", "--images", "0"], "--images 0"),
        (["--data", "shapes", "--classes", "0"], "--classes 0"),
        (["--images", "100", "--classes", "5", "--records", "none"], "--records none: there is no"),
        (["--images", "100", "--classes", "5", "--records", __file__], "there is no such folder"),
    ],
)
def test_what_cannot_be_advised_on_is_said_in_one_line(arguments, hint, capsys):
    assert advise.main(arguments) == 2
    shown = capsys.readouterr().err
    assert hint in shown and len(shown.splitlines()) == 1


def test_one_object_says_all(capsys, tmp_path):
    found = said(capsys, "--images", 1000, "--classes", 10, "--minutes", 10, "--records", tmp_path)
    assert found.keys() == FIELDS
    assert found["accuracy"].keys() == {"mean", "low", "high"}
    assert found["seconds"].keys() == {"learning"}
    assert found["evidence"][0].keys() == {"data", "images", "records", "distance"}
    assert found["reaches"] is True


def test_images_and_classes_are_read_from_data(capsys, tmp_path):
    images, labels = np.zeros((20, 20, 20, 3), np.uint8), np.arange(20)
    np.savez(tmp_path / "few.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    found = said(capsys, "--data", tmp_path / "few.npz", "--records", tmp_path)
    # 18 images are fewer than were measured, and 20 classes are not.
    assert found["reaches"] is False and found["notes"][0].endswith("does not reach 18.")


def test_how_large_images_are_is_read_from_data_as_they_will_be_compared(cache, tmp_path):
    assert advising.known("mnist", None).side == 28
    for side in (48, 240):
        photos = drawn.folder(tmp_path / f"photos {side}", each=3)
        for path in photos.rglob("*.png"):
            Image.open(path).resize((side, side)).save(path)
        assert advising.known(str(photos), None).side == min(side, 160)


def test_drawings_are_told_from_photographs_by_a_flag_or_by_the_data(capsys, tmp_path):
    for seed in range(3):
        for arm, accuracy in (("tutorial-cnn:scratch", 0.95), ("tiny:frozen", 0.2)):
            run = factory.record(arm, seed, 1_000, accuracy=accuracy)
            run.data.name, run.data.synthetic = "shapes", True
            records.save(*factory.by_recipe(run), tmp_path / "mine")
    asked = "--images", 1000, "--classes", 10, "--records", tmp_path
    assert said(capsys, *asked, "--drawn")["arm"] == "tutorial-cnn:scratch"
    assert said(capsys, *asked, "--drawn")["evidence"][0]["data"] == "shapes"
    of_digits = said(capsys, "--data", "mnist", *asked)
    assert of_digits["arm"] == "tutorial-cnn:scratch"
    assert said(capsys, *asked)["evidence"][0]["data"] == "cifar10"


def test_a_file_that_is_no_record_is_named_beside_the_object_of_json(capsys, tmp_path):
    records.save(factory.record("cnn:scratch"), tmp_path)
    (tmp_path / "runs" / "odd.json").write_text("{}")
    asked = ["--images", "800", "--classes", "5", "--records", str(tmp_path), "--json"]
    assert advise.main(asked) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["arm"]
    assert told.err.startswith("left out: odd.json") and len(told.err.splitlines()) == 1


def test_with_other_records_it_answers_otherwise(capsys, tmp_path):
    before = said(capsys, "--images", 1000, "--classes", 10, "--records", tmp_path)
    assert before["arm"] != "tutorial-cnn:scratch"
    for seed in range(3):
        run = factory.record("tutorial-cnn:scratch", seed, 1_000, accuracy=0.95)
        run.data.synthetic = False
        records.save(*factory.by_recipe(run), tmp_path / "mine")
    after = said(capsys, "--images", 1000, "--classes", 10, "--records", tmp_path)
    assert after["arm"] == "tutorial-cnn:scratch"
    assert after["evidence"][0]["records"][0].startswith("tutorial-cnn")


def test_each_machine_has_its_own_ratio_and_own_runs_here_keep_their_seconds(tmp_path):
    mine = factory.by_recipe(*factory.records(["cnn:scratch"], seeds=3, sizes=(1_000,)))
    for run in mine:
        run.environment.device = cpu_name()
    packaged = experience.packaged()
    ((made_by, fast),) = packaged.speeds.items()
    found = measured.here(mine, Speed(fast.product / 2, fast.copy / 2))
    by_key = {(p.arm, p.images): p for p in found.points}
    before = {(p.arm, p.images): p for p in packaged.points}
    of_package = ("mobilenet@0.25x64:frozen", 1_000)
    assert by_key[of_package].seconds == pytest.approx(2 * before[of_package].seconds)
    assert by_key["cnn:scratch", 1_000].seconds == pytest.approx(mine[0].seconds.learning, 0.05)
    assert found.said == [
        f"This machine is taken to need 2 times as long as {made_by}.",
        "The seconds of your own runs here are taken as they are.",
    ]
    for run in mine:
        run.environment.device = "an unknown machine"
    assert "of an unknown machine are taken as" in measured.here(mine, fast).said[-1]


def test_runs_that_say_nothing_of_a_recipe_here_are_left_out_and_counted():
    """By a preset that trains for one epoch, or on a GPU: of the same arm and size as others."""
    fast = next(iter(experience.packaged().speeds.values()))
    short, usual, quick = (factory.record("cnn:scratch", s, 1_000, accuracy=0.3) for s in range(3))
    factory.by_recipe(usual, quick)
    quick.environment.device_kind = "gpu"
    found = measured.here([short, usual, quick], fast)
    (mine,) = [p for p in found.points if p.accuracy == 0.3]
    assert mine.records == (usual.id,)
    assert "Of your own runs 1 by other epochs or batches than their recipe's are left out." in (
        found.said
    )
    assert "Of your own runs 1 on a GPU or TPU are left out." in found.said


def test_committed_evidence_is_nobody_s_own_and_is_scaled_by_what_made_it(tmp_path):
    for place, arm in (("evidence/cifar10", "cnn:scratch"), ("mine", "tiny:frozen")):
        run = factory.record(arm, 0, 1_000)
        run.environment.device = cpu_name()
        records.save(run, tmp_path / place)
    found, left_out = measured.own([tmp_path])
    assert [run.arm for run in found] == ["tiny:frozen"] and left_out == []
    ((made_by, fast),) = experience.packaged().speeds.items()
    alone = measured.here([], Speed(fast.product / 2, fast.copy / 2))
    assert alone.said == [f"This machine is taken to need 2 times as long as {made_by}."]
    # By its own name it is still had.
    assert len(measured.own([tmp_path / "evidence"])[0]) == 1


def test_it_loads_no_framework_and_says_it_in_sentences(tmp_path):
    code = (
        "import sys; from comparisons import advise\n"
        "advise.main(['--images', '800', '--classes', '5', '--minutes', '10'])\n"
        f"heavy = {HEAVY} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    env = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=env
    )
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith("With 800 training images of 5 classes within 10")
    assert any(line.startswith("By what was measured on cifar10") for line in rest)
