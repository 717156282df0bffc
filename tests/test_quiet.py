"""A whole run looks up no host and writes nowhere but where it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from comparisons.core.machine import ROOT

# Loaded by every process of Python that finds it: what asks for the network is written down.
WATCH = """
import os, socket

def asked(*arguments, **named):
    with open(os.environ["NETWORK_LOG"], "a") as file:
        file.write(repr(arguments) + "\\n")
    raise OSError("there is no network in this test")

socket.socket.connect = socket.getaddrinfo = socket.gethostbyname = asked
"""
# What names a file in order to make it; what is only read is no matter.
CALLS = "connect,sendto,openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,symlink"
MAKES = re.compile(r"O_CREAT|O_WRONLY|O_RDWR|^(creat|mkdir|mkdirat|rename\w*|link|symlink)\(")
# A call of one thread may be cut in two by another's; then it is not known how it ended.
CALL = re.compile(r"^(?:\d+ +)?(\w+\(.*)(?:\) += (-?\d+)|<unfinished)")
PLACES = ("home", "here", "cache", "out", "keras", "temporary")


def traced(log: Path) -> list[str]:
    """What writes a trace of system calls, where they can be traced here."""
    words = ["strace", "-f", "-qq", "--seccomp-bpf", "-y", "-s", "4096", "-e", f"trace={CALLS}"]
    if shutil.which("strace") and not subprocess.run([*words, "-o", log, "true"]).returncode:
        return [*words, "-o", str(log)]
    return []


def made(calls: list[str]) -> set[Path]:
    """Files and folders that were made or opened for writing."""
    found = set()
    for line in calls:
        call = CALL.match(line)
        if call and call[2] != "-1" and MAKES.search(call[1]):
            folder = re.search(r"\w+\((?:AT_FDCWD|\d+)<([^>]*)>", call[1])
            for name in re.findall(r'"([^"]*)"', call[1]):
                found.add(Path(folder[1] if folder else "/", name))
    return found


def run_quietly(tmp_path: Path, *arguments: str, **env: str) -> None:
    """Run a comparison whose every place is a folder of its own, and look at what it did."""
    places = {name: tmp_path / name for name in PLACES}
    for folder in places.values():
        folder.mkdir(exist_ok=True)
    (places["here"] / "sitecustomize.py").write_text(WATCH)
    asked, log = tmp_path / "asked", tmp_path / "calls"
    asked.touch()
    variables = {
        "HOME": places["home"],
        "COMPARISONS_CACHE": places["cache"],
        "KERAS_HOME": places["keras"],
        "TMPDIR": places["temporary"],
        "PYTHONPATH": f"{ROOT}{os.pathsep}{places['here']}",
        "NETWORK_LOG": asked,
    }
    trace = traced(log)
    command = [sys.executable, "-m", "comparisons.cifar", *arguments, "--out", str(places["out"])]
    done = subprocess.run(
        [*trace, *command],
        env=os.environ | {name: str(value) for name, value in variables.items()} | env,
        cwd=places["here"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert asked.read_text() == ""
    # Where to find fonts is matplotlib's own cache.
    kept = [one.relative_to(places["home"]) for one in places["home"].rglob("*") if one.is_file()]
    assert [one for one in kept if one.parts[:2] != (".cache", "matplotlib")] == []
    if trace:
        calls = log.read_text(errors="replace").splitlines()
        assert [line for line in calls if "sa_family=AF_INET" in line] == []
        allowed = (tmp_path, "/dev", "/proc")
        strangers = {
            path
            for path in made(calls)
            if not any(path.is_relative_to(place) for place in allowed)
            and "__pycache__" not in path.parts
        }
        assert strangers == set()
    found = {path.name for path in places["here"].iterdir()}
    assert found <= {"sitecustomize.py", "__pycache__"}


@pytest.mark.ci
def test_a_run_by_openvino_asks_nobody_and_writes_nothing_elsewhere(tmp_path):
    few = ("--train-size", "200", "--epochs", "1")
    run_quietly(tmp_path, "--data", "shapes", "--arms", "tiny:frozen", "--engine", "openvino", *few)


@pytest.mark.slow
def test_nor_does_one_on_real_data_with_a_published_base(tmp_path, real_data, mobilenet_weights):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "models").symlink_to(mobilenet_weights.parent)
    asked = ("--arms", "cnn:scratch", "mobilenet:frozen", "--train-size", "200", "--epochs", "1")
    run_quietly(tmp_path, "--data", "cifar10", *asked, TFDS_DATA_DIR=str(real_data))


@pytest.mark.parametrize("module", ["models.engines", "models.resizing"])
def test_openvino_is_never_imported_with_what_reports(module, tmp_path):
    code = (
        f"import {module}, openvino, sys\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
        "assert not [name for name in sys.modules if name.startswith('openvino_telemetry.')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "intel").exists()


def test_only_models_import_openvino():
    """So that what stops it from reporting, in their package, is always there before it."""
    importing = re.compile(r"^\s*(import|from) openvino", re.MULTILINE)
    found = [
        path.relative_to(ROOT).parts[0]
        for folder in ("comparisons", "models", "notebooks")
        for path in (ROOT / folder).rglob("*.py")
        if importing.search(path.read_text())
    ]
    assert set(found) == {"models"}
