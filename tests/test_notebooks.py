"""The lessons: generated from their scripts, run from top to bottom, true to their records."""

from __future__ import annotations

import importlib.util
import runpy
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import factory
import msgspec
import pytest

from comparisons import cifar
from comparisons.core.machine import ROOT
from comparisons.core.records import Data, Record, Weights
from comparisons.findings.intervals import sampling_noise

MISSING = "not installed: pip install -e '.[notebooks]'"
nbformat = pytest.importorskip("nbformat", reason=f"nbformat is {MISSING}")
nbclient = pytest.importorskip("nbclient", reason=f"nbclient is {MISSING}")
pytest.importorskip("jupytext", reason=f"jupytext is {MISSING}")
pytest.importorskip("ipykernel", reason=f"ipykernel is {MISSING}")


NOTEBOOKS = ROOT / "notebooks"
SCRIPTS = sorted(NOTEBOOKS.glob("[0-9]*.py"))
FIRST = NOTEBOOKS / "01_scratch_or_fine_tune.py"
FINDING = "**What these records say.**"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebooks_build", NOTEBOOKS / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_notebook_agrees_with_its_script(build: ModuleType) -> None:
    assert SCRIPTS
    assert list(build.differing(NOTEBOOKS)) == []
    names = {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    assert names == {path.stem for path in SCRIPTS}


def test_an_altered_script_is_noticed(
    build: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in NOTEBOOKS.glob("[0-9]*"):
        shutil.copy(path, tmp_path)
    assert build.main(["--check"], tmp_path) == 0
    script = tmp_path / FIRST.name
    script.write_text(script.read_text() + "\n# %%\nprint(1)\n")
    assert build.main(["--check"], tmp_path) == 1
    assert f"{FIRST.stem}.ipynb differs" in capsys.readouterr().out
    assert build.main([], tmp_path) == 0
    assert build.main(["--check"], tmp_path) == 0
    script.with_suffix(".ipynb").unlink()
    assert build.main(["--check"], tmp_path) == 1


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(script: Path) -> None:
    stored = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(stored)
    assert list(stored.metadata) == ["kernelspec"]
    for cell in stored.cells:
        assert cell.metadata == {}
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_the_first_lesson_runs_and_tells_what_its_records_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a kernel, on CIFAR-10 where a local copy and weights are, else on the substitutes."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing listens: no download
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    lesson = nbformat.read(FIRST.with_suffix(".ipynb"), as_version=4)
    tell = nbformat.v4.new_code_cell(
        "import msgspec; print(msgspec.json.encode(records).decode())", id="tell"
    )
    lesson.cells.append(tell)
    nbclient.NotebookClient(
        lesson, timeout=1800, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()

    outputs = [o for c in lesson.cells if c.cell_type == "code" for o in c.outputs]
    assert [o for o in outputs if o.output_type == "error"] == []
    told = "".join(o.text for o in lesson.cells[-1].outputs if o.output_type == "stream")
    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 5
    texts = [o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})]
    check_finding(texts, msgspec.json.decode(told, type=list[Record]))
    assert not [path for path in tmp_path.iterdir() if path.suffix or path.name == "results"]


CIFAR = Data("cifar10", False, True, "c1fa2", {"train": 2000, "validation": 5000, "test": 10_000},
             factory.CLASSES)  # fmt: skip
SHAPES = Data("shapes", True, True, "5ha9e", {"train": 2000, "validation": 1000, "test": 2000},
              [f"shape {i}" for i in range(10)])  # fmt: skip


@pytest.mark.parametrize(
    ("arm", "data", "accuracies"),
    [
        ("mobilenet@0.25x160:frozen", CIFAR, (0.60, 0.75)),
        ("mobilenet@0.25x160:frozen", CIFAR, (0.75, 0.60)),
        ("tiny:frozen", SHAPES, (0.700, 0.701)),
    ],
)
def test_the_text_follows_the_records(
    arm: str, data: Data, accuracies: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made-up records in place of a run: whoever wins, the lesson says so."""
    records = [
        factory.record(name, train_size=2000, accuracy=accuracy, data=data)
        for name, accuracy in zip(("cnn:scratch", arm), accuracies, strict=True)
    ]
    records[0].history = records[0].history * 2
    records[1].history = records[1].history[: len(records[0].history)]
    upstream: dict[str, Any] = {"images": 36_000} | ({"epochs": 10} if data.synthetic else {})
    records[1].weights = Weights("elsewhere", upstream=upstream)
    texts = shown_by(FIRST, records, monkeypatch)
    check_finding(texts, records)
    assert any(f"used **{data.name}**" in text for text in texts)
    assert any("drawn by a program" in text for text in texts) == data.synthetic
    often = "10 epochs" if data.synthetic else "Even a single epoch"
    assert any(f"{often} over those 36,000 images" in text for text in texts)


def shown_by(script: Path, records: list[Record], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run a script on records and return the texts that it shows."""
    import IPython.display

    shown: list[Any] = []
    monkeypatch.setattr(cifar, "compare", lambda **_: records)
    monkeypatch.setattr(IPython.display, "display", lambda *things: shown.extend(things))
    runpy.run_path(str(script))
    return [thing.data for thing in shown if isinstance(thing, IPython.display.Markdown)]


def check_finding(texts: list[str], records: list[Record]) -> None:
    """The sentence of the finding names the winner of these records, or says there is none."""
    (finding,) = [text for text in texts if text.startswith(FINDING)]
    best, other = sorted(records, key=lambda r: -r.test.accuracy if r.test else 0.0)
    assert best.test and other.test
    for r in (best, other):
        assert r.test and r.arm in finding
        assert f"{100 * r.test.accuracy:.1f}\u00a0%" in finding
    clear = best.test.accuracy - other.test.accuracy > sampling_noise(
        best.test.accuracy, sum(map(sum, best.test.confusion))
    )
    assert (f"{best.arm} is more accurate" in finding) == clear
    assert f"{other.arm} is more accurate" not in finding
    assert any(f"| {best.arm} |\n" in text and "the records say" in text for text in texts)
