"""How long a plan may take: from runs done here, from packaged evidence, or unknown."""

from __future__ import annotations

import factory
import pytest

from comparisons import cifar
from comparisons.core import records
from comparisons.core.machine import cpu_name
from comparisons.running.estimate import HERE, PROBED, Took, estimate, span

CNN, ODD = "cnn:scratch", "resnet50@64:full"


def took(run, times=1.0, seconds=100.0, factor=HERE):
    shown = sum(phase.epochs for phase in run.phases) * run.train_size
    return Took(run.name, shown / times, seconds, factor)


def test_a_run_takes_what_the_same_took_within_its_factor():
    run = factory.planned(CNN, 1_000)
    found = span(run, [took(run, factor=PROBED)])
    assert (found.low, found.high) == pytest.approx((50.0, 200.0))
    assert str(found) == "50 s to 3 min"


@pytest.mark.parametrize(("times", "low", "high"), [(2.0, 1.0, 2.0), (0.5, 0.5, 1.0)])
def test_of_another_size_nothing_grows_with_images_or_all_of_it(times, low, high):
    run = factory.planned(CNN, 1_000)
    found = span(run, [took(run, times)])
    assert (found.low * HERE, found.high / HERE) == pytest.approx((100 * low, 100 * high))


def test_the_nearest_tells_and_what_is_far_or_another_arm_tells_nothing():
    run, other = factory.planned(CNN, 1_000), factory.planned("tutorial-cnn:scratch", 1_000)
    near = span(run, [took(run, 3.0, 30.0), took(run, 1.1, 90.0)])
    assert near.low > 60
    assert span(run, [took(run, 5.0), took(run, 0.2), took(other)]) is None


def finished(run, seconds=40.0):
    """A record of a planned run that was done here."""
    made = factory.record(run.arm, run.seed, run.train_size, id=run.id, phases=run.phases)
    made.environment.device, made.images_seen = cpu_name(), run.train_size * run.phases[0].epochs
    made.seconds.total_cold = seconds
    return made


def test_finished_runs_are_done_and_tell_of_their_kind_without_a_probe(tmp_path, monkeypatch):
    monkeypatch.setattr("comparisons.running.estimate.probe", None)  # would be a TypeError
    one, two = (factory.planned(CNN, 1_000, seed=seed) for seed in (0, 1))
    records.save(finished(one), tmp_path)
    found = estimate([one, two], tmp_path, fresh=False)
    assert found.done == [True, False] and found.cell([0]) == "done"
    assert (found.cell([1]), found.cell([0, 1])) == ("31 to 52 s", "31 to 52 s, 1 done")
    assert found.said().startswith("About 31 to 52 s in all") and "done here" in found.said()
    again = estimate([one, two], tmp_path, fresh=True)
    assert again.cell([0, 1]) == "31 to 52 s each"
    assert again.done == [False, False] and "About 62 s to 1.7 min in all" in again.said()
    records.save(finished(two), tmp_path)
    assert estimate([one, two], tmp_path, fresh=False).said() == "Nothing is left to run."


def test_runs_of_another_machine_are_not_taken_for_those_of_this_one(tmp_path):
    run = factory.planned(ODD, 1_000)
    record = finished(run)
    record.environment.device = "another processor"
    records.save(record, tmp_path)
    found = estimate([factory.planned(ODD, 1_000, seed=1)], tmp_path, fresh=False)
    assert found.spans == [None] and "unknown" in found.said()


def test_a_dry_run_says_how_long_by_packaged_evidence_and_what_is_unknown(capsys, tmp_path):
    plan = ["--data", "shapes", "--arms", CNN, "tiny:full-hot", "--train-size", "1000"]
    assert cifar.main([*plan, "--out", str(tmp_path / "new"), "--dry-run"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "unknown" in out and "for 1 of 2 runs, with an empty cache" in out
    assert "to a factor of two" in out and "of the others nothing near was measured" in out
