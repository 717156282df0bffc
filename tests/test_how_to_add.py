"""What comparisons/README.md tells to add is added to a copy of the project, and used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from comparisons.core.machine import ROOT
from comparisons.core.records import load_all

SECTION = (ROOT / "comparisons" / "README.md").read_text().partition("\n## How to add\n")[2]
SECTION = SECTION.partition("\n## ")[0]
RECIPES = re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", SECTION, re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```python\n# (\S+\.py)(?:, in (\w+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PLAN = """
from comparisons import cifar, knobs
assert cifar.main(["--list"]) == 0
assert cifar.main(["--arms", "tiny:partial-hot", "--data", "fashion_mnist", "--dry-run"]) == 0
assert knobs.main(["decay", "--dry-run"]) == 0
"""
RUN = """
import sys
from comparisons import cifar
small = ["--data", "shapes", "--train-size", "100", "--epochs", "2", "--out", "out"]
assert cifar.main(["--arms", sys.argv[1], *small]) == 0
"""


def add(copy: Path, block: tuple[str, str, str]) -> None:
    """Put rows first in their table, and anything else at the end of its file."""
    path, table, code = copy / block[0], block[1], block[2]
    text = path.read_text()
    if not table:
        path.write_text(f"{text}\n\n{code}")
        return
    begin = re.search(rf"^{table}\b.*= {{\n(?:.*\n    for row in \(\n)?", text, re.MULTILINE)
    assert begin, f"{block[0]} has no table {table}"
    path.write_text(text[: begin.end()] + code + text[begin.end() :])


def in_copy(copy: Path, code: str, *arguments: str) -> str:
    """Run Python code on the copy and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with all that is told to be added."""
    folder = tmp_path_factory.mktemp("copy")
    for room in ("comparisons", "models"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    for _, text in RECIPES:
        for block in BLOCK.findall(text):
            add(folder, block)
    return folder


def test_each_of_the_four_takes_ten_lines_at_most_in_a_file() -> None:
    assert [name for name, _ in RECIPES] == ["A model", "A strategy", "A data set", "A knob"]
    for _, text in RECIPES:
        assert len(BLOCK.findall(text)) == text.count("```") / 2 > 0
        assert all(len(code.splitlines()) <= 10 for _, _, code in BLOCK.findall(text))


def test_what_is_added_as_told_is_listed_and_planned(copy: Path) -> None:
    said = in_copy(copy, PLAN)
    for name in ("pixels", "partial-hot", "fashion_mnist", "tiny:partial-hot@1", "strong"):
        assert name in said


@pytest.mark.parametrize(
    "arm", ["pixels:scratch", pytest.param("tiny:partial-hot@1", marks=pytest.mark.slow)]
)
def test_what_is_added_as_told_trains(copy: Path, arm: str) -> None:
    in_copy(copy, RUN, arm)
    records, damaged = load_all(copy / "out")
    assert arm in {record.arm for record in records}
    assert damaged == [] and {record.status for record in records} <= {"ok", "diverged"}


def test_what_is_added_as_told_keeps_format_and_lint(copy: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", copy)
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "comparisons", "models"],
            cwd=copy,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
