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
