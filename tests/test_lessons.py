"""What every lesson has, and that it runs: solutions whole, exercises with their blanks."""

from __future__ import annotations

import os
import re
import subprocess
import venv
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import kernels
import pytest
from kernels import nbformat
from lessons import NOTEBOOKS, SCRIPTS, builder

from comparisons.findings.names import strategy_name
from comparisons.plan import arms
from comparisons.plan.presets import PRESETS

TEACHING = NOTEBOOKS / "teaching"
HEAD = ("Question", "Goals", "You need", "Minutes")
# What the address of a race may ask for (comparisons/README.md).
RACE = {
    "data", "arms", "preset", "size", "epochs", "classes", "seed", "axis", "measure", "at", "hide",
}  # fmt: skip
PRIMM = ("Predict", "Run", "Investigate", "Modify", "Make")
# As little as shows that a lesson runs, where its own settings take minutes.
QUICK = {
    "01": {
        "SIZE": 100,
        "STEPS": 12,
        "LIMITS": {"train_size": 200, "epochs": 1, "validate_on": 100, "test_on": 200},
    },
    "02": {
        "LIMITS": {"train_size": 100, "epochs": 1, "validate_on": 100, "test_on": 300},
        "SAME_BUDGET": {"train_size": 100, "epochs": 2, "validate_on": 100, "test_on": 300},
    },
    "03": {"LIMITS": {"train_size": 100, "epochs": 4, "validate_on": 100, "test_on": 300}},
    "04": {
        "SIZE": 100,
        "STRATEGIES": ["frozen", "partial", "full", "lora"],
        "LIMITS": {"epochs": 12, "validate_on": 100, "test_on": 300},
    },
    "05": {"SIZES": [40, 80, 160], "LIMITS": {"epochs": 12, "validate_on": 100, "test_on": 300}},
    "06": {"LIMITS": {"train_size": 100, "epochs": 2, "validate_on": 100, "test_on": 300}},
    "07": {"EACH": 20, "LIMITS": {"seeds": [0], "image_size": 32, "epochs": 20}},
    "08": {"SIZE": 100, "LIMITS": {"epochs": 12, "validate_on": 100, "test_on": 300}},
}


def each(function: Any) -> Any:
    return pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)(function)


@pytest.fixture(scope="module")
def build() -> ModuleType:
    return builder()


def test_a_solution_leaves_names_comments_and_what_is_around_its_values(build: ModuleType) -> None:
    solved = '''# The share of é that is red.
share = (
    reds / every  # not the other way round
)  # a fraction
most, least = max(seen), min(seen)


def shown(name, rows=(1, 2)):
    """What a reader sees."""
    # Sorted first.
    rows = sorted(rows)
    return name, rows


def plain():
    return 1
'''
    assert (
        build.blanked(solved.strip())
        == '''# The share of é that is red.
share = (
    ...  # not the other way round
)  # a fraction
most, least = ...


def shown(name, rows=(1, 2)):
    """What a reader sees."""
    # Sorted first.
    return ...


def plain():
    return ...'''
    )


@pytest.mark.parametrize("given_away", ["print(42)", "for n in range(3): n", "import keras"])
def test_a_solution_that_would_stay_in_the_exercise_is_refused(
    build: ModuleType, given_away: str
) -> None:
    with pytest.raises(ValueError, match="assigns or defines"):
        build.blanked(f"x = 1\n{given_away}")


def small_script(folder: Path) -> Path:
    script = folder / "01_small.py"
    script.write_text('# %% [markdown] tags=["solution"]\n# Because.\n\n# %%\nprint(1)\n')
    return script


def test_answers_in_prose_are_left_to_the_reader(build: ModuleType, tmp_path: Path) -> None:
    (prose, _, _) = build.exercise(build.notebook(small_script(tmp_path))).cells
    assert (prose.source, prose.metadata.tags) == (build.YOURS, ["solution"])


