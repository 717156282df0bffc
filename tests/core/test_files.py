"""Files are written whole or not at all, and what cannot be written is one clear line."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons import cifar, knobs, pretrain
from comparisons.core import files, records
from comparisons.core.errors import ComparisonError, printable
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


@given(text=some.text(some.characters()), byte=some.integers(128, 255))
def test_what_is_no_character_is_written_as_an_escape(tmp_path_factory, text, byte):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    whole = "".join(each for each in text if not "\ud800" <= each <= "\udfff")
    assert printable(whole) == whole
    half = os.fsdecode(bytes([byte]))
    files.write_text(path, whole + half)
    assert path.read_bytes().decode() == f"{whole}\\udc{byte:02x}"
    files.write_text(path, text)
    assert path.read_bytes().decode() == printable(text)


def test_a_digest_is_of_all_content_and_of_nothing_that_is_not_there(tmp_path):
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    seen = set()
    for name, text in (("a", "1"), ("a", "2"), ("b", "2"), ("deep/a", "2")):
        (tmp_path / "folder" / name).write_text(text)
        seen.add(files.digest(tmp_path / "folder"))
    assert len(seen) == 4
    with pytest.raises(FileNotFoundError):
        files.digest(tmp_path / "none")


# --- what cannot be written ------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "under", "further/down"])
def test_a_file_where_results_should_go_is_called_a_file(tmp_path, tiny_npz, capsys, below):
    blocker = tmp_path / "notes.txt"
    blocker.write_text("a file")
    arguments = ["--data", str(tiny_npz), "--arms", "cnn:scratch", "--out", str(blocker / below)]
    assert cifar.main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{blocker} is a file" in line
    assert "space" not in line
    assert blocker.read_text() == "a file"


@pytest.mark.parametrize("door", [cifar.main, knobs.main, pretrain.main])
@pytest.mark.parametrize("flag", ["--out", "--data-dir"])
def test_a_folder_without_a_name_is_refused(door, flag, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        door(["--data", "shapes", flag, ""])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert flag in line and "''" in line
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_name_is_refused_in_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for named in ({"out": ""}, {"data_dir": ""}):
        with pytest.raises(ComparisonError, match="names no folder"):
            cifar.compare(arms="cnn:scratch", data="shapes", **named)


@pytest.mark.ci
def test_predictions_that_cannot_be_written_cost_a_notice_and_no_result(tmp_path, tiny_npz):
    out = tmp_path / "out"
    out.mkdir()
    (out / "predictions").write_text("a file where the folder should be")
    (record,) = cifar.compare("cnn:scratch", tiny_npz, 60, epochs=1, out=out)
    assert record.status in ("ok", "diverged")
    assert any("predictions are not kept" in notice for notice in record.notices)
    assert records.load_all(out)[0] == [record]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk to fill cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.ci
def test_a_disk_that_is_full_of_predictions_still_gets_the_record(tmp_path, small_disk):
    images = np.random.default_rng(0).integers(0, 256, (20_000, 20, 20, 1), np.uint8)
    labels = np.arange(len(images)) % 3
    path = tmp_path / "own.npz"
    np.savez(path, x_train=images[:60], y_train=labels[:60], x_test=images, y_test=labels)
    out = small_disk / "out"
    with pytest.raises(ComparisonError, match="No space left"):  # for the page
        cifar.compare("cnn:scratch", path, 50, epochs=1, out=out)
    (record,) = records.load_all(out)[0]
    assert record.status in ("ok", "diverged")
    assert "its predictions are not kept: No space left on device" in record.notices


@pytest.mark.parametrize("named, kept", [("nope", "agg"), ("svg", "svg")])
def test_a_backend_of_matplotlib_may_be_named_wrong_and_is_kept_where_it_is_one(named, kept):
    code = (
        "from comparisons import report\nimport matplotlib, os\n"
        "print(os.environ['MPLBACKEND'], matplotlib.get_backend())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"MPLBACKEND": named},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{named} {kept}\n", "")


def test_without_a_home_that_can_be_written_matplotlib_says_nothing(tmp_path):
    home = tmp_path / "home"
    home.write_text("a file, so that nothing can be written under it")
    free = {
        name: value
        for name, value in os.environ.items()
        if name not in ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    }
    done = subprocess.run(
        [sys.executable, "-c", "import logging\nfrom comparisons import report\n"
         "assert logging.getLogger('matplotlib').level == logging.NOTSET"],
        cwd=ROOT,
        env=free | {"HOME": str(home)},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
