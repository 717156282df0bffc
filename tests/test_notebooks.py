"""The lessons: generated from their scripts, run from top to bottom, true to their records."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import create_autospec

import factory
import kernels
import msgspec
import pytest
from kernels import MISSING, nbformat
from lessons import NOTEBOOKS, SCRIPTS, builder

from comparisons import cifar, report
from comparisons.core.machine import ROOT
from comparisons.core.records import Data, Record, Sizes, Weights
from comparisons.findings.intervals import sampling_noise
from comparisons.findings.names import arm_name
from comparisons.plan.presets import PRESETS

SOLUTIONS = NOTEBOOKS / "solutions"
THIRD = NOTEBOOKS / "03_scratch_or_frozen.py"
FINDING = "**What these records say.**"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    return builder()


def test_every_notebook_agrees_with_its_script_and_was_run(
    build: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SCRIPTS
    assert build.main(["--check"]) == 0, capsys.readouterr().out
    for folder in (NOTEBOOKS, SOLUTIONS):
        assert {path.stem for path in folder.glob("*.ipynb")} == {path.stem for path in SCRIPTS}


@pytest.fixture
def small(build: ModuleType, tmp_path: Path) -> Path:
    """A folder with a small lesson, its notebook run."""
    script = tmp_path / "01_small.py"
    script.write_text("# %% [markdown]\n# Add.\n\n# %%\nprint(40 + 2)\n")
    assert build.main(["--run"], tmp_path) == 0
    return tmp_path


def test_results_are_kept_while_its_code_is_the_same(
    build: ModuleType, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script, path = small / "01_small.py", small / "solutions" / "01_small.ipynb"
    assert "42" in path.read_text() and "42" not in (small / path.name).read_text()
    script.write_text(script.read_text().replace("Add.", "Add two numbers."))
    assert build.main(["--check"], small) == 1
    said = capsys.readouterr().out
    assert "01_small.ipynb differs from its script\nsolutions/01_small.ipynb differs" in said
    assert build.main([], small) == 0
    assert "Add two numbers." in path.read_text() and "42" in path.read_text()
    assert build.main(["--check"], small) == 0


def test_an_altered_script_must_be_run_again(
    build: ModuleType, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script, path = small / "01_small.py", small / "solutions" / "01_small.ipynb"
    script.write_text(script.read_text().replace("40 + 2", "40 + 3"))
    assert build.main(["--check"], small) == 1
    assert build.main([], small) == 0
    assert "42" not in path.read_text()
    assert build.main(["--check"], small) == 1
    assert "was not run since its code changed" in capsys.readouterr().out
    assert build.main(["--run"], small) == 0
    assert "43" in path.read_text()
    assert build.main(["--check"], small) == 0
    path.unlink()
    assert build.main(["--check"], small) == 1


def stored(path: Path) -> Any:
    """A notebook as it is committed: with no more than it needs."""
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert list(book.metadata) == ["kernelspec"]
    assert {key for cell in book.cells for key in cell.metadata} <= {"tags"}
    return book


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_lesson_gives_no_results_away(script: Path) -> None:
    for cell in stored(script.with_suffix(".ipynb")).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_solution_shows_what_it_computed_and_little_else(script: Path) -> None:
    path = solution(script)
    outputs = outputs_of(stored(path))
    assert {o.output_type for o in outputs} <= {"display_data", "execute_result", "stream"}
    assert [o.text for o in outputs if o.get("name") == "stderr"] == []
    assert any("image/png" in o.get("data", {}) for o in outputs)
    assert path.stat().st_size < 400_000
    shown = "".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs)
    assert str(ROOT) not in shown and str(Path.home()) not in shown


def solution(script: Path) -> Path:
    return SOLUTIONS / f"{script.stem}.ipynb"


def outputs_of(book: Any) -> list[Any]:
    return [output for c in book.cells if c.cell_type == "code" for output in c.outputs]


def test_the_lesson_of_scratch_and_frozen_shows_a_run_on_photographs() -> None:
    shown = outputs_of(stored(solution(THIRD)))
    texts = [o.data["text/markdown"] for o in shown if "text/markdown" in o.get("data", {})]
    assert any(text.startswith(FINDING) for text in texts)
    assert "used **cifar10** (its images are real)" in "".join(texts)


def test_the_lesson_of_scratch_and_frozen_says_what_its_preset_runs() -> None:
    prose = " ".join(re.findall(r"^# (.*)$", THIRD.read_text(), re.MULTILINE))
    told, found, _ = prose.partition("## When does training from scratch win?")
    assert found
    demo = PRESETS["demo"]
    (size,) = demo.train_sizes
    assert demo.epochs is None and "each by a recipe of its own" in told
    assert f"the same {size:,} images" in told
    assert not re.findall(r"(?:for|try) (\w+) epochs", told)
    assert set(re.findall(r"([\d,]+) (?:training )?images", told)) == {f"{size:,}"}


@pytest.mark.ci
def test_the_lesson_of_scratch_and_frozen_runs_and_tells_what_its_records_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a kernel, on CIFAR-10 where a local copy and weights are, else on the substitutes."""
    kernels.at_home(tmp_path, monkeypatch)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing listens: no download
    lesson = nbformat.read(solution(THIRD), as_version=4)
    tell = nbformat.v4.new_code_cell(
        "import msgspec; print(msgspec.json.encode(records).decode())", id="tell"
    )
    lesson.cells.append(tell)
    kernels.client(lesson, tmp_path, timeout=1800).execute()

    outputs = outputs_of(lesson)
    assert [o for o in outputs if o.output_type == "error"] == []
    told = "".join(o.text for o in lesson.cells[-1].outputs if o.output_type == "stream")
    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 5
    texts = [o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})]
    check_finding(texts, msgspec.json.decode(told, type=list[Record]))
    assert not [path for path in tmp_path.iterdir() if path.suffix or path.name == "results"]


