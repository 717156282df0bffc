"""Runs: their IDs, which hold everything that decides them and nothing else."""

import json

import factory
import pytest
from msgspec.structs import replace

from comparisons.core import records
from comparisons.core.machine import BACKENDS, ROOT
from comparisons.plan.request import Known
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
