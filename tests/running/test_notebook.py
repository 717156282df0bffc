"""A comparison watched in a real kernel: one output, which changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparisons.core.machine import ROOT

MISSING = "not installed: pip install -e '.[notebooks]'"
nbformat = pytest.importorskip("nbformat", reason=f"nbformat is {MISSING}")
nbclient = pytest.importorskip("nbclient", reason=f"nbclient is {MISSING}")
pytest.importorskip("ipykernel", reason=f"ipykernel is {MISSING}")


def test_a_cell_has_one_output_that_is_changed_four_times_a_second_at_most(
    tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    code = (
        "import time\nfrom comparisons import cifar\nstarted = time.monotonic()\n"
        f"records = cifar.compare(['cnn:scratch'], {str(tiny_npz)!r}, 120, [0, 1], epochs=6)\n"
    )
    seconds = nbformat.v4.new_code_cell("print(time.monotonic() - started)")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code), seconds])
    client = nbclient.NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    changes = []
    shown = client.process_message

    def count(message, *more):
        changes.append(message["msg_type"])
        return shown(message, *more)

    client.process_message = count
    client.execute()
    displayed = [one for one in book.cells[0].outputs if one.output_type == "display_data"]
    assert len(displayed) == 1
    lines = displayed[0].data["text/plain"].splitlines()
    for line, seed in zip([one for one in lines if "/6" in one], (0, 1), strict=True):
        assert line.startswith(f"cnn:scratch · seed {seed}") and " 6/6 " in line
    # Other words, such as what is being read, are plain lines of one stream.
    said = [one.text for one in book.cells[0].outputs if one.output_type == "stream"]
    assert len(said) <= 1 and "\x1b" not in "".join(said)
    taken = float(book.cells[1].outputs[0].text)
    assert 2 < changes.count("update_display_data") <= 4 * taken + 2