CIFAR = Data("cifar10", False, True, "c1fa2", Sizes(2000, 5000, 10_000),
             factory.CLASSES)  # fmt: skip
SHAPES = Data("shapes", True, True, "5ha9e", Sizes(2000, 1000, 2000),
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
    texts = shown_by(THIRD, records, monkeypatch)
    check_finding(texts, records)
    assert any(f"used **{data.name}**" in text for text in texts)
    assert any("drawn by a program" in text for text in texts) == data.synthetic
    often = "10 epochs" if data.synthetic else "Even a single epoch"
    assert any(f"{often} over those 36,000 images" in text for text in texts)


def test_jupyterlab_opens_a_lesson_without_asking_anybody() -> None:
    """It would ask for newer versions each time, and for news where a reader agrees."""
    lab = pytest.importorskip("jupyterlab.labapp", reason=f"jupyterlab is {MISSING}").LabApp()
    lab.config_file = str(NOTEBOOKS / "jupyter.py")
    lab.load_config_file()
    assert lab.check_for_updates_class.__name__ == "NeverCheckForUpdate"
    assert lab.news_url is None and lab.extension_manager == "readonly"


def test_the_exercises_use_names_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up records in place of runs, and every line of the exercises without its mark."""
    records = [factory.record("cnn:scratch"), factory.record("mobilenet@0.25x160:frozen")]
    monkeypatch.setattr(cifar, "compare", create_autospec(cifar.compare, return_value=records))
    monkeypatch.setattr(report, "show", create_autospec(report.show))
    lines = THIRD.read_text().partition("# ## Modify, then make")[2].partition("\n# %%\n")[2]
    exercises = lines.partition("\n# %%")[0]
    names = runpy.run_path(str(THIRD))
    exec(re.sub(r"^# (?!Exercise)", "", exercises, flags=re.MULTILINE), names)
    assert report.show.call_count == 5


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
        assert r.test and arm_name(r.arm) in finding
        assert f"{100 * r.test.accuracy:.1f}\u00a0%" in finding
    clear = best.test.accuracy - other.test.accuracy > sampling_noise(
        best.test.accuracy, sum(map(sum, best.test.confusion))
    )
    assert (f"{arm_name(best.arm)} is more accurate" in finding) == clear
    assert f"{arm_name(other.arm)} is more accurate" not in finding
    assert any(f"| {best.arm} |\n" in text and "the records say" in text for text in texts)
