"""Knobs: what runs of them record, what is said of them, and their door."""

from __future__ import annotations

import json
from typing import Any

import factory
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import replace

from comparisons import knobs
from comparisons.core import records
from comparisons.core.errors import ComparisonError
from comparisons.data import prepare
from comparisons.findings import knobs as said_of_knobs
from comparisons.findings import verdict
from comparisons.findings.groups import group_runs
from comparisons.findings.headline import headline
from comparisons.findings.view import view
from comparisons.plan.knobs import KNOBS
from comparisons.plan.request import Known, Request, check, runs
from comparisons.plan.runs import Run
from comparisons.report.figures import catalog
from comparisons.training import device
from comparisons.training import run as training


def planned(knob: str, data: str = "d", size: int = 2000, **more: Any) -> dict[str, Run]:
    """The runs of a knob by variant."""
    asked = Request(data=data, device="cpu", knob=knob, train_sizes=(size,), **more)
    found = runs(asked, *check(asked), Known(data, "f", 60_000, 60_000, 10_000), None)
    return {run.settings.variant: run for run in found}


def ran(npz: Any, knob: str, variant: str, epochs: int = 2, **change: Any) -> records.Record:
    dataset = prepare(str(npz), None)
    run = planned(knob, str(npz), 96, epochs=epochs)[variant]
    run.phases = [replace(one, **change) for one in run.phases]
    return training.run(run, dataset, device.start("cpu", 0, False))[0]


def test_the_rate_that_was_found_is_the_rate_that_is_used(tiny_npz):
    record = ran(tiny_npz, "learning-rate", "low")
    assert record.range_test is not None
    assert record.phases[0].learning_rate == 0.01
    (used,) = {entry.learning_rate for entry in record.history}
    assert used == pytest.approx(0.01 * record.range_test.chosen, rel=1e-4)
    assert records.from_json(records.to_json(record)) == record


def test_how_weights_begin_is_in_the_record(tiny_npz):
    plain, he = (ran(tiny_npz, "init", variant, epochs=1) for variant in ("plain", "He"))
    assert [s.layer for s in plain.at_start] == [s.layer for s in he.at_start]
    assert len(plain.at_start) == 19
    assert said_of_knobs.faded([plain]) < 1e-6 < said_of_knobs.faded([he])
    assert plain.status == "diverged"


def test_early_stopping_is_in_the_record_and_tests_the_best_epoch(tiny_npz):
    record = ran(tiny_npz, "regularisation", "early stopping", epochs=30, learning_rate=0.01)
    losses = [entry.val_loss for entry in record.history]
    assert record.best_epoch == losses.index(min(losses)) + 1
    assert len(losses) in (30, record.best_epoch + 3)
    assert ran(tiny_npz, "regularisation", "none").best_epoch is None


def test_mixup_trains_on_mixed_targets(tiny_npz):
    mixed, none = (ran(tiny_npz, "regularisation", name, 4) for name in ("mixup", "none"))
    # Certainty about a mixture costs: the loss on training images stays higher.
    assert mixed.history[-1].train_loss > none.history[-1].train_loss
    assert mixed.history[-1].val_accuracy > 0.3


# --- what is said ------------------------------------------------------------------------


def turned(knob: str, accuracies: dict[str, list[float | None]]) -> list[records.Record]:
    """Records of a knob: for each variant an accuracy a seed, None for a run that diverged."""
    made = []
    for variant, values in accuracies.items():
        for seed, value in enumerate(values):
            bad: dict[str, Any] = {"status": "diverged"} if value is None else {"accuracy": value}
            one = factory.record("tutorial-cnn:scratch", seed, 2000, **bad)
            one.settings = replace(one.settings, knob=knob, variant=variant)
            one.id = f"{variant}-{seed}"
            made.append(one)
    return made


def words(made: list[records.Record]) -> list[str]:
    return [line.replace("\u00a0", " ") for line in headline(made)]


def test_the_highest_and_the_lowest_are_named_and_labels_have_the_variant():
    made = turned("optimizer", {"Adam": [0.8, 0.81, 0.8], "SGD": [0.6, 0.61, 0.6]})
    first, second = words(made)
    assert first == (
        "With 2,000 training images, optimizer Adam ends highest, with 80.3 % of the test images "
        "right, and SGD lowest, with 60.3 %."
    )
    assert "epoch" in second
    labels = sorted(g.label for g in group_runs(made))
    assert labels == ["tutorial-cnn:scratch (Adam)", "tutorial-cnn:scratch (SGD)"]
    made[0].phases = [replace(made[0].phases[0], epochs=4)]
    assert "tutorial-cnn:scratch (Adam, epochs 4)" in {g.label for g in group_runs(made)}


