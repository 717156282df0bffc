"""Files are written whole or not at all, and caches lie where they are told to."""

from __future__ import annotations

import os
import signal
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons import cifar
from comparisons.core import files
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT


@pytest.fixture
def umask() -> object:
    """Set the umask for a test; the old one comes back."""
    before = os.umask(0)
    os.umask(before)
    yield os.umask
    os.umask(before)


def test_a_file_is_written_and_replaced_in_folders_that_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "file.txt"
    files.write_text(path, "first, ein größerer Text")
    files.write_text(path, "second é")
    assert path.read_bytes() == "second é".encode()
    files.write_with(path, lambda file: file.write(b"third"))
    assert path.read_bytes() == b"third"
    assert [other.name for other in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file.txt"
    files.write_text(path, "old")
    with pytest.raises(error), files.atomic(path) as file:
        file.write(b"new, but not all of it")
        file.flush()
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_is_there_until_the_block_ends(tmp_path):
    path = tmp_path / "file.txt"
    files.write_text(path, "old")
    with files.atomic(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
        # What is unfinished must not be taken for a result.
        assert list(tmp_path.glob("*.txt")) == [path]
    assert path.read_text() == "new"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_permissions_are_those_of_any_file(tmp_path, umask, mask, mode):
    umask(mask)
    path = tmp_path / "file.txt"
    for text in ("first", "second"):
        files.write_text(path, text)
        assert stat.S_IMODE(path.stat().st_mode) == mode
    plain = tmp_path / "plain.txt"
    plain.write_text("")
    assert plain.stat().st_mode == path.stat().st_mode
    assert umask(mask) == mask, "the umask itself is as it was"


KILLED = """
import sys, time
from pathlib import Path
from comparisons.core import files
with files.atomic(Path(sys.argv[1])) as file:
    file.write(b"new, but not all of it")
    file.flush()
    print("half", flush=True)
    time.sleep(600)
"""


def test_a_kill_leaves_the_old_file(tmp_path, spawn):
    path = tmp_path / "file.txt"
    files.write_text(path, "old")
    process = spawn(KILLED, path)
    assert process.stdout.readline() == "half\n", process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert path.read_text() == "old"
    assert list(tmp_path.glob("*.txt")) == [path]
    files.write_text(path, "new")
    assert path.read_text() == "new"


def test_a_folder_that_cannot_be_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        files.write_text(tmp_path / "file" / "under.txt", "")


@given(text=some.text())
def test_any_text_comes_back(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    files.write_text(path, text)
    assert path.read_bytes().decode() == text


def test_the_cache_folder_is_the_named_one_else_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPARISONS_CACHE", str(tmp_path))
    assert files.cache_folder() == tmp_path
    for unset in (lambda: monkeypatch.setenv("COMPARISONS_CACHE", ""), monkeypatch.undo):
        unset()
    monkeypatch.delenv("COMPARISONS_CACHE")
    users = files.cache_folder()
    assert users.is_absolute()
    assert "comparisons" in users.parts
    assert ROOT not in users.parents


@pytest.mark.parametrize("text", ["abc", "-1", "nan"])
def test_a_cache_limit_that_is_no_size_is_refused_before_any_training(text, monkeypatch):
    monkeypatch.setenv("COMPARISONS_CACHE_GB", text)
    with pytest.raises(ComparisonError, match="COMPARISONS_CACHE_GB"):
        cifar.compare(data="shapes", arms="cnn:scratch", train_size=20, epochs=1)
