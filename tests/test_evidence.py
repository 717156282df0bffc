"""The pages for readers: what is made of them is what records and tables make, links lead on."""

from __future__ import annotations

import json
import re
import shlex
import statistics
from pathlib import Path
from unittest.mock import create_autospec

import factory
import numpy as np
import pytest
from test_hostile import WRITING

from comparisons import cifar, images, knobs, mnist, report, tune
from comparisons.core import errors, records
from comparisons.core.machine import ROOT
from comparisons.core.neighbours import CONTENDED
from comparisons.readme import evidence, front, pages
from comparisons.report import table

MADE = sorted(pages.PAGES)
WRITTEN = sorted(
    path
    for folder in (".", "comparisons", "models", "notebooks", "results", "results/evidence")
    for path in (ROOT / folder).glob("*.md")
)
README = (ROOT / "README.md").read_text()
EXPERIMENTS = (ROOT / "comparisons" / "README.md").read_text()
PROSE_NUMBERS = re.compile(r"CIFAR-10|Python 3\.\d+ to 3\.\d+|AVX-512|Apache-2\.0")


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_the_pages_are_what_the_records_and_tables_make():
    for path, made in pages.pages().items():
        assert path.read_text() == made, f"{path}: run python -m comparisons.readme"


@pytest.mark.parametrize("name", MADE)
def test_every_made_stretch_of_a_page_is_there(name):
    found = [block for _, block, _ in pages.BLOCK.findall((ROOT / name).read_text())]
    assert sorted(found) == sorted(make.__name__ for make in pages.PAGES[name])


def test_every_door_is_in_the_table():
    rooms = (path.parent.name for path in (ROOT / "comparisons").glob("*/__main__.py"))
    files = [
        path.stem
        for path in (ROOT / "comparisons").glob("*.py")
        if '__name__ == "__main__"' in path.read_text()
    ]
    table = EXPERIMENTS.partition("## Doors")[2].partition("\n## ")[0]
    for door in (*rooms, *files):
        assert f"| `python -m comparisons.{door}" in table


def test_an_altered_figure_is_noticed_and_an_unknown_stretch_is_refused():
    accuracy = max(row.accuracy_mean or 0.0 for row in table.summarise(evidence.main()))
    altered = README.replace(f"{100 * accuracy:.1f}", "99.9", 1)
    assert altered != README
    assert pages.filled(altered, pages.PAGES["README.md"]) == README
    with pytest.raises(KeyError, match="nobody"):
        pages.filled("<!-- made: nobody -->\n<!-- end -->", [front.finding])


def test_the_first_page_is_short_and_its_figures_are_those_of_the_records():
    assert len(README.splitlines()) <= 150
    found = re.findall(
        r"^\| ([\d,]+) \| `([^`]+)` \| (\d+\.\d)\s%\s±\s(\d\.\d) \| ([\d.]+)\s",
        README,
        re.MULTILINE,
    )
    assert len(found) == 6
    runs = [json.loads(path.read_bytes()) for path in (evidence.MAIN / "runs").glob("*.json")]
    for size, arm, mean, spread, cold in found:
        same = [r for r in runs if (r["arm"], f"{r['train_size']:,}") == (arm, size)]
        accuracies = [100 * r["test"]["accuracy"] for r in same]
        parts = ("read", "setup_cold", "compile", "extract_train_cold", "train")
        seconds = [sum(r["seconds"][part] for part in parts) for r in same]
        assert len(same) == 3
        assert float(mean) == pytest.approx(statistics.mean(accuracies), abs=0.051)
        assert float(spread) == pytest.approx(statistics.stdev(accuracies), abs=0.051)
        assert float(cold) == pytest.approx(statistics.mean(seconds), abs=0.51)


def test_no_figure_on_the_first_page_is_typed_by_hand():
    """Outside what is made and code there are no numbers, but for names."""
    prose = pages.BLOCK.sub("", README)
    prose = re.sub(r"^```.*?^```$|`[^`]*`|\]\([^)]*\)", "", prose, flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r".*\d.*", PROSE_NUMBERS.sub("", prose)) == []


