"""Paths of any bytes, in any locale: they are read, written to and shown, and end nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import own
import pytest

from comparisons.core import records
from comparisons.core.machine import ROOT

LOCALES = {
    "C": {"LC_ALL": "C"},
    "C without UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0"},
    "UTF-8": {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8:strict"},
}
NAMES = {"not ASCII": "größe".encode(), "not UTF-8": b"gr\xf6\xdfe"}


def said(env: dict[str, str], *command: bytes | str) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of a module's command line."""
    free = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LC_", "LANG", "PYTHONUTF8", "PYTHONIOENCODING"))
    }
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=free | env, capture_output=True
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def a_folder(tmp_path: Path, name: bytes) -> bytes:
    folder = os.fsencode(tmp_path) + b"/" + name
    os.mkdir(folder)  # noqa: PTH102
    return folder


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_found_and_its_mistakes_are_one_line(cache, tmp_path, name, locale):
    folder = a_folder(tmp_path, NAMES[name])
    own.write(Path(os.fsdecode(folder)))
    command = ("comparisons.cifar", "--arms", "cnn:scratch", "--train-size", "27", "--dry-run")
    code, out, err = said(LOCALES[locale], *command, "--data", folder + b"/own.npz")
    assert (code, err) == (0, "")
    assert "cnn:scratch" in out
    for wrong in (folder + b"/none.npz", folder, b"n" + NAMES[name]):
        code, out, err = said(LOCALES[locale], *command, "--data", wrong)
        assert code == 2 and err.startswith("error: ") and err.count("\n") == 1, err


@pytest.mark.ci
@pytest.mark.parametrize(
    "locale", ["C", *(pytest.param(other, marks=pytest.mark.slow) for other in list(LOCALES)[1:])]
)
def test_a_run_from_and_into_folders_of_any_name_ends_well(cache, tmp_path, tiny_npz, locale):
    folder = a_folder(tmp_path, NAMES["not UTF-8"])
    data = folder + b"/" + NAMES["not UTF-8"] + b".npz"
    os.link(tiny_npz, data)
    out = folder + b"/out"
    code, text, err = said(
        LOCALES[locale],
        *("comparisons.cifar", "--arms", "cnn:scratch", "--train-size", "60", "--epochs", "1"),
        *("--data", data, "--data-dir", folder, "--out", out),
    )
    assert code == 0, err
    (record,) = records.load_all(Path(os.fsdecode(out)))[0]
    assert record.data.name == record.settings.data == r"gr\udcf6\udcdfe.npz"
    assert "report.html" in text
    code, text, err = said(LOCALES[locale], "comparisons.report", out)
    assert (code, err) == (0, "")
