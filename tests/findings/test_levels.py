"""When arms got to one level of accuracy after another: by known histories."""

from __future__ import annotations

import factory
import pytest

from comparisons import report
from comparisons.findings.levels import levels as levels_at
from comparisons.findings.view import view

QUICK, SLOW = "mobilenet@0.25x160:frozen", "cnn:scratch"


def levels(seen):
    return levels_at(seen, seen.sizes)


def run(arm, seed, history):
    """A run that reaches these validation accuracies, None where it was not looked, ever later."""
    made = factory.record(arm, seed, 1_000)
    made.history = made.history[: len(history)]
    for number, (epoch, reached) in enumerate(zip(made.history, history, strict=True), 1):
        epoch.val_accuracy, epoch.images_seen = reached, 1_000
        epoch.seconds, epoch.elapsed_cold = 1.0, 10.0 * number
    return made


RUNS = [
    run(QUICK, 0, [0.31, 0.42, None, 0.44]),
    run(QUICK, 1, [0.29, 0.41, 0.43, 0.44]),
    run(SLOW, 0, [0.12, 0.25, 0.39, 0.62]),
]


def test_each_level_is_reached_at_a_look_in_the_mean_of_runs_that_all_did():
    found = {(one.label, one.level): one for one in levels(view(RUNS))}
    assert [level for label, level in found if label == SLOW] == [0.35, 0.40, 0.45, 0.50, 0.55, 0.6]
    assert [level for label, level in found if label == QUICK] == [0.35, 0.40]  # 45 % by neither
    assert found[QUICK, 0.4].seconds_cold == 20 and found[QUICK, 0.4].images == 2_000
    assert found[SLOW, 0.35].seconds_cold == 30 and found[SLOW, 0.35].images == 3_000
    assert found[SLOW, 0.6].images == 4_000
    assert found[QUICK, 0.4].seconds_warm < found[QUICK, 0.4].seconds_cold


def test_a_level_that_one_of_several_runs_missed_is_not_its_arm_s():
    found = levels(view([*RUNS, run(SLOW, 1, [0.1, 0.2, 0.3, 0.36])]))
    assert [one.level for one in found if one.label == SLOW] == [0.35]


@pytest.mark.parametrize("reached", [0.1, 0.12])
def test_chance_is_no_level(reached):
    assert levels(view([run(SLOW, 0, [reached] * 4)])) == []


@pytest.mark.parametrize(("images", "told"), [(19, False), (20, True)])
def test_no_level_is_told_by_validation_images_of_which_one_is_more_than_a_step(images, told):
    few = run(SLOW, 0, [0.35, 0.60])
    few.data.sizes.validation = images
    assert bool(levels(view([few]))) == told


def test_what_was_computed_is_told_where_every_record_counted_it(tmp_path):
    for one in RUNS:
        for number, epoch in enumerate(one.history, 1):
            epoch.flops = number * 10**9
    found = {(one.label, one.level): one.flops for one in levels(view(RUNS))}
    assert found[QUICK, 0.4] == 2e9 and found[SLOW, 0.35] == 3e9
    shown = report.build(tmp_path / "counted", RUNS).read_text().replace("\u00a0", " ")
    assert "20 s · 2,000 · 2.00 GFLOP" in shown
    for epoch in RUNS[0].history:
        epoch.flops = 0
    found = {(one.label, one.level): one.flops for one in levels(view(RUNS))}
    assert found[QUICK, 0.4] is None and found[SLOW, 0.35] == 3e9


def test_the_page_has_them_where_seconds_are_compared(tmp_path):
    shown = report.build(tmp_path / "a", RUNS).read_text().replace("\u00a0", " ")
    assert "What each level of accuracy took" in shown and "20 s · 2,000<" in shown
    for one in RUNS[:2]:
        one.neighbours.runs = 1
    assert "to each level" not in report.build(tmp_path / "b", RUNS).read_text()
