"""Cells run in a real kernel, and what it tells meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comparisons.core.machine import ROOT

MISSING = "not installed: pip install -e '.[notebooks]'"
nbformat = pytest.importorskip("nbformat", reason=f"nbformat is {MISSING}")
nbclient = pytest.importorskip("nbclient", reason=f"nbclient is {MISSING}")
pytest.importorskip("ipykernel", reason=f"ipykernel is {MISSING}")


def at_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let kernels import this checkout, and keep what they write of their own in a folder."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(folder / name))


def client(book: Any, folder: Path, timeout: int = 300) -> Any:
    """What runs a notebook's cells in a folder."""
    where = {"metadata": {"path": str(folder)}}
    return nbclient.NotebookClient(book, timeout=timeout, kernel_name="python3", resources=where)


def run(
    cells: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Any], list[Any]]:
    """Each cell's outputs as they were left, and every message of the kernel on the way there."""
    at_home(folder, monkeypatch)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    running, told = client(book, folder), []
    shown = running.process_message

    def hear(message: Any, *more: Any) -> Any:
        told.append(message)
        return shown(message, *more)

    running.process_message = hear
    running.execute()
    return [cell.outputs for cell in book.cells], told
