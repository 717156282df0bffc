"""What the tests share: a cache folder of their own, small data, and what may not be there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before anything imports the project or a framework. A folder named by COMPARISONS_TEST_CACHE
# is kept, so that repeated runs need not decode the real data again.
_KEPT = os.environ.get("COMPARISONS_TEST_CACHE")
_CACHE = _KEPT or tempfile.mkdtemp(prefix="comparisons-tests-")
os.environ["COMPARISONS_CACHE"] = _CACHE
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# Tests compare numbers with references, which a GPU would compute in half precision.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402
from stripes import patterns  # noqa: E402

import models  # noqa: E402, F401  (before OpenVINO, which is then not able to report)
from comparisons.core.machine import ROOT  # noqa: E402

# A busy machine is no reason to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    # What runs in a shell's background ignores interrupts, and so would all that it starts.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    for line in (
        # TensorFlow 2.21 and TensorFlow Datasets 4.9.10, while they are imported.
        "ignore:.*np.object.*:FutureWarning",
        # Keras asks numpy for copies in a way that numpy 2 announces to change.
        "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
    ):
        config.addinivalue_line("filterwarnings", line)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _KEPT:
        shutil.rmtree(_CACHE, ignore_errors=True)


@pytest.fixture(autouse=True, scope="module")
def fresh_keras() -> Iterator[None]:
    """Forget the networks of a test module when it ends."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder for one test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("COMPARISONS_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def tiny_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set that is quickly learnt: 3 classes, 300 and 90 images of 20x20x3."""
    path = tmp_path_factory.mktemp("tiny") / "stripes.npz"
    (x_train, y_train), (x_test, y_test) = patterns(300, 0), patterns(90, 1)
    np.savez(
        path,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=np.array(["upright", "lying", "both"]),
    )
    return path


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the local TFDS data sets."""
    folder = os.environ.get("TFDS_DATA_DIR")
    if not folder or not list(Path(folder).glob("cifar10/*/dataset_info.json")):
        pytest.skip("TFDS_DATA_DIR names no folder that holds cifar10")
    return Path(folder)


@pytest.fixture(scope="session")
def mobilenet_weights() -> Path:
    """The published weights of MobileNet 0.25."""
    from models import catalog

    path = catalog.weights_file(catalog.MODELS["mobilenet"])
    if not path.is_file():
        pytest.skip(f"{path.name} is not in the folder models of KERAS_HOME")
    return path


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of SavedModels: `images`, `words`, `maps` and `grey`."""
    import networks

    return networks.save_models(tmp_path_factory.mktemp("saved"))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bases with their cards: `tiny`, `cnn` and `mobilenet@0.25x32`."""
    import networks

    return networks.save_bases(tmp_path_factory.mktemp("made"))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach the network is an error."""
    import socket

    def refuse(*arguments: Any, **named: Any) -> Any:
        raise AssertionError(f"the network was asked for {arguments[-1]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start Python code in a process of its own; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
