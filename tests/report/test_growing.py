"""Curves that grow while a comparison runs: in a real kernel, one output that is changed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import kernels
import pytest

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
    code = [CODE.format(data=str(tiny_npz)), SAID]
    (outputs, (said,)), messages = kernels.run(code, tmp_path, monkeypatch)
    told = [
        (one["msg_type"], one["content"]["transient"]["display_id"])
        for one in messages
        if SVG in one["content"].get("data", {})
    ]
    kinds = Counter(kind for kind, _ in told)
    assert kinds["display_data"] == 1 and len({number for _, number in told}) == 1
    taken, *ends = said.text.split()
    assert 2 < kinds["update_display_data"] <= 4 * float(taken) + 2
    # What is left is what the records say, to who sees it and to who does not.
    (left,) = [one.data for one in outputs if SVG in one.get("data", {})]
    words, drawn = left["text/plain"], ET.fromstring(left[SVG])
    for name, end in zip(("CNN · from scratch", "Tiny · frozen"), ends, strict=True):
        assert re.search(rf"{name}.*: {end}\W%", words), words
    lines = [e.get("points") for e in drawn.iter() if e.tag.endswith("polyline")]
    assert [len(points.split()) for points in lines] == [6, 6]
