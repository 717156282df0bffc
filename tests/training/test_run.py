"""run(): from a plan to a record that is filled, consistent and the same again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import factory
import numpy as np
import pytest
from msgspec.structs import replace
from scipy.special import log_softmax

from comparisons.core import events, records
from comparisons.core.bill import LEARNING, MEASURING
from comparisons.core.errors import ComparisonError
from comparisons.data import Dataset, prepare, split
from comparisons.plan import arms
from comparisons.plan.runs import Run
from comparisons.training import device, extraction, train_phase
from comparisons.training import run as training
from models import adapt, catalog, engines

SIZE = 240
EPOCHS = 4
MOBILENET = "mobilenet@0.25x96:frozen"


def planned(npz: Path, arm: str, dataset: Dataset, **asked: Any) -> Run:
    asked = {"epochs": EPOCHS, "command": "python -m comparisons.cifar"} | asked
    given = {"data": str(npz), "fingerprint": dataset.fingerprint, "notices": ["a notice"]}
    return factory.planned(arm, SIZE, device="cpu", **given, **asked)


class Ran:
    """A run: its plan, its record, its logits, and what it told on the way."""

    def __init__(self, npz: Path, arm: str, change: dict[str, Any] | None = None, **settings: Any):
        self.dataset = prepare(str(npz), None)
        self.plan = planned(npz, arm, self.dataset, **settings)
        self.plan.phases = [replace(phase, **(change or {})) for phase in self.plan.phases]
        self.events: list[events.Event] = []
        self.opened: list[bool] = []
        found = device.start("cpu", self.plan.seed, False)
        self.record, self.logits = training.run(self.plan, self.dataset, found, self.tell)

    def tell(self, event: events.Event) -> None:
        self.events.append(event)
        self.opened.append(self.dataset.test_was_read)


@pytest.fixture(scope="module")
def ran(tiny_npz: Path) -> Iterator[Any]:
    """Runs of the arms asked for, each done once."""
    done: dict[str, Ran] = {}

    def run(arm: str) -> Ran:
        if arm not in done:
            done[arm] = Ran(tiny_npz, arm)
        return done[arm]

    yield run
    done.clear()


def needs_weights(arm: str) -> None:
    parsed = arms.parse(arm)
    if parsed.strategy.pretrained:
        path = catalog.weights_file(parsed.model)
        if not path.is_file():
            pytest.skip(f"{path.name} is not here")


def test_views_of_a_test_image_are_averaged(tiny_npz, tmp_path):
    with np.load(tiny_npz) as stripes:
        arrays = dict(stripes)
    # Every test image, and then every one mirrored.
    for name, mirrored in (("x_test", lambda x: x[:, :, ::-1]), ("y_test", lambda y: y)):
        arrays[name] = np.concatenate([arrays[name], mirrored(arrays[name])])
    np.savez(tmp_path / "mirrored.npz", **arrays)
    one, mean = (
        Ran(tmp_path / "mirrored.npz", "cnn:scratch", {"views_at_test": views}, epochs=1)
        for views in (("original",), ("original", "mirror"))
    )
    half = len(one.logits) // 2
    expected = (one.logits[:half] + one.logits[half:]) / 2
    assert np.abs(one.logits[:half] - one.logits[half:]).max() > 0.1
    for part in (mean.logits[:half], mean.logits[half:]):
        np.testing.assert_allclose(part, expected, rtol=2e-3, atol=0.01)  # float16
    flop = mean.record.flops.forward_per_image * len(one.logits)
    assert mean.record.flops.total - one.record.flops.total == flop


SCRATCH = ["cnn:scratch", "tutorial-cnn:scratch", "tiny:scratch"]


@pytest.mark.parametrize("arm", [*SCRATCH, "tiny:frozen", MOBILENET])
def test_a_record_is_filled_and_consistent(ran, arm):
    needs_weights(arm)
    one: Ran = ran(arm)
    record, dataset = one.record, one.dataset
    assert (record.status, record.error) == ("ok", None)
    assert (record.id, record.arm, record.seed) == (one.plan.id, one.plan.arm, 0)
    assert f"{record.model}:{record.strategy}" == record.arm
    assert record.train_size == SIZE
    assert record.notices[0] == "a notice"
    assert record.phases == one.plan.phases
    assert record.settings == one.plan.settings

    assert [entry.epoch for entry in record.history] == list(range(1, EPOCHS + 1))
    for entry in record.history:
        assert entry.phase == record.phases[0].name
        assert entry.images_seen == SIZE
        assert 0 <= entry.train_accuracy <= 1
        assert 0 <= entry.val_accuracy <= 1
        # Validation accuracy is a share of 30 images.
        assert entry.val_accuracy * 30 == pytest.approx(round(entry.val_accuracy * 30), abs=1e-3)
        assert entry.train_loss > 0
        assert entry.val_loss > 0
        assert entry.seconds > 0
        assert entry.learning_rate > 0
    assert record.images_seen == EPOCHS * SIZE

    seconds = record.seconds
    assert seconds.train == pytest.approx(sum(entry.seconds for entry in record.history))
    parts = [*LEARNING, *MEASURING]
    assert sum(getattr(seconds, part) for part in parts) == pytest.approx(seconds.total)
    assert seconds.total == pytest.approx(seconds.learning + seconds.measuring)
    assert min(seconds.setup, seconds.compile, seconds.validate, seconds.test) > 0
    assert (seconds.extract_train > 0) == (record.engine is not None)
    assert record.history[-1].elapsed == pytest.approx(seconds.learning, abs=0.1)
    assert record.history[-1].elapsed_cold == pytest.approx(seconds.learning_cold, abs=0.1)
    work = [entry.flops for entry in record.history]
    assert work == sorted(work) and work[0] > 0 and work[-1] < record.flops.total
    assert record.processor_seconds.total > 0
    assert 0 <= record.neighbours.share <= 1
    assert len(record.test.right) == 12  # 90 bits
    assert (record.test.robustness, seconds.robustness) == (None, 0)

    assert record.data.name == "stripes.npz"
    assert record.data.sizes == records.Sizes(SIZE, 30, 90)
    assert record.data.classes == ["upright", "lying", "both"]
    assert record.data.fingerprint == dataset.fingerprint
    assert record.flops.forward_per_image > 0
    assert record.flops.total > record.flops.forward_per_image * 90
    assert 0 < record.parameters.trainable < record.parameters.total or arm == SCRATCH[1]
    assert record.peak_memory > 1e8
    assert record.environment.device_kind == "cpu"
    assert record.environment.command == "python -m comparisons.cifar"
    assert len(record.base_digest) == 32
    assert records.from_json(records.to_json(record)) == record
    assert str(Path.home()) not in records.to_json(record)


@pytest.mark.parametrize("arm", [*SCRATCH, "tiny:frozen", MOBILENET])
def test_test_metrics_are_those_of_the_logits(ran, arm):
    needs_weights(arm)
    one: Ran = ran(arm)
    test, labels = one.record.test, one.dataset.sealed_test_labels
    assert one.logits.shape == (90, 3)
    assert one.logits.dtype == np.float16
    confusion = np.array(test.confusion)
    assert confusion.sum() == 90
    assert (confusion.sum(axis=1) == np.bincount(labels)).all()
    assert np.trace(confusion) / 90 == pytest.approx(test.accuracy)
    logits = one.logits.astype(np.float64)
    assert (logits.argmax(1) == labels).mean() == pytest.approx(test.accuracy, abs=1 / 90)
    loss = -log_softmax(logits, axis=1)[np.arange(90), labels].mean()
    assert test.loss == pytest.approx(loss, rel=0.02, abs=2e-3)
    precision = np.diag(confusion) / np.maximum(confusion.sum(axis=0), 1)
    recall = np.diag(confusion) / confusion.sum(axis=1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    assert test.macro_f1 == pytest.approx(f1.mean())


@pytest.mark.parametrize("arm", ["cnn:scratch", "tutorial-cnn:scratch", MOBILENET])
def test_what_can_be_learnt_is_learnt(ran, arm):
    needs_weights(arm)
    one: Ran = ran(arm)
    history = one.record.history
    assert history[-1].train_accuracy > 0.6
    assert history[-1].train_loss < history[0].train_loss
    assert one.record.test.accuracy > 0.5


def test_the_test_labels_are_read_once_and_after_training(ran):
    one: Ran = ran("cnn:scratch")
    assert not any(one.opened)
    assert one.dataset.test_was_read
    with pytest.raises(RuntimeError, match="once"):
        one.dataset.open_test_labels()


def test_what_is_told_is_what_is_recorded(ran):
    one: Ran = ran("cnn:scratch")
    assert [type(event) for event in one.events] == [
        *(events.Stage, events.Phase),
        *[events.Epoch] * EPOCHS,
        events.Stage,
    ]
    told = [event.entry for event in one.events if isinstance(event, events.Epoch)]
    assert told == one.record.history


@pytest.mark.parametrize("arm", ["tiny:frozen", MOBILENET])
def test_features_are_extracted_once_and_the_second_run_says_so(ran, tiny_npz, arm):
    needs_weights(arm)
    first: Ran = ran(arm)
    again = Ran(tiny_npz, arm)
    assert first.record.engine == again.record.engine
    assert first.record.engine in engines.ENGINES
    one, two = first.record.seconds, again.record.seconds
    assert again.record.kept_costs.measured <= again.record.started
    for part in ("extract_train_cold", "extract_validation_cold", "extract_test_cold"):
        assert getattr(two, part) == pytest.approx(getattr(one, part))
    assert two.engine_cold == pytest.approx(one.engine_cold)
    assert two.setup_cold == pytest.approx(two.setup + one.engine_cold)
    assert again.record.base_digest == first.record.base_digest
    head = again.record.parameters.trainable
    base_width = 256
    assert head == base_width * 256 + 256 + 256 * 3 + 3
    assert again.record.weights.hash == first.record.weights.hash
    assert len(again.record.weights.hash) == 64
    assert not any(isinstance(event, events.Features) for event in again.events)


def test_an_engine_that_disagrees_is_replaced_and_noted(tiny_npz, mobilenet_weights, monkeypatch):
    def wrong(backbone: Any, cores: int) -> engines.Extract:
        return lambda images: backbone.predict(images, verbose=0) + 1

    monkeypatch.setitem(engines.ENGINES, "tensorflow", wrong)
    record = Ran(tiny_npz, MOBILENET, engine="tensorflow").record
    assert record.engine == "keras"
    refusals = [line for line in record.notices if "engine tensorflow differs from Keras" in line]
    assert len(refusals) == 1
    assert record.status == "ok"


def test_images_that_memory_does_not_hold_are_one_line_and_a_frozen_base_needs_none(
    tiny_npz, monkeypatch
):
    monkeypatch.setattr(train_phase, "memory", lambda: 400_000)
    with pytest.raises(ComparisonError, match=r"^240 training images of .*: name fewer by --train"):
        Ran(tiny_npz, "cnn:scratch")
    assert Ran(tiny_npz, "tiny:frozen").record.status == "ok"


def test_a_loss_that_is_not_a_number_is_diverged(tiny_npz):
    record = (one := Ran(tiny_npz, "tutorial-cnn:scratch", {"learning_rate": 1e30})).record
    assert record.status == "diverged"
    assert "not a finite number in epoch 1" in record.error
    assert len(record.history) == 1
    assert record.history[0].train_loss is None
    assert (record.test, one.logits) == (None, None)
    assert not one.dataset.test_was_read
    assert record.images_seen == SIZE
    assert "null" in records.to_json(record)


def test_a_run_that_never_leaves_chance_is_diverged_and_tested(tiny_npz):
    one = Ran(tiny_npz, "cnn:scratch", {"learning_rate": 0.0})
    assert one.record.status == "diverged"
    assert "no better than chance yet" in one.record.error
    assert "33." in one.record.error
    assert len(one.record.history) == EPOCHS
    assert one.record.test is not None
    assert one.logits is not None


REPEAT = """
import json, sys, warnings
sys.path.insert(0, "tests")
import factory
from comparisons.training import device, run as training
from comparisons.data import prepare
path, *seeds = sys.argv[1:]
for seed in map(int, seeds):
    dataset = prepare(path, None)
    run = factory.planned("cnn:scratch", 240, data=path, seed=seed, epochs=2, device="cpu",
                          deterministic=True)
    found = device.start("cpu", seed, True)
    record, logits = training.run(run, dataset, found)
    losses = [[e.train_loss, e.val_loss, e.train_accuracy] for e in record.history]
    print(json.dumps([losses, logits.tolist()]))
