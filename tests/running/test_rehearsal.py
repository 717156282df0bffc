"""What cannot be is found before anything trains."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from typing import Any

import pytest
from networks import one_run

from comparisons import cifar
from comparisons.core.errors import ComparisonError
from comparisons.core.events import Error
from comparisons.data import prepare
from comparisons.plan import arms
from comparisons.plan.strategies import STRATEGIES
from comparisons.running import process, rehearsal
from comparisons.training import building
from models import adapt

IMPOSSIBLE = {
    "tiny:partial@9": "cannot train the last 9 of 8 blocks (block0",
    "tiny:hybrid@40": "cannot replace the last 40 of 8 blocks (block0",
    "tiny:lora@33": "rank 33 is larger than block1_pointwise (32x64): 1 to 32 can be had",
    "file:{made}/cnn.json:lora": "no pointwise convolution",
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


def test_the_usual_arms_are_not_rehearsed(tiny_npz, monkeypatch):
    def refuse(task: Any) -> Any:
        raise AssertionError(task)

    monkeypatch.setattr(process, "Worker", refuse)
    usual = ["cnn:scratch", "mobilenet:frozen", "vgg16:full", "tiny:frozen", "mobilenet:lora"]
    planned = [one_run(text, tiny_npz) for text in usual]
    rehearsal.rehearse(planned, prepare(str(tiny_npz), None), print)
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
