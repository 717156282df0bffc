"""What a run costs with an empty cache does not depend on what the cache held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import factory
import numpy as np
import pytest

from comparisons.core import clock
from comparisons.core.clock import Cost
from comparisons.core.records import Seconds
from comparisons.data import Dataset, prepare
from comparisons.training import device
from comparisons.training import run as training
from models import engines

PREPARING, EACH = 3.0, 0.01
ASKED = [("tiny:frozen", 60, 0), ("tiny:partial@2", 60, 0), ("tiny:frozen", 240, 0),
         ("tiny:frozen", 60, 1), ("tiny:frozen-views", 60, 0)]  # fmt: skip


@pytest.fixture
def counted(monkeypatch):
    """An engine that takes what it counts, by a clock that nothing else moves."""
    at = [0.0]
    monkeypatch.setattr(clock, "now", lambda: Cost(at[0], at[0]))

    def engine(backbone: Any, cores: int = 1) -> engines.Extract:
        at[0] += PREPARING
        by_keras = engines.keras_steps(backbone)
        checks = [True]

        def extract(images: np.ndarray) -> np.ndarray:
            if checks:  # the comparison with Keras is a part of preparing it
                checks.clear()
                return by_keras(images)
            at[0] += EACH * len(images)
            return by_keras(images)

        return extract

    monkeypatch.setitem(engines.ENGINES, "tensorflow", engine)


def bills(
    npz: Path, order: Sequence[tuple[str, int, int]], test_on: int | None = None
) -> dict[Any, Seconds]:
    found = {}
    for arm, size, seed in order:
        dataset = prepare(str(npz), None)
        runtime = device.start("cpu", seed, False)
        run = planned(dataset, npz, arm, size, seed, test_on)
        record, _ = training.run(run, dataset, runtime)
        found[arm, size, seed] = record.seconds
    return found


def planned(
    dataset: Dataset, npz: Path, arm: str, size: int, seed: int, test_on: int | None
) -> Any:
    return factory.planned(
        arm, size, seed=seed, data=str(npz), fingerprint=dataset.fingerprint, epochs=2,
        device="cpu", engine="tensorflow", test_on=test_on,
    )  # fmt: skip


def cold(bill: Seconds) -> dict[str, float]:
    return {
        name: getattr(bill, name) for name in Seconds.__struct_fields__ if name.endswith("_cold")
    }


@pytest.mark.ci
def test_two_orders_of_arms_sizes_and_seeds_cost_the_same_cold(
    tiny_npz, counted, tmp_path, monkeypatch
):
    found = []
    for name, order in (("one", ASKED), ("other", ASKED[::-1])):
        monkeypatch.setenv("COMPARISONS_CACHE", str(tmp_path / name))
        found.append(bills(tiny_npz, order))
    one, other = found
    for run in ASKED:
        assert cold(one[run]) == pytest.approx(cold(other[run]), abs=1e-9), run
    # And that is what each costs by itself: its engine once, and its own images.
    alone = cold(one["tiny:frozen", 60, 0])
    assert alone["engine_cold"] == pytest.approx(PREPARING)
    assert alone["extract_train_cold"] == pytest.approx(60 * EACH)
    assert alone["extract_validation_cold"] == pytest.approx(30 * EACH)
    assert alone["extract_test_cold"] == pytest.approx(90 * EACH)
    assert cold(one["tiny:frozen-views", 60, 0])["extract_train_cold"] == pytest.approx(
        4 * 60 * EACH
    )
    # Two parts of the network are frozen in turn, each by an engine of its own.
    assert cold(one["tiny:partial@2", 60, 0])["engine_cold"] == pytest.approx(2 * PREPARING)


def test_of_what_was_found_ready_nothing_is_charged_as_spent(tiny_npz, counted, cache):
    (first,), (again,) = (bills(tiny_npz, [("tiny:frozen", 60, 0)]).values() for _ in range(2))
    assert cold(first) == pytest.approx(cold(again), abs=1e-9)
    assert (first.extract_train, again.extract_train) == pytest.approx((60 * EACH, 0))
    assert (first.learning, again.learning) == pytest.approx((PREPARING + 60 * EACH, 0))
    assert first.learning == pytest.approx(first.learning_cold)


def test_an_engine_that_measuring_alone_needs_is_not_charged_to_learning(tiny_npz, counted, cache):
    asked = [("tiny:frozen", 60, 0)]
    (whole,), (fewer,) = (bills(tiny_npz, asked, test_on).values() for test_on in (None, 20))
    # What it learns from was found ready; those 20 test images by themselves were not.
    assert fewer.learning == pytest.approx(0)
    assert fewer.measuring == pytest.approx(PREPARING + 20 * EACH)
    assert fewer.learning_cold == pytest.approx(whole.learning_cold)
    assert fewer.extract_test_cold == pytest.approx(20 * EACH)
