"""What cannot be is found before anything trains."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from networks import build, damaged, one_run, published, put

from comparisons import cifar
from comparisons.core.errors import ComparisonError
from comparisons.core.events import Done, Error
from comparisons.data import prepare
from comparisons.plan import arms
from comparisons.plan.strategies import STRATEGIES
from comparisons.running import process, rehearsal, tasks
from comparisons.training import building
from models import adapt

IMPOSSIBLE = {
    "tiny:partial@9": "cannot train the last 9 of 8 blocks (block0",
    "tiny:hybrid@40": "cannot replace the last 40 of 8 blocks (block0",
    "tiny:lora@33": "rank 33 is larger than block1_pointwise (32x64): 1 to 32 can be had",
    "file:{made}/cnn.json:qlora": "no pointwise or dense layer, and Keras quantizes no other",
    "file:{made}/swapped.json:full": "holds the weights of another network",
    "hub:{saved}/words:frozen": "not a base for images: it must take float32 images",
    "hub:{saved}/maps:probe": "gives float32 [None, 7, 7, 6]",
    "hub:{saved}/grey:frozen": "it takes float32 [None, 24, 24, 1]",
}


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_the_rehearsal_says_in_one_line_what_a_base_does_not_allow(saved, made, text):
    shutil.copy(made / "tiny.json", made / "swapped.json")
    shutil.copy(made / "cnn.weights.h5", made / "swapped.weights.h5")
    arm = arms.parse(text.format(saved=saved, made=made))
    with pytest.raises(ComparisonError) as error:
        building.rehearse([arm.written], (32, 32, 3), 3)
    message = str(error.value)
    assert message.startswith(f"{arm.name}: ") and IMPOSSIBLE[text] in message
    assert "\n" not in message and str(saved) not in message and str(made) not in message


def test_a_mistake_ends_before_anything_trains(saved, tiny_npz, tmp_path, capsys):
    flags = ["--data", str(tiny_npz), "--out", str(tmp_path / "out"), "--epochs", "1"]
    assert cifar.main(["--arms", "cnn:scratch", f"hub:{saved}/words:frozen", *flags]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: hub:words:frozen: hub:words is not a base for images")
    assert not (tmp_path / "out" / "runs").exists()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty KERAS_HOME that weights are looked for in."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    folder = tmp_path / "keras" / "models"
    folder.mkdir(parents=True)
    return folder


FILE = "mobilenet_2_5_224_tf_no_top.h5"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of MobileNet's weights, as published but for the numbers."""
    return published(build("mobilenet@0.25x32").base, tmp_path_factory.mktemp("good") / FILE)


def said_of(arm: str) -> str:
    """What is said of an arm whose weights cannot be read, in one line."""
    with pytest.raises(ComparisonError) as error:
        building.rehearse([arm], (32, 32, 3), 3)
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_that_weights_cannot_be_read_from_is_named_with_what_to_do(home, good):
    address = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/"
    for content, problem in [
        *damaged(good.read_bytes()).values(),
        (with_nan(good).read_bytes(), "holds numbers that are not finite"),
        (published_of("mobilenetv2@32", home), "holds the weights of another network"),
    ]:
        path = put(content, home / FILE)
        assert said_of("mobilenet@0.25x32:frozen") == (
            f"mobilenet@0.25x32:frozen: {FILE} {problem}; remove it from {home}, then "
            f"{address}{FILE} is fetched again"
        )
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def with_nan(good: Path) -> Path:
    """A copy of a file of weights, one number of which is none."""
    copy = good.with_name(f"nan-{good.name}")
    shutil.copy(good, copy)
    with h5py.File(copy, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, one: names.append(name) if "kernel" in name else None)
        file[next(n for n in names if isinstance(file[n], h5py.Dataset))][0] = np.nan
    return copy


def published_of(name: str, folder: Path) -> bytes:
    """What a file of another network's weights holds."""
    path = published(build(name).base, folder / "another.h5")
    content = path.read_bytes()
    path.unlink()
    return content


def test_so_is_a_base_from_a_file(made, tmp_path):
    shutil.copy(made / "tiny.json", tmp_path)
    good = (made / "tiny.weights.h5").read_bytes()
    for kind, (content, problem) in damaged(good).items():
        if kind == "a folder":
            continue  # refused as an arm, before
        put(content, tmp_path / "tiny.weights.h5")
        assert said_of(f"file:{tmp_path}/tiny.json:full") == (
            f"file:tiny:full: tiny.weights.h5 {problem}; name another base, or make this one "
            "again by comparisons.pretrain"
        )


