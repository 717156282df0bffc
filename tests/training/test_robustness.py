"""Robustness: known networks on known corruptions, and the same of every kind of arm."""

from __future__ import annotations

from pathlib import Path

import factory
import keras
import numpy as np
import pytest
import small

from comparisons.core.clock import Clock
from comparisons.core.control import Control
from comparisons.core.records import Record
from comparisons.data import Dataset, prepare, split
from comparisons.data.corruptions import CORRUPTIONS, IMAGES, SEVERITIES, corrupted
from comparisons.plan import arms
from comparisons.training import device
from comparisons.training import run as training
from comparisons.training.answers import answers, to_corrupted
from comparisons.training.evaluation import test_metrics as metrics
from comparisons.training.extraction import extracted
from comparisons.training.job import Job, Trained

EVERY = [(name, severity) for name in CORRUPTIONS for severity in SEVERITIES]


def bright(images: np.ndarray) -> Dataset:
    """Grey images, as many as are given, of which those above 130 are called bright."""
    labels = (images.mean(axis=(1, 2, 3)) > 130).astype(np.int64)
    return Dataset("grey", ("dark", "bright"), images, labels, images, labels, fingerprint="grey")


def job(data: Dataset, lower: keras.Model | None, upper: keras.Model) -> Job:
    """A run whose network is trained."""
    return Job(
        factory.planned("cnn:scratch", 2, engine="keras"),
        arms.parse("cnn:scratch"),
        data,
        split(data.y_train, 0, 2),
        None,  # type: ignore[arg-type]  # nothing is trained any more
        small.CPU,
        lambda event: None,
        Control(),
        Clock(),
        last=Trained(small.phase(), lower, upper, data.x_train[:0]),
    )


def by_brightness() -> keras.Model:
    """A network that calls an image bright where its mean is above 130."""
    layers = keras.layers
    dense = layers.Dense(2)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Rescaling(1.0), layers.GlobalAveragePooling2D(), dense]
    )
    dense.set_weights([np.array([[0.0, 1.0]]), np.array([130.0, 0.0])])
    return model


def test_what_a_corruption_does_to_a_known_network_is_what_is_recorded():
    images = np.repeat([100, 160], 5).astype(np.uint8)[:, None, None, None] * np.ones(
        (1, 8, 8, 1), np.uint8
    )
    data = bright(images)
    asked = job(data, None, by_brightness())
    logits = answers(asked, data.x_test)
    before = asked.clock.learning().wall
    corrupted_ones = to_corrupted(asked)
    assert asked.clock.learning().wall - before < 0.01  # all of it is measuring
    found = metrics(logits, data, corrupted=corrupted_ones).robustness
    assert (found.images, found.clean) == (10, 1.0)
    accuracy = {(one.corruption, one.severity): one.accuracy for one in found.corrupted}
    assert list(accuracy) == EVERY
    # 13 more leave the dark ones dark; 38 more, and 77, make them bright.
    assert [accuracy["brightness", s] for s in SEVERITIES] == [1.0, 0.5, 0.5]
    for name in ("blur", "contrast", "JPEG"):  # which leave a plain image as it is
        assert [accuracy[name, s] for s in SEVERITIES] == [1.0] * 3
    bill, _ = asked.clock.bill()
    assert bill.robustness > 0
    assert bill.measuring == pytest.approx(bill.robustness + bill.test)


def test_features_of_corrupted_images_are_never_those_of_the_images_as_they_are(cache):
    generator = np.random.default_rng(0)
    data = bright(generator.integers(0, 256, (40, 32, 32, 1), np.uint8))
    lower = keras.Sequential(
        [keras.Input((32, 32, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(3, 3)]
    )
    upper = keras.Sequential(
        [keras.Input((30, 30, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    for again in range(2):  # with an empty cache, and with one that holds both
        asked = job(data, lower, upper)
        clean = extracted(asked, lower, "test", data.x_test)
        found = to_corrupted(asked)
        for (name, severity), logits in found.logits.items():
            images = corrupted(data.x_test[found.rows], name, severity)
            wanted = np.asarray(upper(lower(images)))
            np.testing.assert_allclose(logits, wanted, atol=2e-3)  # kept as float16
        assert bool(asked.kept_costs) == bool(again)
        far = np.abs(upper(clean) - found.logits["noise", 5]).max()
        assert far > 0.02


def test_every_arm_and_seed_meets_the_same_images_and_no_more_than_there_are():
    labels = np.zeros(3 * IMAGES, np.int64)
    images = np.arange(3 * IMAGES, dtype=np.uint8)[:, None, None, None]
    data = Dataset("many", ("a",), images, labels, images, labels)
    rows = data.test_rows(IMAGES)
    assert len(set(rows.tolist())) == IMAGES and (np.diff(rows) > 0).all()
    assert (data.test_rows(IMAGES) == rows).all()
    assert (data.tested_on(20).test_rows(IMAGES) == np.arange(20)).all()


def ran(npz: Path, arm: str, **asked: bool) -> Record:
    dataset = prepare(str(npz), None)
    given = {"data": str(npz), "fingerprint": dataset.fingerprint, "device": "cpu", **asked}
    planned = factory.planned(arm, 240, epochs=2, engine="keras", **given)
    found = device.start("cpu", planned.seed, asked.get("deterministic", False))
    return training.run(planned, dataset, found)[0]


def test_a_run_that_asks_says_the_same_again_on_features_found_ready(tiny_npz, cache):
    first, again = (ran(tiny_npz, "tiny:probe", robustness=True) for _ in range(2))
    assert first.test == again.test
    found = first.test.robustness
    assert (found.images, found.clean) == (90, first.test.accuracy)
    assert len({one.accuracy for one in found.corrupted}) > 1
    assert 0 < again.seconds.robustness < again.seconds.robustness_cold
    assert first.seconds.measuring > first.seconds.robustness


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["cnn:scratch", "tiny:frozen", "tiny:partial@2", "tiny:lora@2"])
def test_the_bits_of_any_arm_are_the_same_with_another_cache(tiny_npz, tmp_path, monkeypatch, arm):
    found = []
    for name in ("one", "other"):
        monkeypatch.setenv("COMPARISONS_CACHE", str(tmp_path / name))
        found.append(ran(tiny_npz, arm, robustness=True, deterministic=True).test)
    assert found[0] == found[1]
    assert found[0].robustness


def test_who_does_not_ask_keeps_the_ids_of_before():
    assert factory.planned("tiny:frozen", 240).id == "tiny-frozen-n240-s0-5d2b04b9"
    asked = factory.planned("tiny:frozen", 240, robustness=True)
    assert asked.id != "tiny-frozen-n240-s0-5d2b04b9"
