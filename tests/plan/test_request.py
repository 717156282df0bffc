"""What is asked for and cannot be meant: said in one line, before anything else is done."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from comparisons import cifar
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT
from comparisons.plan.request import Request, check


def refused(request: Request) -> str:
    with pytest.raises(ComparisonError) as error:
        check(request)
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30])
def test_a_seed_that_no_library_takes_is_refused(seed):
    said = refused(Request(arms=("cnn:scratch",), seeds=(0, seed)))
    assert said == f"--seeds {seed}: seeds are numbers from 0 to 4294967295"


@pytest.mark.parametrize("flag", ["--out", "--data-dir", "--tensorboard"])
def test_no_folder_has_an_empty_name(flag, capsys):
    with pytest.raises(SystemExit) as end:
        cifar.main([flag, ""])
    assert end.value.code == 2
    said = f"error: argument {flag}: '' names no folder; the one you are in is ."
    assert capsys.readouterr().err.startswith(said)


def test_nor_has_a_data_set(capsys):
    assert cifar.main(["--data", "", "--dry-run"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown data set '': known: ")


def test_the_highest_seed_is_one():
    check(Request(arms=("cnn:scratch",), seeds=(2**32 - 1,)))


@pytest.mark.parametrize("name", ["theano", "numpy", "openvino", "keras", "..", "os.path"])
def test_a_backend_that_cannot_train_is_refused(monkeypatch, name):
    monkeypatch.setenv("KERAS_BACKEND", name)
    assert refused(Request()).startswith(
        f"KERAS_BACKEND={name}: no backend that trains; known: tensorflow, jax, torch"
    )


def test_a_backend_that_is_not_installed_is_refused(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert cifar.main(["--data", "shapes", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: KERAS_BACKEND=torch: torch is not installed here; install it")
    assert said.count("\n") == 1 and not (tmp_path / "out").exists()


@pytest.mark.ci
@pytest.mark.parametrize("named", [{}, {"KERAS_BACKEND": ""}])
def test_tensorflow_is_the_default_whatever_keras_is_set_to(tmp_path, named):
    """As the settings of a run, and so its ID, say."""
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "jax"}))
    code = (
        "from comparisons.core.machine import backend, before_loading\n"
        "before_loading()\n"
        "from keras.src.backend.config import backend as loaded\n"
        "print(backend(), loaded())"
    )
    others = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=others | {"KERAS_HOME": str(tmp_path)} | named,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["tensorflow", "tensorflow"], done.stderr[-500:]
