"""What a base forgets, how far its blocks move, and bases that a run trains itself first."""

from __future__ import annotations

from pathlib import Path

import factory
import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from comparisons import cifar
from comparisons.core.errors import ComparisonError
from comparisons.core.files import digest
from comparisons.core.records import Record
from comparisons.data import Dataset, prepare
from comparisons.findings import intervals
from comparisons.plan import arms, recipes
from comparisons.plan.request import Known
from comparisons.plan.runs import Run
from comparisons.training import device, forgetting
from comparisons.training import run as training

NARROW = {"data": "shapes", "train_size": 120}


def test_a_probe_reads_what_can_be_told_apart():
    generator = np.random.default_rng(0)
    labels = np.arange(300) % 3
    known = np.eye(3)[labels] * 4 + generator.normal(size=(300, 3))
    probe = forgetting.fit_probe(known[:200], labels[:200], 3)
    assert probe.shape == (4, 3)
    assert (forgetting.probed(probe, known[200:]) == labels[200:]).mean() > 0.9
    scrambled = generator.permutation(known[200:])
    assert (forgetting.probed(probe, scrambled) == labels[200:]).mean() < 0.6
    assert not (forgetting.probed(probe, known[200:] * np.nan) == labels[200:]).any()


def planned(
    name: str, train_size: int, epochs: int, seed: int = 0, data: str = "shapes"
) -> tuple[Run, Dataset]:
    """A run of the bundled base by a strategy, and its data."""
    dataset = prepare(data, None)
    given = {"data": data, "fingerprint": dataset.fingerprint, "seed": seed}
    run = factory.planned(f"tiny:{name}", train_size, device="cpu", epochs=epochs, **given)
    return run, dataset


def done(run: Run, dataset: Dataset) -> tuple[Record, np.ndarray | None]:
    """A run's record and its logits."""
    return training.run(run, dataset, device.start("cpu", run.seed, False))


@pytest.fixture(scope="module")
def records() -> dict[str, Record]:
    """Short runs of strategies that move the base in different ways."""
    wanted = ["frozen", "partial@2", "full", "lora@4", "qlora@4"]
    return {name: done(*planned(name, 120, 3))[0] for name in wanted}


@pytest.mark.ci
def test_a_base_that_does_not_move_cannot_forget(records):
    assert records["frozen"].forgetting is None
    assert records["frozen"].moved == []
    assert records["frozen"].adapters is None


@pytest.mark.ci
def test_the_map_shows_which_blocks_moved(records):
    moved = {block.block: block.relative for block in records["partial@2"].moved}
    assert list(moved) == [f"block{i}" for i in range(8)]
    assert {name for name, way in moved.items() if way > 0} == {"block6", "block7"}
    assert all(block.relative > 0 for block in records["full"].moved)
    # Adapters sit on the pointwise layers: the first block has none.
    adapted = {block.block: block.relative for block in records["lora@4"].moved}
    assert list(adapted) == list(moved)
    assert [name for name, way in adapted.items() if way == 0] == ["block0"]


@pytest.mark.ci
def test_forgetting_is_measured_on_the_source_task_of_the_base(records):
    for name in ("partial@2", "full", "lora@4", "qlora@4"):
        forgotten = records[name].forgetting
        assert forgotten.source == "shapes-source"
        assert forgotten.images == 2000
        # The probe reads 20 classes off the base as well as its own head nearly does.
        assert forgotten.before > 0.9
        assert 0.05 < forgotten.after <= 1
    seen = {records[name].forgetting.before for name in ("partial@2", "full", "lora@4")}
    assert len(seen) == 1


@pytest.mark.ci
def test_a_record_says_what_adapters_hold(records):
    plain, quantized = records["lora@4"].adapters, records["qlora@4"].adapters
    assert (plain.rank, plain.bits, quantized.bits) == (4, 32, 8)
    assert plain.bytes == plain.float32_bytes == quantized.float32_bytes
    assert quantized.bytes < 0.27 * quantized.float32_bytes


