"""Data and weights: had here, fetched, or refused."""

from __future__ import annotations

import pytest

from comparisons.core import records
from comparisons.core.errors import ComparisonError
from comparisons.plan import arms, bases
from comparisons.running import supplies
from models import catalog


def test_a_handle_needs_the_network_unless_it_is_here(monkeypatch, tmp_path):
    handle = "https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5"
    arm = arms.parse(f"hub:{handle}:frozen")
    assert arm.name == "hub:google/imagenet/mobilenet_v2_100_224/feature_vector/5:frozen"
    assert arms.parse(arm.written) == arm
    assert bases.identity(arm.model) == records.Base(handle=handle)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(supplies.internet, "reachable", lambda host: False)
    with pytest.raises(ComparisonError, match=r"tfhub\.dev cannot be reached: unpack it"):
        supplies.weights([arm], True, print)
    catalog.weights_file(arm.model).mkdir()
    assert supplies.weights([arm], True, print) == ([arm], [])


def test_a_lesson_stands_on_the_base_that_can_be_had(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(supplies.internet, "reachable", lambda host: False)
    said: list[str] = []
    assert supplies.base("mobilenet@0.25x64", said.append) == "tiny"
    assert "tiny:frozen stands in for it" in said[0]
    file = catalog.weights_file(arms.parse("mobilenet@0.25x64:frozen").model)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    assert supplies.base("mobilenet@0.25x64", print) == "mobilenet@0.25x64"
