"""Where one arm overtakes another: known answers, properties, and coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from comparisons.findings import sizes
from comparisons.findings.sizes import Curve, Images

SIZES = (100, 300, 1_000, 3_000)


def curve(*means: float, spread: float = 0.001, seeds: int = 3) -> Curve:
    """A difference with these means, whose seeds lie evenly around each."""
    around = np.linspace(-spread, spread, seeds)
    return Curve(SIZES[: len(means)], np.array(means)[:, None] + around)


def test_between_two_sizes_it_is_linear_in_the_logarithm():
    outcome, images = sizes.crossing(curve(-0.2, -0.1, 0.1, 0.2))
    assert outcome == "between"
    assert images.estimate == pytest.approx(math.sqrt(300 * 1_000), rel=1e-6)
    assert 300 < images.low < images.estimate < images.high < 1_000


@pytest.mark.parametrize(
    ("means", "outcome", "images"),
    [
        ((-0.4, -0.3, -0.2, -0.1), "above", Images(None, 3_000, None)),
        ((0.1, 0.2, 0.3, 0.4), "below", Images(None, None, 100)),
        ((-0.1, 0.1, -0.1, 0.1), "not resolved", Images()),
        ((-1e-5, 0.0, 0.0, 1e-5), "not resolved", Images()),
    ],
)
def test_nothing_is_said_beyond_what_was_measured(means, outcome, images):
    assert sizes.crossing(curve(*means)) == (outcome, images)


def test_an_end_of_the_interval_is_open_where_the_last_size_is_not_told_apart():
    outcome, images = sizes.crossing(curve(-0.2, -0.1, -0.05, 0.0005))
    assert outcome == "between" and images.high is None
    assert 1_000 < images.low < images.estimate < 3_000
    outcome, images = sizes.crossing(curve(-0.2, -0.1, -0.05, -0.0005))
    assert outcome == "above" and images.high is images.estimate is None
    assert 1_000 < images.low < 3_000


def test_one_seed_has_a_crossing_and_no_interval():
    assert sizes.crossing(curve(-0.1, 0.1, seeds=1, spread=0.0)) == (
        "between",
        Images(pytest.approx(math.sqrt(30_000)), None, None),
    )


def found(one: Curve) -> tuple[sizes.Outcome, Images]:
    return sizes.crossing(sizes.oriented(one))


@given(some.lists(some.floats(-0.5, 0.5), min_size=2, max_size=4), some.floats(1e-4, 0.05))
def test_it_does_not_matter_which_arm_is_named_first(means, spread):
    there, back = curve(*means, spread=spread), curve(*means, spread=spread).turned()
    if abs(means[0] - means[-1]) > 1e-6:
        assert found(there) == found(back)


@given(some.lists(some.floats(-0.5, 0.5), min_size=2, max_size=4), some.floats(1e-4, 0.05))
@example([0.0, 0.5, -0.0625, 0.5], 0.03125)  # even twice: the interval ends after both
def test_the_ends_are_in_order_and_among_the_sizes(means, spread):
    _, images = found(curve(*means, spread=spread))
    known = [n for n in (images.low, images.estimate, images.high) if n is not None]
    assert known == sorted(known)
    assert all(100 <= n <= SIZES[len(means) - 1] * (1 + 1e-9) for n in known)


@pytest.mark.ci
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_holds_the_true_crossing_in_95_of_100_experiments(seeds):
    """By simulation: normal luck of seeds at each size, and of images common to all sizes."""
    draw, where = np.random.default_rng(seeds), 450.0
    true = 0.05 * np.log(np.array(SIZES) / where)
    hits, many = 0, 300
    for _ in range(many):
        images = draw.normal(0, 0.6, 400)
        by_image = true[:, None] + images
        by_seed = by_image.mean(axis=1)[:, None] + draw.normal(0, 0.02, (len(SIZES), seeds))
        by_image = by_image + (by_seed - by_image.mean(axis=1)[:, None]).mean(axis=1)[:, None]
        _, images_found = sizes.crossing(Curve(SIZES, by_seed, by_image))
        low, high = images_found.low or 0.0, images_found.high or math.inf
        hits += low <= where <= high
    assert 0.93 <= hits / many <= 0.98
