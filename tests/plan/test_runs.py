"""Runs: their IDs, which hold everything that decides them and nothing else."""

import json

import factory
import pytest
from msgspec.structs import replace

from comparisons.core import records
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import BACKENDS, ROOT
from comparisons.plan.request import Known, Request, check, runs
from comparisons.plan.runs import run_id

EVIDENCE = sorted((ROOT / "results" / "evidence").glob("**/runs/*.json"))


def again(record: records.Record) -> str:
    name = records.full_name(record.arm, record.settings.variant)
    decides = (record.settings, record.phases, record.data.fingerprint)
    return run_id(name, record.train_size, record.seed, *decides)


def test_the_settings_of_committed_records_give_their_ids():
    assert EVIDENCE
    for path in EVIDENCE:
        record = records.load(path)
        assert record.phases and record.settings.backend in BACKENDS
        assert again(record) == record.id


def test_a_record_holds_its_phases_once():
    plain = json.loads(records.to_json(factory.record("cnn:scratch")))
    assert "phases" not in plain["settings"] and len(plain["phases"]) == 1


@pytest.mark.parametrize("revision", ["model_revision", "training_revision"])
def test_a_revision_gives_another_id_and_none_gives_the_id_of_before(revision):
    run = factory.planned("cnn:scratch", 500)
    assert revision not in records.decides(run.settings, run.phases)
    raised = replace(run.settings, **{revision: 1})
    ids = [run_id(run.name, 500, 0, s, run.phases, "f") for s in (run.settings, raised)]
    assert ids[0] == run.id != ids[1]


@pytest.mark.parametrize("asked", [{}, {"epochs": 8}, {"batch_size": 1000}])
def test_the_source_phase_of_complete_does_not_depend_on_the_target_s_size(asked):
    source = Known("cifar100", "s", 50_000, 45_000, 10_000)
    phases = [
        factory.planned("tiny:complete", size, source=source, **asked).source_phase
        for size in (100, 1000, 45_000)
    ]
    assert phases[0] == phases[1] == phases[2]
    if "epochs" in asked:
        run = factory.planned("tiny:complete", 1000, source=source, **asked)
        assert sum(phase.epochs for phase in run.phases) == asked["epochs"]


def test_what_is_redone_has_its_costs_measured_again_under_the_same_id():
    usual, fresh = (factory.planned("tiny:frozen", 500, fresh=fresh) for fresh in (False, True))
    assert usual.since == "" < fresh.since
    assert usual.id == fresh.id


@pytest.mark.parametrize(
    ("asked", "held"),
    [({}, (None, None)), ({"test_on": 200}, (None, 200)),
     ({"test_on": 10_000}, (None, None)), ({"test_on": 10_001}, (None, None))],
)  # fmt: skip
def test_what_is_measured_on_decides_a_run_where_it_is_less_than_all(asked, held):
    run = factory.planned("cnn:scratch", 500, **asked)
    assert (run.settings.validate_on, run.settings.test_on) == held
    assert (run.id == factory.planned("cnn:scratch", 500).id) == (held == (None, None))


def test_fewer_validation_images_are_another_run_unless_they_are_all():
    held = {
        asked: planned_here(validate_on=asked)[0].settings.validate_on
        for asked in (None, 20, 100, 101)
    }
    assert held == {None: None, 20: 20, 100: None, 101: None}


def planned_here(**asked):
    both = ("cnn:scratch", "tiny:frozen")
    request = Request(arms=both, seeds=(0, 1), train_sizes=(50, 60), **asked)
    return runs(request, *check(request), Known("shapes", "f", 600, 500, 90), None)


def order():
    return [(run.train_size, run.seed, run.arm) for run in planned_here()]


def test_seeds_take_turns_among_the_arms():
    assert order()[:4] == [(50, 0, "cnn:scratch"), (50, 0, "tiny:frozen"),
                           (50, 1, "cnn:scratch"), (50, 1, "tiny:frozen")]  # fmt: skip


def test_digits_are_not_mirrored_in_training_nor_testing():
    for arm in ("cnn:scratch", "tiny:frozen-views", "tiny:full"):
        for mirrors in (True, False):
            target = Known("mnist", "f", 60_000, 54_000, 10_000, mirrors)
            asked = Request(arms=(arm,), train_sizes=(500,), preset="cnn-90")
            (run,) = runs(asked, *check(asked), target, None)
            flipped = [
                name in (*p.augment, *p.views, *p.views_at_test)
                for p in run.phases
                for name in ("flip", "mirror")
            ]
            assert any(flipped) == mirrors, (arm, mirrors)


def weighed(uneven: bool, **asked) -> list:
    """Which phases of two arms, one with a source phase, weigh classes, and the runs' IDs."""
    request = Request(
        arms=("cnn:scratch", "tiny:complete", "tiny:probe"), train_sizes=(100,), seeds=(0,), **asked
    )
    target = Known("mine", "f", 200, 180, 20, uneven=uneven)
    source = Known("shapes-source", "s", 5_000, 4_500, 500)
    planned = runs(request, *check(request), target, source)
    phases = [(p.name, p.class_weights) for run in planned for p in run.phases]
    return [phases, [run.id for run in planned]]


def test_uneven_classes_are_weighed_for_every_arm_and_even_ones_keep_their_ids():
    even, even_ids = weighed(uneven=False)
    assert not any(on for _, on in even)
    uneven, uneven_ids = weighed(uneven=True)
    assert all(on == (name != "source") for name, on in uneven)
    assert {"source"} < {name for name, _ in uneven}
    assert not set(even_ids) & set(uneven_ids)
    assert weighed(uneven=True, class_weights="off") == [even, even_ids]
    assert weighed(uneven=False, class_weights="on") == [uneven, uneven_ids]
    with pytest.raises(ComparisonError, match="unknown class weights 'some': known: auto, on, off"):
        weighed(uneven=True, class_weights="some")