"""


@pytest.mark.ci
def test_the_same_seed_is_the_same_run_in_any_process_and_another_seed_is_not(tiny_npz, spawn):
    prepare(str(tiny_npz), None)
    processes = [spawn(REPEAT, tiny_npz, *seeds) for seeds in ([1, 0, 0], [0])]
    answers = []
    for process in processes:
        out, errors = process.communicate()
        assert process.returncode == 0, errors
        answers.append([json.loads(line) for line in out.splitlines() if line.startswith("[")])
    (other, first, again), (elsewhere,) = answers
    assert first == again == elsewhere
    assert other[0] != first[0]
    assert other[1] != first[1]


def test_all_arms_see_the_same_images(ran):
    digests = {str(ran(arm).record.data.sizes) for arm in SCRATCH}
    assert len(digests) == 1
    dataset: Dataset = ran(SCRATCH[0]).dataset
    rows = [split(dataset.y_train, 0, SIZE) for _ in SCRATCH]
    assert all((rows[0].train == other.train).all() for other in rows)


def test_a_base_is_saved_where_the_plan_says(tiny_npz, tmp_path):
    dataset = prepare(str(tiny_npz), None)
    run = planned(tiny_npz, "tiny:scratch", dataset, epochs=3)
    run.save_base = str(tmp_path / "base.weights.h5")
    record, _ = training.run(run, dataset, device.start("cpu", 0, False))
    if record.status != "ok":
        assert not list(tmp_path.iterdir())
        return
    network = adapt.build(catalog.MODELS["tiny"], (20, 20, 3), 3, Path(run.save_base))
    assert extraction.weights_digest(network.backbone) == record.base_digest