def test_variants_that_are_level_are_not_ranked_and_broken_ones_are_told():
    made = turned("optimizer", {"Adam": [0.8], "SGD": [0.8], "Adagrad": [None]})
    first, _ = words(made)
    assert "not clearly apart" in first and "highest" not in first
    assert "(Adagrad: 1 of 1 diverged)" in first
    first, _ = words(turned("init", {"He": [0.8, 0.8], "Xavier": [0.3, None]}))
    assert "lowest, with 30.0 % (Xavier: 1 of 2 diverged; means are of the other runs)" in first
    first, _ = words(turned("init", {"He": [None], "plain": [None]}))
    assert "no setting of the init ended well" in first
    first, _ = words(turned("init", {"He": [0.5], "plain": [None]}))
    assert "only init He ended well, with 50.0 %" in first and "plain: 1 of 1 diverged" in first


values = some.lists(some.none() | some.floats(0, 1).map(lambda x: round(x, 3)), min_size=1,
                    max_size=3)  # fmt: skip


@given(some.sampled_from(sorted(KNOBS)), some.data())
@settings(max_examples=60)
def test_two_sentences_whatever_the_records_are(knob, data):
    chosen = data.draw(
        some.lists(some.sampled_from(list(KNOBS[knob].variants)), min_size=1, unique=True)
    )
    made = turned(knob, {variant: data.draw(values) for variant in chosen})
    for r in made:
        if data.draw(some.booleans()):
            r.history = []
        if data.draw(some.booleans()):
            spread = data.draw(some.sampled_from([0.5, 1e-9, None]))
            r.at_start = [records.Start(f"l{i}", 0.1, spread, 0.0) for i in range(4)]
        if data.draw(some.booleans()):
            r.range_test = records.RangeTest([1e-3, 1e-2], [1.0, None], [1.0, None], 1e-4, True)
    lines = words(made)
    assert len(lines) == 2
    assert all(line.endswith(".") and "None" not in line and "nan" not in line for line in lines)
    best = view(made).best_first(2000)
    if "ends highest" in lines[0]:
        assert view(made).name(best[0].label) in lines[0]
        assert best[0].ok
    for plot in catalog.drawable(made):
        assert plot.finding(made)


def test_arms_without_a_knob_are_told_as_ever():
    made = factory.records(["cnn:scratch", "tutorial-cnn:scratch"])
    assert headline(made) == verdict.headline(made)
    mixed = [*made, *turned("init", {"He": [0.5]})]
    assert said_of_knobs.knob_of(mixed) is None


# --- the command line --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["optimiser"], "did you mean optimizer?"),
        ([], "init, optimizer"),
        (["init", "--data", "cifar"], "cifar10"),
        (["init", "--data", "shapes", "--train-size", "1"], "9,000"),
        (["init", "--epochs", "0"], "--epochs"),
        (["init", "--seeds", "-1"], "seeds"),
    ],
)
def test_mistakes_get_one_line_and_nothing_written(capsys, tmp_path, arguments, hint):
    out = tmp_path / "out"
    assert knobs.main([*arguments, "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1
    assert hint in err
    assert not out.exists()


def test_python_raises_the_same_line(capsys):
    knobs.main(["optimiser"])
    with pytest.raises(ComparisonError) as caught:
        knobs.turn("optimiser")
    assert capsys.readouterr().err == f"error: {caught.value}\n"
    with pytest.raises(ComparisonError, match="device"):
        knobs.turn("init", device="abacus")


def test_the_list_and_the_plan_name_everything(capsys, tiny_npz):
    assert knobs.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in KNOBS)
    assert max(map(len, listed.splitlines())) <= 100
    for name, knob in KNOBS.items():
        assert knobs.main([name, "--data", str(tiny_npz), "--dry-run"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert f"{len(knob.variants) * len(knob.preset.arms)} runs" in shown


def turn_all(name, npz, out, capsys, epochs=1):
    """Turn a knob by its command; the page's text, the summary and what was printed."""
    arguments = [name, "--data", str(npz), "--train-size", "64", "--epochs", str(epochs)]
    code = knobs.main([*arguments, "--out", str(out), "--device", "cpu"])
    printed = capsys.readouterr().out
    assert code == 0
    summary = json.loads((out / "summary.json").read_text())
    assert len(summary["headline"]) == 2
    assert len(summary["rows"]) == len(KNOBS[name].variants)
    page = (out / "report.html").read_text()
    assert KNOBS[name].question in page
    flat = " ".join(printed.split())
    assert " ".join(summary["headline"][1].split()) in flat
    return page, summary, printed


def test_a_knob_runs_and_is_kept_and_has_its_page(tiny_npz, tmp_path, capsys):
    out = tmp_path / "init"
    page, _, _ = turn_all("init", tiny_npz, out, capsys)
    assert "(Xavier)" in page and 'id="at-start"' in page
    before = {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}
    _, _, printed = turn_all("init", tiny_npz, out, capsys)
    assert {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()} == before
    assert "kept" in printed or "diverged" in printed


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in KNOBS if name != "init"])
def test_every_knob_runs(name, tiny_npz, tmp_path, capsys):
    page, _, _ = turn_all(name, tiny_npz, tmp_path / name, capsys, epochs=2)
    assert ('id="range-test"' in page) == (name == "learning-rate")
