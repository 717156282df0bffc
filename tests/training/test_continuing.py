"""A run that goes on from a checkpoint: the same bits, each second once, nothing on trust."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import factory
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from comparisons.core import events
from comparisons.core.bill import Neighbours
from comparisons.core.clock import Account, Clock, Cost
from comparisons.core.records import Record
from comparisons.data import prepare
from comparisons.plan.request import Known
from comparisons.plan.runs import Run
from comparisons.training import checkpoint, device
from comparisons.training import run as training
from comparisons.training.checkpoint import Checkpoint, State
from comparisons.training.fitting import Fit

SIZE = 60


class Killed(Exception):
    """Stands for a kill: nothing of the process is used afterwards but its files."""


class Attempt:
    """A process's attempt at a run: it ends after so many epochs, or with a record."""

    def __init__(self, run: Run, path: Path, epochs: float = float("inf")) -> None:
        self.run, self.epochs, self.told = run, epochs, list[events.Event]()
        runtime = device.start("cpu", run.seed, False)
        kept = Checkpoint(path, 0.0, lambda: checkpoint.key(run, runtime), self.tell)
        self.clock = Clock()
        self.record: Record | None = None
        with suppress(Killed):
            self.record, self.logits = training.run(
                run, prepare(run.data, None), runtime, self.tell, self.clock, checkpoint=kept
            )

    def tell(self, event: events.Event) -> None:
        self.told.append(event)
        if isinstance(event, events.Epoch):
            self.epochs -= 1
            if self.epochs < 0:  # the one before it is kept
                raise Killed

    @property
    def trained(self) -> int:
        return sum(isinstance(event, events.Epoch) for event in self.told)

    @property
    def notes(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, events.Note)]


def planned(npz: Path, arm: str, changes: dict[str, Any]) -> Run:
    fingerprint = prepare(str(npz), None).fingerprint
    source = Known(str(npz), fingerprint, 300, 270, 90) if arm.endswith("complete") else None
    run = factory.planned(
        arm, SIZE, data=str(npz), fingerprint=fingerprint, source=source, epochs=6, device="cpu"
    )
    run.phases = [replace(phase, **changes) for phase in run.phases]
    return run


def told_apart(record: Record) -> list[Any]:
    """What a run came to, without times."""
    history = [*(record.source.history if record.source else []), *record.history]
    epochs = [
        (e.phase, e.epoch, e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy,
         e.learning_rate, e.images_seen, e.flops) for e in history
    ]  # fmt: skip
    return [epochs, record.test, record.base_digest, record.best_epoch, record.flops, record.moved,
            record.notices, record.chosen_on, record.range_test, record.status]  # fmt: skip


FAST = "random layers"
WAYS = {
    FAST: ("tutorial-cnn:scratch", {"dropout": 0.3}),
    "windows and augmentation": ("cnn:scratch", {"windowed": 0.5}),
    "a head on kept features": ("tiny:frozen", {}),
    "two phases": ("tiny:full", {}),
    "frozen parts of two depths": ("tiny:partial@2", {}),
    "early stopping": ("cnn:scratch", {"patience": 3, "learning_rate": 0.3}),
    "a rate that is found": ("tutorial-cnn:scratch", {"found_rate": True}),
    "adapters": ("tiny:lora@2", {}),
    "a base made first": ("cnn:complete", {}),
}


@pytest.mark.parametrize(
    "way", [way if way == FAST else pytest.param(way, marks=pytest.mark.slow) for way in WAYS]
)
def test_a_run_in_three_parts_ends_in_the_bits_of_one(tiny_npz, tmp_path, monkeypatch, way):
    arm, changes = WAYS[way]
    run = planned(tiny_npz, arm, changes)
    monkeypatch.setenv("COMPARISONS_CACHE", str(tmp_path / "cache of one"))
    whole = Attempt(run, tmp_path / "whole")
    monkeypatch.setenv("COMPARISONS_CACHE", str(tmp_path / "cache of three"))
    path = tmp_path / "parts"
    parts = [Attempt(run, path, epochs) for epochs in (1, 2)]
    kept, _ = checkpoint.read(path)
    last = Attempt(run, path)
    assert whole.record and last.record and not any(part.record for part in parts)
    assert told_apart(last.record) == told_apart(whole.record)
    np.testing.assert_array_equal(last.logits, whole.logits)
    assert (whole.record.continued, last.record.continued) == (0, 2)
    # What was kept is not trained again, and what is done again is charged to nobody.
    assert last.trained == whole.trained - 3
    assert not any(part.notes for part in (*parts, last))
    bill = last.record.seconds
    assert bill.train == pytest.approx(sum(entry.seconds for entry in last.record.history))
    elapsed = [entry.elapsed for entry in last.record.history]
    assert elapsed == sorted(elapsed) and elapsed[-1] <= bill.learning
    assert bill.checkpoint > kept.account.spent["checkpoint"].wall
    if len(run.phases) == 1:
        spent = {part: kept.account.spent[part].wall for part in ("compile", "read")}
        assert {part: getattr(bill, part) for part in spent} == pytest.approx(spent)
    assert last.record.started == kept.started
    assert last.record.peak_memory >= kept.peak_memory


