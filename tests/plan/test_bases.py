"""Bases by their place: SavedModels and files of this project; and what is no base."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import pytest
from networks import SHAPE, build, one_run, through
from stripes import patterns

from comparisons import cifar
from comparisons.core import records
from comparisons.core.errors import ComparisonError
from comparisons.data import prepare
from comparisons.plan import arms
from comparisons.plan.runs import Run, command_line
from comparisons.running.pretraining import pretrain
from comparisons.training import run as training
from comparisons.training.device import Runtime
from models import adapt, catalog, flops

CPU = Runtime("cpu", "a processor", 1, "float32", "tensorflow")


def test_a_saved_model_is_a_frozen_base(saved):
    arm = arms.parse(f"hub:{saved}/images:frozen")
    assert arm.name == "hub:images:frozen"
    assert arms.parse(arm.written) == arm
    network = adapt.build(arm.model, SHAPE, 3, saved / "images")
    adapt.set_trainable(network, "head")
    images = patterns(3, 0, 32)[0]
    layer = network.base.layers[-1]
    small = keras.layers.Resizing(24, 24)(images.astype(np.float32)) / 255
    wanted = layer.loaded.serve(small).numpy()
    np.testing.assert_allclose(through(network.backbone, images), wanted, atol=1e-5)
    assert network.backbone.count_params() == 5 * 5 * 3 * 6 + 6
    assert flops.forward(network.backbone) == 2 * 7 * 7 * 5 * 5 * 3 * 6


def trained(run: Run, data: Path) -> Any:
    return training.run(run, prepare(str(data), None), CPU)[0]


def test_a_run_on_a_saved_model_tells_what_it_is_but_not_where(saved, tiny_npz, cache):
    run = one_run(f"hub:{saved}/images:probe", tiny_npz)
    record = trained(run, tiny_npz)
    assert record.status in ("ok", "diverged") and record.test is not None
    assert str(saved) not in msgspec.json.encode(record).decode()
    assert record.settings.base == records.Base(digest=record.weights.hash)
    assert record.weights.upstream["source"] == "not stated by the SavedModel"
    other = one_run(f"hub:{saved}/maps:probe", tiny_npz)
    assert other.settings.base != run.settings.base


def test_the_content_of_a_saved_model_decides_the_run(saved, tiny_npz, tmp_path):
    shutil.copytree(saved / "images", tmp_path / "images")
    first = one_run(f"hub:{saved}/images:frozen", tiny_npz)
    assert one_run(f"hub:{tmp_path}/images:frozen", tiny_npz).id == first.id
    (tmp_path / "images" / "more.txt").write_text("more")
    assert one_run(f"hub:{tmp_path}/images:frozen", tiny_npz).id != first.id


@pytest.mark.parametrize("name", ["tiny", "cnn", "mobilenet@0.25x32"])
def test_a_base_from_a_file_is_what_its_card_says(made, name):
    arm, again = (arms.parse(f"file:{made}/{name}{end}:full") for end in (".weights.h5", ".json"))
    assert arm == again
    assert arm.name == f"file:{name}:full"
    assert (arm.model.source, arm.model.upstream.images) == ("shapes-source", 36_000)
    own = arms.parse(f"{name}:scratch")
    assert (arm.model.builder, arm.model.options) == (own.model.builder, own.model.options)
    path = catalog.weights_file(arm.model)
    network = adapt.build(arm.model, SHAPE, 3, path)
    images = patterns(2, 0, 32)[0]
    wanted = through(build(name, path).backbone, images)
    assert (through(network.backbone, images) == wanted).all()


@pytest.mark.ci
def test_pretrain_and_use_what_it_made(tmp_path, tiny_npz):
    other = tmp_path / "other.npz"
    x, y = patterns(200, 7)
    np.savez(other, x_train=x, y_train=y, x_test=x[:30], y_test=y[:30])
    pretrain(str(other), "cnn", tmp_path / "bases", epochs=1)
    base = f"file:{tmp_path}/bases/cnn.json"
    (record,) = cifar.compare([f"{base}:full"], tiny_npz, 200, 0, epochs=2)
    assert (record.arm, record.model, record.error) == ("file:cnn:full", "file:cnn", None)
    assert record.weights.upstream["source"] == "its card, cnn.json"
    assert record.weights.origin == "other.npz: cnn.weights.h5"
    assert str(tmp_path) not in msgspec.json.encode(record).decode()
    with pytest.raises(ComparisonError, match="the target itself"):
        cifar.compare([f"{base}:frozen"], other, 100, 0)


REFUSED = {
    "hub:{saved}/nothing:frozen": "no SavedModel",
    "hub:{saved}/images:full": "probe, frozen, frozen-views, not full",
    "hub::frozen": "no SavedModel",
    "hub:https://[:frozen": "names no base",
    "file:{made}/tiny:full": "MODEL.weights.h5 or the MODEL.json",
    "file:{made}/none.json:full": "is not there",
    "file:{made}/tiny.json:scratch": "write the model's own name",
    "xception@64:frozen": "the size must be 71 to 512 pixels",
    "resnet50@0.5x64:frozen": "write it as resnet50@SIZE",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_base_is_refused_when_it_is_read(saved, made, text):
    with pytest.raises(ComparisonError, match=REFUSED[text]) as error:
        arms.parse(text.format(saved=saved, made=made))
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)


def test_a_card_that_is_none_is_refused(made, tmp_path):
    shutil.copy(made / "tiny.weights.h5", tmp_path)
    for text in ("{}", "[]", "not json", '{"model": "tini"}', '{"model": 3}'):
        (tmp_path / "tiny.json").write_text(text)
        with pytest.raises(ComparisonError, match=r"no card of comparisons\.pretrain"):
            arms.parse(f"file:{tmp_path}/tiny.json:full")


@pytest.mark.ci
def test_the_bundled_base_is_not_tried_on_the_task_that_it_comes_from(cache):
    with pytest.raises(ComparisonError, match=r"tiny: .* shapes-source, the target itself"):
        cifar.compare("tiny:frozen", "shapes-source", 100, 0, epochs=1)


def test_two_bases_of_one_name_are_refused(saved, tmp_path):
    shutil.copytree(saved / "maps", tmp_path / "images")
    with pytest.raises(ComparisonError, match="both be called hub:images:frozen"):
        cifar.compare([f"hub:{saved}/images:frozen", f"hub:{tmp_path}/images:frozen"], "shapes")


def test_a_command_is_shown_without_folders():
    typed = ["--arms", "hub:/some/dir/name:frozen", "file:/a/b/tiny.json:full", "cnn:scratch"]
    shown = command_line("comparisons.cifar", typed)
    assert shown.endswith("--arms hub:name:frozen file:tiny:full cnn:scratch")


def test_a_command_that_is_shown_can_be_typed_again():
    shown = command_line("comparisons.tune", ["cnn:scratch", "--tries", "twice the epochs"])
    assert shown.endswith("comparisons.tune cnn:scratch --tries 'twice the epochs'")
