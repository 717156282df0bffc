"""A comparison watched in a real kernel: one output, which changes."""

from __future__ import annotations

from pathlib import Path

import kernels
import pytest


def test_a_cell_has_one_output_that_is_changed_four_times_a_second_at_most(
    tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import time\nfrom comparisons import cifar\nstarted = time.monotonic()\n"
        f"records = cifar.compare(['cnn:scratch'], {str(tiny_npz)!r}, 120, [0, 1], epochs=6)\n"
    )
    seconds = "print(time.monotonic() - started)"
    (outputs, (told,)), messages = kernels.run([code, seconds], tmp_path, monkeypatch)
    displayed = [one for one in outputs if one.output_type == "display_data"]
    assert len(displayed) == 1
    lines = displayed[0].data["text/plain"].splitlines()
    for line, seed in zip([one for one in lines if "/6" in one], (0, 1), strict=True):
        assert line.startswith(f"cnn:scratch · seed {seed}") and " 6/6 " in line
    # Other words, such as what is being read, are plain lines of one stream.
    said = [one.text for one in outputs if one.output_type == "stream"]
    assert len(said) <= 1 and "\x1b" not in "".join(said)
    changes = [one["msg_type"] for one in messages].count("update_display_data")
    assert 2 < changes <= 4 * float(told.text) + 2
