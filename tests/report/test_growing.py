"""Curves that grow while a comparison runs: in a real kernel, one output that is changed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from comparisons.core.machine import ROOT

MISSING = "not installed: pip install -e '.[notebooks]'"
nbformat = pytest.importorskip("nbformat", reason=f"nbformat is {MISSING}")
nbclient = pytest.importorskip("nbclient", reason=f"nbclient is {MISSING}")
pytest.importorskip("ipykernel", reason=f"ipykernel is {MISSING}")

CODE = """
import time
from comparisons import cifar
from comparisons.report.lesson import curves
begun = time.monotonic()
records = cifar.compare(["cnn:scratch", "tiny:frozen"], {data!r}, 120, epochs=6, watch=curves)
taken = time.monotonic() - begun
"""
SAID = "print(taken, *(f'{100 * r.history[-1].val_accuracy:.1f}' for r in records))"
SVG = "image/svg+xml"


@pytest.mark.ci
def test_curves_grow_in_one_output_that_is_changed_four_times_a_second_at_most(
    tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    code = (CODE.format(data=str(tiny_npz)), SAID)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in code])
    client = nbclient.NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    told: list[tuple[str, str]] = []
    shown = client.process_message

    def hear(message, *more):
        content = message["content"]
        if SVG in content.get("data", {}):
            told.append((message["msg_type"], content["transient"]["display_id"]))
        return shown(message, *more)

    client.process_message = hear
    client.execute()
    kinds = Counter(kind for kind, _ in told)
    assert kinds["display_data"] == 1 and len({number for _, number in told}) == 1
    taken, *ends = book.cells[1].outputs[0].text.split()
    assert 2 < kinds["update_display_data"] <= 4 * float(taken) + 2
    # What is left is what the records say, to who sees it and to who does not.
    (left,) = [one.data for one in book.cells[0].outputs if SVG in one.get("data", {})]
    words, drawn = left["text/plain"], ET.fromstring(left[SVG])
    for name, end in zip(("CNN · from scratch", "Tiny · frozen"), ends, strict=True):
        assert re.search(rf"{name}.*: {end}\W%", words), words
    lines = [e.get("points") for e in drawn.iter() if e.tag.endswith("polyline")]
    assert [len(points.split()) for points in lines] == [6, 6]