def packed(folder: Path, name: str, version: str, text: str, needs: str = "") -> Path:
    """A wheel of one module."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    said = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    files = {
        f"{name}.py": text,
        f"{about}/METADATA": said,
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{file},,\n" for file in (*files, f"{about}/RECORD"))
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in files.items():
            wheel.writestr(file, content)
    return path


@pytest.mark.ci
def test_the_first_cell_installs_the_project_and_restarts_once_if_it_must(
    build: ModuleType, tmp_path: Path
) -> None:
    """In a bare environment, where a package is loaded in another version than is needed."""
    (_, cell, _) = build.exercise(build.notebook(small_script(tmp_path))).cells
    old = packed(tmp_path, "keras", "1.0", "__version__ = '1.0'")
    packed(tmp_path, "keras", "2.0", "__version__ = '2.0'")
    project = packed(tmp_path, "comparisons", "0.1", "", "Requires-Dist: keras==2.0\n")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    alone = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}

    def run(source: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-c", source], cwd=tmp_path / "env", env=alone, capture_output=True, text=True
        )

    assert "write into PROJECT what pip can install" in run(cell.source).stderr
    subprocess.run([python, "-m", "pip", "install", "-q", old], env=alone, check=True)
    told = cell.source.replace('PROJECT = ""', f"PROJECT = {str(project)!r}")
    told = f"import keras\n{told}\nimport comparisons\nprint(keras.__version__)"
    first, second = run(told), run(told)
    assert "in another version: keras" in first.stdout and "1.0" not in first.stdout, first
    assert (second.stdout, second.stderr) == ("2.0\n", "")


def code(script: Path) -> str:
    """A script without what stands in its comments."""
    return re.sub(r"^#.*$", "", script.read_text(), flags=re.MULTILINE)


@each
def test_its_head_says_what_it_asks_teaches_needs_and_takes(script: Path) -> None:
    head = script.read_text().partition("\n# %%\n")[0]
    places = [head.find(f"# **{word}") for word in HEAD]
    assert -1 not in places and places == sorted(places)
    assert 30 <= minutes(script) <= 45


def minutes(script: Path) -> int:
    found = re.search(r"^# \*\*Minutes\.\*\* (\d+)", script.read_text(), re.MULTILINE)
    assert found
    return int(found[1])


@each
def test_it_goes_from_prediction_to_what_is_made(script: Path) -> None:
    text = script.read_text()
    parts = re.findall(rf"^# ## ({'|'.join(PRIMM)})\b", text, re.MULTILINE)
    # Lesson 3 has the last two under one heading.
    parts += ["Make"] if "# ## Modify, then make" in text else []
    assert list(dict.fromkeys(parts)) == list(PRIMM)


@each
def test_before_every_figure_it_asks_for_a_prediction(script: Path, build: ModuleType) -> None:
    asked, figures = False, 0
    for cell in build.notebook(script).cells:
        if cell.cell_type == "markdown":
            asked = asked or "**Predict" in cell.source
        elif "report.draw" in cell.source:
            assert asked, cell.source
            figures += 1
    assert figures > 0


@each
def test_every_blank_is_checked_at_once(script: Path, build: ModuleType) -> None:
    cells = build.notebook(script).cells
    blanks = [i for i, cell in enumerate(cells) if "solution" in cell.metadata.get("tags", [])]
    assert blanks
    for i in blanks:
        after = "".join(cell.source for cell in cells[i + 1 : i + 4] if cell.cell_type == "code")
        assert cells[i].cell_type == "markdown" or re.search(r"^check\w*\(", after, re.MULTILINE)


@each
def test_it_has_one_cell_of_settings(script: Path, build: ModuleType) -> None:
    tagged = [c for c in build.notebook(script).cells if "parameters" in c.metadata.get("tags", [])]
    (cell,) = tagged
    values: dict[str, Any] = {}
    exec(cell.source, values)
    assert values["DATA"] == "auto"
    assert QUICK[script.stem[:2]].keys() <= values.keys()


@each
def test_it_comes_with_what_its_teacher_needs(script: Path) -> None:
    number = script.stem[:2]
    plan, key, handout = (
        (TEACHING / f"{number}_{kind}.md").read_text() for kind in ("plan", "key", "handout")
    )
    spans = [(int(a), int(b)) for a, b in re.findall(r"^\| (\d+)–(\d+) \|", plan, re.MULTILINE)]
    assert [a for a, _ in spans] == [0, *(b for _, b in spans[:-1])]
    assert spans[-1][1] == minutes(script)
    assert "## If the result flips" in key and "## Expected" in key
    assert "| what | expect |" in key
    assert "Exit ticket" in handout and len(handout.splitlines()) < 50
    for text in (plan, key, handout):
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (TEACHING / link).exists(), link


@each
def test_its_race_can_be_run(script: Path) -> None:
    plan = (TEACHING / f"{script.stem[:2]}_plan.md").read_text()
    (link,) = re.findall(r"^\?(.*)$", plan, re.MULTILINE)
    asked = parse_qs(link, strict_parsing=True)
    assert asked.keys() <= RACE
    for arm in asked.get("arms", [""])[0].split():
        arms.parse(arm)
    assert asked.get("preset", ["demo"])[0] in PRESETS


def test_the_lesson_of_strategies_says_what_figures_call_each() -> None:
    (script,) = (path for path in SCRIPTS if path.stem[:2] == "04")
    rows = re.findall(r"^# \| `([\w-]+)` \| .* \| (.*) \|$", script.read_text(), re.MULTILINE)
    assert len(rows) == 7
    for strategy, called in rows:
        name = strategy_name(arms.parse(f"tiny:{strategy}").strategy_name) or ""
        assert name.replace("\u00a0", " ") == called


def test_nothing_is_left_of_lessons_that_are_gone() -> None:
    numbers = {script.stem[:2] for script in SCRIPTS}
    assert {path.name[:2] for path in TEACHING.glob("[0-9]*")} == numbers == set(QUICK)


def executed(book: Any, number: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A notebook run with quick settings on drawn images; what each code cell showed, as text."""
    kernels.at_home(folder, monkeypatch)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing listens: no download
    monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))  # nor weights of others
    settings = {"DATA": "shapes", **QUICK[number]}
    (place,) = (i for i, c in enumerate(book.cells) if "parameters" in c.metadata.get("tags", []))
    source = "\n".join(f"{name} = {value!r}" for name, value in settings.items())
    book.cells.insert(place + 1, nbformat.v4.new_code_cell(source, id="quick"))
    kernels.client(book, folder, timeout=600).execute()
    outputs = [o for cell in book.cells if cell.cell_type == "code" for o in cell.outputs]
    assert [o for o in outputs if o.output_type == "error"] == []
    return [o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})]


@pytest.mark.ci
@each
def test_a_solution_runs_and_its_answers_are_right(
    script: Path, build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = executed(build.notebook(script), script.stem[:2], tmp_path, monkeypatch)
    assert not [text for text in said if text.startswith(("**Not yet", "**Not quite"))]
    asked = len(re.findall(r"^check\w*\(", code(script), re.MULTILINE))
    assert said.count("**Right.**") == asked > 0
    assert any("you predicted | the records say" in text for text in said)


@pytest.mark.ci
@each
def test_an_exercise_runs_with_its_blanks(
    script: Path, build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = build.exercise(build.notebook(script))
    said = executed(book, script.stem[:2], tmp_path, monkeypatch)
    assert "**Right.**" not in said
    asked = len(re.findall(r"^check\w*\(", code(script), re.MULTILINE))
    assert sum(text.startswith("**Not yet.**") for text in said) == asked
