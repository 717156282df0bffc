"""Test sets that each seed draws from the same pictures, and test sets too small to tell."""

from __future__ import annotations

import math

import factory
import numpy as np
import pytest
from msgspec.structs import replace
from scipy import stats

from comparisons.findings import family, intervals, race, titles, verdict
from comparisons.findings.view import view

CNN, FROZEN = "cnn:scratch", "tiny:frozen"


def drawn(arm, seed, right, pool, size=40):
    """A run that named some of its own test pictures rightly, of two classes."""
    run = factory.record(arm, seed, size, accuracy=float(np.mean(right)), classes=["a", "b"])
    hits = int(np.sum(right))
    run.test.confusion = [[hits, len(right) - hits], [0, 0]]
    run.test.right = np.packbits(right).tobytes()
    run.data.sizes.test, run.data.drawn_from = len(right), pool
    return run


def arms(left, right, images=20, pool=100):
    """Two arms with so many of their test pictures right, by seed."""
    return [
        drawn(arm, seed, np.arange(images) < hits, pool)
        for arm, reached in ((CNN, left), (FROZEN, right))
        for seed, hits in enumerate(reached)
    ]


def test_overlap_is_what_nadeau_and_bengio_say():
    runs = arms([10, 12, 14], [11, 11, 11])
    found = intervals.accuracies(runs[:3])
    # Their equation 8: (1 / J + n2 / n1) S^2, with n1 = 80 and n2 = 20.
    half = stats.t.ppf(0.975, 2) * np.sqrt((1 / 3 + 20 / 80) * np.var([0.5, 0.6, 0.7], ddof=1))
    assert found.high - found.mean == pytest.approx(half)
    assert found.method == intervals.DRAWN and "Nadeau and Bengio" in found.method
    gap = intervals.paired(runs[:3], runs[3:]).summary
    assert gap.overlap == pytest.approx(0.25) and gap.method == intervals.DRAWN
    shared = [replace(r, data=replace(r.data, drawn_from=0)) for r in runs[:3]]
    assert intervals.accuracies(shared).overlap == 0.0


def covered(corrected: bool, seeds: int = 5, pool: int = 60, tested: int = 12) -> float:
    """How often the interval holds what a nearest-mean classifier reaches on new data."""
    generator = np.random.default_rng(0)
    means = np.array([[-0.4] * 4, [0.4] * 4])

    def data(count):
        labels = generator.integers(2, size=count)
        return means[labels] + generator.normal(size=(count, 4)), labels

    def reached(train, test):
        centres = [train[0][train[1] == label].mean(axis=0) for label in (0, 1)]
        apart = [((test[0] - centre) ** 2).sum(axis=1) for centre in centres]
        return float(((apart[1] < apart[0]) == test[1]).mean())

    new = data(4000)
    true = np.mean([reached(data(pool - tested), new) for _ in range(200)])
    inside, times = 0, 400
    for _ in range(times):
        x, y = data(pool)
        values = []
        for _ in range(seeds):
            order = generator.permutation(pool)
            train, test = order[tested:], order[:tested]
            values.append(reached((x[train], y[train]), (x[test], y[test])))
        overlap = tested / (pool - tested) if corrected else 0.0
        found = intervals.summarise(values, overlap=overlap)
        inside += found.low <= true <= found.high
    return inside / times


def test_without_the_correction_an_interval_covers_too_little():
    assert covered(corrected=True) >= 0.9
    assert covered(corrected=False) < 0.86


def test_answers_to_different_pictures_are_not_laid_side_by_side():
    assert intervals.answers(arms([5], [5])[0]) is None


def test_more_seeds_are_asked_for_where_splits_overlap():
    assert family.seeds_needed(0.02, 0.02) < family.seeds_needed(0.02, 0.02, 0.05)
    assert family.seeds_needed(0.02, 0.02, 0.25) == math.inf
    # Nor where the draw of the test images alone leaves too much room; and three at least.
    assert family.seeds_needed(0.002, 0.02, of_images=0.04**2) == math.inf
    assert family.seeds_needed(1e-9, 0.02) == 3


@pytest.mark.parametrize(("images", "told"), [(2, False), (3, False), (4, True), (20, True)])
def test_so_few_test_pictures_tell_nothing(images, told):
    """Three seeds have three times as many; of twelve a sign test can make something."""
    runs = arms([images] * 3, [images // 2] * 3, images=images)
    answer = verdict.headline(runs)[0]
    assert answer.startswith("Too few to tell") != told
    if not told:
        assert f"with {3 * images} test images in all" in answer and "takes 12" in answer
        best, other = view(runs).best_first(40)
        assert verdict.verdict(best, other).equal


def test_no_more_pictures_are_counted_than_there_are():
    assert intervals.tested_in_all(arms([4] * 3, [4] * 3, images=4, pool=10)) == 10


def test_runs_without_a_result_are_too_few_as_well():
    runs = [replace(r, status="diverged") for r in arms([1], [1], images=2, pool=10)]
    assert "No run ended well, which says nothing" in verdict.headline(runs)[0]


@pytest.mark.parametrize(("hits", "images"), [(0, 20), (17, 20), (20, 20), (144, 153)])
def test_the_interval_by_the_number_alone_is_wilson_s(hits, images):
    expected = stats.binomtest(hits, images).proportion_ci(0.95, method="wilson")
    assert intervals.wilson(hits / images, images) == pytest.approx(tuple(expected), abs=1e-4)


def test_a_small_test_set_is_called_what_it_is():
    said = " ".join(verdict.care(view(arms([17] * 3, [12] * 3))))
    assert "A test set of 20 images is small: 85.0" in said and "64" in said and "95" in said


def test_no_interval_of_accuracies_leaves_what_an_accuracy_can_be():
    runs = arms([2, 0, 2], [0, 2, 2], images=2, pool=10)
    one = intervals.accuracies(runs[:3])
    assert (one.low, one.high) == (0.0, 1.0) and one.method == intervals.DRAWN
    gap = intervals.paired(runs[:3], runs[3:]).summary
    assert (gap.low, gap.high) == (-1.0, 1.0) and gap.includes_zero


def test_no_seeds_are_asked_for_to_show_a_difference_of_nothing():
    level, apart = (
        verdict.care(view(arms(left, [10, 12, 8]))) for left in ([8, 10, 12], [16, 9, 9])
    )
    assert not any("To show a difference" in line for line in level)
    assert any("To show a difference of 6.7 points" in line for line in apart)


def test_where_some_run_reached_nothing_no_curves_are_said_not_to_meet():
    runs = arms([18, 18], [10, 10])
    for epoch in runs[1].history:
        epoch.val_accuracy = 0.0
    assert titles.time(runs).endswith(race.NOWHERE)
    answer = verdict.headline(runs)[0]
    assert "in common" not in titles.time(runs) + answer
