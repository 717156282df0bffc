"""What more labels would bring: known curves, refusals, and coverage by simulation."""

from __future__ import annotations

import math

import factory
import numpy as np
import pytest

from comparisons.findings import labels
from comparisons.findings.intervals import Luck
from comparisons.findings.view import view

SIZES = (100, 300, 1_000, 3_000)
ARM = "cnn:scratch"


def follows(n: float) -> float:
    """An accuracy whose error falls with one over the square root."""
    return 0.9 - 5.0 / math.sqrt(n)


def runs(sizes=SIZES, seeds=(0, 1, 2)):
    return [factory.record(ARM, s, n, accuracy=follows(n) + 0.001 * (s - 1))
            for n in sizes for s in seeds]  # fmt: skip


def test_a_curve_of_that_form_is_continued_and_its_largest_size_foretold():
    (found,) = labels.outlooks(view(runs()))
    assert (found.size, found.images) == (3_000, 6_000)
    assert found.expected.mean == pytest.approx(follows(6_000), abs=1e-6)
    assert found.expected.low < follows(6_000) < found.expected.high
    assert found.hidden.expected.mean == pytest.approx(follows(3_000), abs=1e-6)
    assert found.hidden.measured == pytest.approx(follows(3_000))
    said = labels.say(found, "CNN").replace("\u00a0", " ")
    assert said.startswith("With 6,000 images CNN is expected to reach 83.5 %")
    assert "+2.7 points over what it reaches with 3,000" in said
    assert "by the sizes below 3,000 alone" in said


def test_nothing_is_said_beyond_twice_the_images_nor_of_two_sizes():
    by_size = {n: [r for r in runs() if r.train_size == n] for n in SIZES}
    assert labels.expected(by_size, 6_000) is not None
    assert labels.expected(by_size, 6_001) is None
    assert labels.expected({n: by_size[n] for n in SIZES[:2]}, 300) is None
    assert labels.expected({}, 100) is None
    assert labels.outlooks(view(runs(SIZES[:2]))) == []
    (three,) = labels.outlooks(view(runs(SIZES[:3])))
    assert three.hidden.held  # three seeds of two sizes are enough to foretell the third
    (alone,) = labels.outlooks(view(runs(SIZES[:3], seeds=[0])))
    assert alone.hidden is None
    assert labels.say(alone, "CNN").endswith("with 1,000; too few sizes and seeds to check that by "
                                             "hiding one.")  # fmt: skip


def test_a_curve_of_another_form_is_not_continued():
    """One that still climbs at the end: what the sizes below foretell of the largest is refuted."""
    rising = [r for r in runs() if r.train_size < 3_000]
    rising += [factory.record(ARM, s, 3_000, accuracy=0.88 + 0.001 * s) for s in (0, 1, 2)]
    (found,) = labels.outlooks(view(rising))
    assert not found.hidden.held
    said = labels.say(found, "CNN").replace("\u00a0", " ")
    assert said.startswith("What more images would bring CNN cannot be told by this")
    assert "6,000" not in said and said.endswith("there, and reached 88.1 %.")


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_holds_the_true_accuracy_in_95_of_100_experiments(seeds):
    """By simulation: luck of seeds that falls as the fit has it, and luck of images."""
    draw = np.random.default_rng(seeds)
    n = np.repeat(SIZES, seeds).astype(float)
    true = np.array([follows(one) for one in n])
    hits, many, images = 0, 4_000, 2_000
    for _ in range(many):
        common = draw.normal(0, 0.3 / math.sqrt(images))
        reached = true + common + draw.normal(0, 0.3 / np.sqrt(n))
        found = labels.fitted(n, reached, 6_000, Luck(0.09 / images, images))
        hits += found.low <= follows(6_000) <= found.high
    assert 0.93 <= hits / many <= 0.98


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_at_a_hidden_size_holds_the_mean_that_is_measured_there(seeds):
    draw = np.random.default_rng(seeds)
    n = np.repeat(SIZES[:3], seeds).astype(float)
    true = np.array([follows(one) for one in n])
    hits, many = 0, 4_000
    for _ in range(many):
        reached = true + draw.normal(0, 0.3 / np.sqrt(n))
        mean = follows(3_000) + draw.normal(0, 0.3 / np.sqrt(3_000), seeds).mean()
        found = labels.fitted(n, reached, 3_000, None, measured=seeds)
        hits += found.low <= mean <= found.high
    assert 0.93 <= hits / many <= 0.98
