"""What is installed with the project, and what it says of itself."""

from __future__ import annotations

import email
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from comparisons.core.machine import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy of what git has or would add."""
    copy, built = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for folder in ("comparisons", "models", "notebooks", "tests"):
        shutil.copytree(
            ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    (copy / "results").mkdir()
    (copy / "results" / "__init__.py").touch()  # would be found as a package, if any were
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(built)], cwd=copy, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_has_the_two_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = [name for name in wheel.namelist() if ".dist-info/" not in name]
    assert {name.partition("/")[0] for name in names} == {"comparisons", "models"}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for room in ("comparisons", "models")
        for path in (ROOT / room).rglob("*")
        if path.suffix in (".py", ".j2", ".css", ".json", ".h5", ".js", ".html") and path.is_file()
    }
    assert set(names) == wanted


def test_the_wheel_has_its_licence(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    said = email.message_from_bytes(wheel.read(metadata))
    assert said["License-Expression"] == "Apache-2.0"
    (licence,) = (name for name in wheel.namelist() if name.endswith("/LICENSE"))
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_what_is_pinned_is_every_dependency_within_its_bounds() -> None:
    bounds = {r.name: r.specifier for r in map(Requirement, PROJECT["dependencies"])}
    pinned = {
        r.name: r.specifier for r in map(Requirement, PROJECT["optional-dependencies"]["pinned"])
    }
    assert pinned.keys() == bounds.keys()
    for name, specifier in pinned.items():
        (exact,) = specifier
        assert exact.operator == "==" and bounds[name].contains(exact.version), name


def test_the_citation_and_the_first_page_agree_with_the_project() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {PROJECT['version']}\n" in citation
    assert f"\nlicense: {PROJECT['license']}\n" in citation
    readme = (ROOT / "README.md").read_text()
    lowest, above = re.findall(r"3\.(\d+)", PROJECT["requires-python"])
    assert f"Python 3.{lowest} to 3.{int(above) - 1}" in readme


def test_the_first_page_says_how_to_test() -> None:
    """As `.ci/run` reads it."""
    script = Path(ROOT / ".ci" / "run").read_text()
    (pattern,) = re.findall(r"command=\$\((awk .+)\)$", script, re.MULTILINE)
    done = subprocess.run(["bash", "-c", pattern], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip().endswith(".venv/bin/python -m pytest")