def test_what_is_damaged_or_of_other_code_is_told_and_not_used(tiny_npz, tmp_path):
    run = planned(tiny_npz, "tutorial-cnn:scratch", {})
    path = tmp_path / "run.checkpoint"
    Attempt(run, path, 1)
    content = path.read_bytes()
    other = Checkpoint(path, key=lambda: "of another version", tell=(told := []).append)
    assert other.found is None
    path.write_bytes(content[: len(content) // 2])
    begun_anew = Attempt(run, path, 1)
    assert begun_anew.trained == 2  # the first of all, and the one that it was killed in
    said = [*(note.text for note in told), *begun_anew.notes]
    assert ["other code" in said[0], "damaged" in said[1], len(said)] == [True, True, 2]
    assert all("run.checkpoint" in line and "\n" not in line for line in said)
    assert checkpoint.read(path)[0].epochs == 1  # it was kept again


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A checkpoint of nothing much."""
    path = tmp_path_factory.mktemp("small") / "small.checkpoint"
    cost = Cost(1.5, 2.5)
    state = State(
        key="k", weights=None, phase="train", epochs=3, best_epoch=None, best_loss=None,
        result=Fit([], 5, 2), flops=7,
        notices=["a notice"], engine=None, prepared=cost, prepared_before=Cost(),
        kept_costs=None, scaled=True, chosen_on=0, range_test=None,
        account=Account({"train": cost}, {}), started="2026-01-01T00:00:00+00:00",
        neighbours=Neighbours(), peak_memory=None, continued=1,
    )  # fmt: skip
    arrays = {"network": [np.arange(6.0).reshape(2, 3), np.array(2, np.int64)], "optimizer": []}
    checkpoint.write(path, state, arrays)
    return path


def test_a_checkpoint_is_read_as_it_was_written(small):
    state, arrays = checkpoint.read(small)
    assert (state.epochs, state.account.spent["train"]) == (3, Cost(1.5, 2.5))
    assert [value.dtype for value in arrays["network"]] == [np.float64, np.int64]
    np.testing.assert_array_equal(arrays["network"][0], [[0, 1, 2], [3, 4, 5]])
    assert [path.name for path in small.parent.iterdir()] == [small.name]


@given(some.data())
def test_no_change_of_a_checkpoint_goes_unnoticed(small, data):
    content = bytearray(small.read_bytes())
    place = data.draw(some.integers(0, len(content) - 1))
    if data.draw(some.booleans()):
        del content[place:]
    else:
        content[place] ^= data.draw(some.integers(1, 255))
    changed = small.with_name("changed.checkpoint")
    changed.write_bytes(content)
    with pytest.raises(ValueError):
        checkpoint.read(changed)
    found = Checkpoint(changed, key=lambda: "k", tell=(told := []).append)
    assert found.found is None and len(told) == 1
    changed.unlink()


def test_a_disk_that_is_full_costs_the_checkpoint_and_not_the_run(small, tmp_path):
    (tmp_path / "file").touch()
    told: list[events.Event] = []
    full = Checkpoint(tmp_path / "other", 0.0, tell=told.append)
    full.path = tmp_path / "file" / "below"  # what cannot be written
    state, arrays = checkpoint.read(small)
    for _ in range(2):
        full.keep(state, arrays)
    assert [type(event) for event in told] == [events.Note]


def test_a_checkpoint_is_due_once_its_time_has_come(tmp_path):
    assert not Checkpoint(tmp_path / "c", 1000.0).due
    assert Checkpoint(tmp_path / "c", 0.0).due
    assert not Checkpoint(None, 0.0).due