def slug(heading: str) -> str:
    """The anchor that code hosts give a heading."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower())
    return kept.strip().replace(" ", "-")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if link.startswith("http"):
            continue
        target, _, anchor = link.partition("#")
        path = page.parent / target if target else page
        assert path.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            assert anchor in map(slug, headings), link


def test_the_flags_are_those_of_the_command_line(capsys):
    """`--help` shows each in a line of its own."""
    shown: dict[str, set[str]] = {}
    for door in (cifar, images, mnist, knobs, tune):
        with pytest.raises(SystemExit):
            door.main(["--help"])
        said = re.findall(r"^  (?:-h, )?(--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
        shown[door.__name__] = set(said)
    section = EXPERIMENTS.partition("## Flags\n")[2].partition("\n#")[0]
    rows = [row.split(" | ")[0] for row in section.splitlines() if row.startswith("| `")]
    listed = set(re.findall(r"--[a-z-]+", " ".join(rows)))
    assert listed == shown["comparisons.cifar"] == shown["comparisons.mnist"]
    assert listed ^ shown["comparisons.images"] == {"--data", "--image-size"}
    without = set(re.findall(r"--[a-z-]+", section.partition("| flag")[0]))
    assert listed - (without - {"--tries"}) == shown["comparisons.knobs"]
    pages = {"--price-per-hour", "--watts"}  # tuning makes none
    assert shown["comparisons.tune"] == shown["comparisons.knobs"] - pages | {"--tries"}


def test_exit_codes_and_variables_are_those_of_the_code():
    section = EXPERIMENTS.partition("### Exit codes\n")[2]
    listed = re.findall(r"^\| (\d+) \|", section, re.MULTILINE)
    assert listed == re.findall(r"\b(\d+) [a-z]", errors.EXIT_CODES)
    variables = set(re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE))
    code = "".join(
        path.read_text()
        for room in ("comparisons", "models")
        for path in (ROOT / room).rglob("*.py")
    )
    assert {name for name in variables if name not in code} == set()
    assert set(re.findall(r"\bCOMPARISONS_[A-Z_]+", code)) <= variables


def test_no_kill_cost_anything():
    found = [json.loads(path.read_bytes()) for path in (evidence.EVIDENCE / "kills").glob("*.json")]
    assert sum(one["kills"] for one in found) == 200 or "Not counted yet" in evidence.kills()
    for one in found:
        assert [one[name] for name in evidence.KILLED[1:-1]] == [0] * 5
        assert one["continued"] > 0 and one["clean"]
    # Between them they hit files of every kind half written.
    assert set().union(*(one["cut_in_writing"] for one in found)) == set(WRITING)


def test_the_commands_of_the_first_page_can_be_given(tmp_path, monkeypatch, capsys, cache):
    """As they stand, but for `--dry-run`, which shows what each would do."""
    monkeypatch.chdir(tmp_path)
    images, labels = np.zeros((40, 32, 32, 3), np.uint8), np.arange(40) % 2
    np.savez("my.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    lines = "".join(blocks(README, "sh")).replace("\\\n", "").splitlines()
    given = [shlex.split(line, comments=True) for line in lines if line.startswith("python ")]
    doors = {"comparisons.cifar": cifar, "comparisons.knobs": knobs, "comparisons.tune": tune}
    tried = [words[2:] for words in given if words[2] in doors and "--help" not in words]
    for door, *arguments in tried:
        assert doors[door].main([*arguments, "--dry-run"]) == 0, arguments
    assert {door for door, *_ in tried} == set(doors)
    assert "cnn:scratch" in capsys.readouterr().out


def test_the_python_of_the_first_page_runs(monkeypatch):
    """On made-up records in place of a run."""
    compare, shown = (
        create_autospec(cifar.compare, return_value=[factory.record("cnn:scratch")]),
        [],
    )
    monkeypatch.setattr(cifar, "compare", compare)
    monkeypatch.setattr(report, "show", shown.append)
    (code,) = blocks(README, "python")
    exec(code, {})
    assert shown == [compare.return_value]


def test_the_evidence_is_whole_and_says_how_it_was_made():
    kept, damaged = records.load_all(evidence.MAIN)
    assert not damaged
    assert {record.seed for record in kept} == {0, 1, 2}
    main = {"cnn:scratch", "mobilenet@0.25x160:frozen"}
    others = {"tutorial-cnn:scratch", "vgg16@32:frozen"}
    planned = {size: main for size in (100, 300, 1_000, 3_000, 10_000, 20_000)}
    planned |= {size: main | others for size in (5_000, 45_000)}
    for size, arms in planned.items():
        found = [(record.arm, record.seed) for record in kept if record.train_size == size]
        assert sorted(found) == sorted((arm, seed) for arm in arms for seed in (0, 1, 2))
    for record in kept:
        assert record.data.name == "cifar10" and record.data.complete
        assert not record.data.synthetic
        assert record.environment.clean is True
        assert record.neighbours.share <= CONTENDED, record.id
        assert record.environment.command.startswith("python -m comparisons.cifar ")
        assert "/" not in record.environment.command.replace("results/evidence/cifar10", "")


FOLDERS = sorted(path.parent for path in evidence.EVIDENCE.rglob("runs") if path.is_dir())


@pytest.mark.parametrize(
    "folder", FOLDERS, ids=lambda folder: str(folder.relative_to(evidence.EVIDENCE))
)
def test_every_record_of_the_evidence_can_be_made_again_and_names_no_place(folder: Path):
    kept, damaged = records.load_all(folder)
    assert kept and not damaged
    for record in kept:
        assert record.environment.clean is True, record.id
        command = record.environment.command
        assert re.match(r"python -m comparisons\.(cifar|knobs|images|mnist|tune) ?", command)
        assert not [word for word in shlex.split(command) if word.startswith(("/", "~"))]


@pytest.mark.parametrize("name", ["report.html", "summary.csv", "summary.json"])
def test_the_evidence_has_its_page_and_summary(name):
    assert (evidence.MAIN / name).stat().st_size > 0