@pytest.mark.slow
def test_a_source_base_is_trained_once_and_charged_every_time(cache):
    first, again = (
        cifar.compare(arms="cnn:complete", data="shapes", train_size=size, epochs=3)[0]
        for size in (60, 80)
    )
    for record in (first, again):
        assert record.source.data.name == "shapes-source"
        assert [entry.phase for entry in record.source.history] == ["source"]
        assert {entry.phase for entry in record.history} == {"head", "all"}
        assert 0 <= record.source.accuracy <= 1
        assert record.weights.origin.startswith("shapes-source")
        assert record.flops.total > record.source.flops > 0
        assert record.forgetting.source == "shapes-source"
    one, two = first.seconds, again.seconds
    assert one.source == pytest.approx(one.source_cold, rel=0.3)
    assert two.source < 0.5 < two.source_cold == pytest.approx(one.source_cold)
    assert two.learning_cold > two.learning
    assert again.kept_costs is not None and first.kept_costs is None
    assert one.learning > one.source


@pytest.mark.slow
def test_a_damaged_source_base_is_made_again(cache):
    wanted = {"arms": "cnn:complete", "data": "shapes", "train_size": 60, "epochs": 3}
    cifar.compare(**wanted)
    (file,) = (cache / "bases").glob("*/*.weights.h5")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert cifar.compare(**wanted)[0].kept_costs is None


@pytest.mark.slow
def test_a_source_base_is_not_pruned_from_under_its_run(cache, monkeypatch):
    monkeypatch.setenv("COMPARISONS_CACHE_GB", "0")
    (record,) = cifar.compare(arms="cnn:complete", data="shapes", train_size=60, epochs=3)
    assert record.status != "failed", record.error
    (file,) = (cache / "bases").glob("*/*.weights.h5")
    assert record.weights.hash == digest(file)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("shapes", "is the target itself"),
        ("shape", "unknown source data set 'shape': did you mean shapes"),
    ],
)
def test_a_source_that_cannot_be_is_refused(source, words, tmp_path):
    with pytest.raises(ComparisonError, match=words):
        cifar.compare(arms="cnn:complete", source=source, out=tmp_path / "out", **NARROW)
    assert not (tmp_path / "out").exists()


def test_the_source_decides_the_run_of_complete_and_of_no_other():
    one, two = (Known(name, f"print of {name}", 1000, 900, 100) for name in ("mnist", "cifar100"))

    def ids(source: Known) -> list[str]:
        wanted = ["cnn:complete", "cnn:scratch"]
        return [factory.planned(arm, 100, source=source).id for arm in wanted]

    first, second = ids(one), ids(two)
    assert first[0] != second[0]
    assert first[1] == second[1]


def test_epochs_of_complete_are_those_of_all_its_phases():
    arm = arms.parse("tiny:complete")
    settled = recipes.phases(arm, 1000, 9, None, source_size=36_000)
    assert [phase.name for phase in settled] == ["source", "head", "all"]
    assert sum(phase.epochs for phase in settled) == 9


@pytest.mark.ci
def test_records_of_earlier_versions_can_be_read(records):
    plain = msgspec.to_builtins(records["frozen"])
    for field in ("source", "forgetting", "moved", "adapters"):
        del plain[field]
    for field in ("source", "source_cold"):
        del plain["seconds"][field]
    assert msgspec.convert(plain, Record).moved == []


def test_weights_are_never_looked_for_where_none_are_needed(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert not arms.parse("mobilenet:complete").strategy.pretrained


@pytest.mark.slow
def test_the_rate_of_training_from_scratch_forgets_more_than_a_low_one():
    full, hot = (
        [done(*planned(name, 300, 4, seed))[0] for seed in range(3)]
        for name in ("full", "full-hot")
    )

    def lost(record: Record) -> float:
        return record.forgetting.before - record.forgetting.after

    difference = intervals.paired(hot, full, lost).summary
    # One point of 2,000 images is 20 of them; the interval over three seeds has to lie above it.
    assert difference.n == 3
    assert difference.low > 0.01, [(lost(a), lost(b)) for a, b in zip(full, hot, strict=True)]
    assert max(map(lost, full)) < 0.02


def test_a_run_that_diverges_after_its_head_is_not_tested_by_the_head_alone(tiny_npz, cache):
    run, dataset = planned("full", 120, 4, data=str(tiny_npz))
    run.phases[1] = replace(run.phases[1], learning_rate=float("nan"))
    record, logits = done(run, dataset)
    assert record.status == "diverged"
    assert {entry.phase for entry in record.history} == {"head", "all"}
    assert record.test is None and logits is None
