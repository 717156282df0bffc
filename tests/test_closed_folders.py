"""Folders that may not be entered: every door says so in one line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import drawn_pictures as drawn
import pytest
from processes import AS_USER

from comparisons.core.errors import exit_code
from comparisons.core.machine import ROOT
from comparisons.report.__main__ import main


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder that is closed."""
    if AS_USER and not shutil.which(AS_USER[0]):
        pytest.skip("nothing here takes root's rights away")
    folder = drawn.folder(tmp_path / "closed", each=2)
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize(
    "command",
    [
        "report {}/x",
        "export tensorboard {}/x",
        "live --replay {}/x --save {}/y",
        "advise --images 100 --classes 4 --records {}/x",
        "predict {}/x {}",
        "images {}/x --dry-run",
        "images {} --dry-run",
        "cifar --data {}/x --dry-run",
        "cifar --data shapes --arms mlp:scratch --out {}/x",
        "cifar --data cifar10 --data-dir {}/x --dry-run",
    ],
)
def test_a_closed_folder_is_one_line(closed, cache, command):
    words = command.format(closed, closed).split()
    done = subprocess.run(
        [*AS_USER, sys.executable, "-m", f"comparisons.{words[0]}", *words[1:]],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if "--data-dir" not in command:  # where TFDS data may still come
        assert done.returncode in (1, 2)
    assert len(done.stderr.splitlines()) <= 1 and "Traceback" not in done.stdout, done.stderr


def test_a_class_whose_folder_may_be_listed_and_not_entered_is_left_out(closed, cache):
    closed.chmod(0o700)
    (closed / "ants").chmod(0o400)
    done = subprocess.run(
        [*AS_USER, sys.executable, "-m", "comparisons.images", str(closed), "--dry-run"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    (closed / "ants").chmod(0o700)
    (line,) = done.stderr.splitlines()
    assert "one class alone, bees" in line and "it cannot be read: Permission denied" in line


def test_a_name_too_long_and_a_folder_that_is_gone_are_one_line(tmp_path, monkeypatch, capsys):
    assert main(["x" * 300]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("xxx: File name too long")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert exit_code(lambda: len(Path.cwd().parts)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "error: the folder that this was started in: No such file or directory"