def test_weights_are_checked_before_anything_trains(home, good, tiny_npz, tmp_path, capsys):
    put(good.read_bytes()[:1000], home / FILE)
    flags = ["--data", str(tiny_npz), "--out", str(tmp_path / "out"), "--epochs", "1"]
    # Not named by a user: they are here, so that nothing takes their place.
    for named in (["--arms", "cnn:scratch", "mobilenet:frozen"], []):
        assert cifar.main([*named, *flags]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"error: mobilenet@0.25x160:frozen: {FILE} is no file of weights")
        assert said.count("\n") == 1
        assert not (tmp_path / "out" / "runs").exists()


@pytest.mark.parametrize("device", ["gpu", "tpu"])
def test_a_device_that_is_not_here_is_said_before_anything_trains(
    tiny_npz, tmp_path, capsys, device
):
    flags = ["--data", str(tiny_npz), "--out", str(tmp_path / "out"), "--epochs", "1"]
    assert cifar.main(["--arms", "cnn:scratch", "--device", device, *flags]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: --device {device}: none was found by the tensorflow backend")
    assert said.count("\n") == 1
    assert not (tmp_path / "out" / "runs").exists()


def test_the_usual_arms_are_rehearsed_once_for_their_weights(
    tiny_npz, home, good, cache, monkeypatch
):
    asked: list[list[str]] = []

    def worker(task: tasks.Rehearse) -> Any:
        asked.append(task.written)
        return nullcontext([Done()])

    monkeypatch.setattr(process, "Worker", worker)
    put(good.read_bytes(), home / FILE)
    put(b"of vgg16", home / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")
    usual = ["cnn:scratch", "mobilenet:frozen", "vgg16:full", "tiny:frozen", "mobilenet:lora"]
    planned = [one_run(text, tiny_npz) for text in usual]
    dataset = prepare(str(tiny_npz), None)
    rehearsal.rehearse(planned, dataset, print)
    fresh = ["mobilenet@0.25x160:frozen", "vgg16@64:full", "mobilenet@0.25x160:lora@8"]
    assert asked == [fresh]
    rehearsal.rehearse([*planned, one_run("mobilenet@0.25x96:probe", tiny_npz)], dataset, print)
    assert asked == [fresh]
    put(with_nan(good).read_bytes(), home / FILE)
    rehearsal.rehearse(planned, dataset, print)
    assert asked == [fresh, [name for name in fresh if "mobilenet" in name]]


def test_weights_that_were_refused_are_refused_again(tiny_npz, home, cache, monkeypatch):
    monkeypatch.setattr(process, "Worker", lambda task: nullcontext([Error("refused", 2)]))
    put(b"bad", home / FILE)
    for _ in range(2):
        with pytest.raises(ComparisonError, match="refused"):
            run = one_run("mobilenet:frozen", tiny_npz)
            rehearsal.rehearse([run], prepare(str(tiny_npz), None), print)


def test_other_arms_are_rehearsed_each_time(tiny_npz, monkeypatch):
    def refuse(task: Any) -> Any:
        raise AssertionError(task)

    monkeypatch.setattr(process, "Worker", refuse)
    usual = [one_run(text, tiny_npz) for text in ("cnn:scratch", "tiny:frozen")]
    rehearsal.rehearse(usual, prepare(str(tiny_npz), None), print)
    with pytest.raises(AssertionError, match="resnet50"):
        rehearsal.rehearse(
            [one_run("resnet50:frozen", tiny_npz)], prepare(str(tiny_npz), None), print
        )


WITH_OPTION = [name for name, row in STRATEGIES.items() if row.option]


@pytest.mark.parametrize("strategy", WITH_OPTION)
@pytest.mark.parametrize("base", ["tiny", "mobilenet@0.25x32"])
def test_what_is_not_rehearsed_can_be_built(base, strategy):
    arm = arms.parse(f"{base}:{strategy}")
    assert arm.model.name in rehearsal.SURE
    change = building.change_of(arm)
    network = adapt.build(arm.model, (32, 32, 3), 10, None, change)
    for phase in arm.strategy.phases:
        adapt.set_trainable(network, phase.trainable, arm.value or 0)
        adapt.halves(network, phase.trainable, arm.value or 0)


def test_an_unusual_option_is_rehearsed(tiny_npz, monkeypatch):
    refusal = nullcontext([Error("tried", 2)])
    monkeypatch.setattr(process, "Worker", lambda task: refusal)
    for text in ("tiny:lora@300", "vgg16:lora"):
        with pytest.raises(ComparisonError, match="tried"):
            rehearsal.rehearse([one_run(text, tiny_npz)], prepare(str(tiny_npz), None), print)
