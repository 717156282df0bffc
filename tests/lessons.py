"""The lessons' files, what reads and runs them, and what makes them from their scripts."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from kernels import MISSING

from comparisons.core.machine import ROOT

pytest.importorskip("jupytext", reason=f"jupytext is {MISSING}")

NOTEBOOKS = ROOT / "notebooks"
SCRIPTS = sorted(NOTEBOOKS.glob("[0-9]*.py"))


def builder() -> ModuleType:
    """notebooks/build.py as a module."""
    spec = importlib.util.spec_from_file_location("notebooks_build", NOTEBOOKS / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
