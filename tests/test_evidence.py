"""The README's figures are those of the committed records."""

import pytest

from comparisons import readme
from comparisons.core import records
from comparisons.core.machine import ROOT
from comparisons.report import table

README = (ROOT / "README.md").read_text()


def test_the_readme_is_what_the_records_and_tables_make():
    for path, made in readme.pages().items():
        assert path.read_text() == made, "run: python -m comparisons.readme"


def test_every_made_stretch_is_there_and_an_altered_figure_is_noticed():
    assert {name for _, name, _ in readme.BLOCK.findall(README)} == set(readme.BLOCKS)
    accuracy = table.summarise(readme._evidence())[0].accuracy_mean
    altered = README.replace(f"{100 * accuracy:.1f}", "99.9", 1)
    assert altered != README
    assert readme.filled(altered) == README


def test_the_evidence_is_whole_and_says_how_it_was_made():
    kept, damaged = records.load_all(readme.EVIDENCE)
    assert not damaged
    assert {record.seed for record in kept} == {0, 1, 2}
    planned = {
        45_000: {"tutorial-cnn:scratch", "cnn:scratch", "mobilenet@0.25x160:frozen"},
        5_000: {
            "tutorial-cnn:scratch",
            "cnn:scratch",
            "mobilenet@0.25x160:frozen",
            "mobilenet@0.25x160:scratch",
        },
    }
    for size, arms in planned.items():
        found = [(record.arm, record.seed) for record in kept if record.train_size == size]
        assert sorted(found) == sorted((arm, seed) for arm in arms for seed in (0, 1, 2))
    for record in kept:
        assert record.data.name == "cifar10" and record.data.complete
        assert not record.data.synthetic
        assert record.environment.clean is True
        assert record.environment.command.startswith("python -m comparisons.cifar ")
        assert "/" not in record.environment.command.replace("results/evidence/cifar10", "")


@pytest.mark.parametrize("name", ["report.html", "summary.csv", "summary.json"])
def test_the_evidence_has_its_page_and_summary(name):
    assert (readme.EVIDENCE / name).stat().st_size > 0


def test_links_of_the_readme_lead_somewhere():
    import re

    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
