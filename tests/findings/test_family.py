"""Many comparisons at once, the runs that a difference needs, ties, and the test set's own luck."""

from __future__ import annotations

import math

import factory
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from comparisons.findings import family, intervals, verdict
from comparisons.findings.view import view
from comparisons.report.differences import differences

CNN, FROZEN, FULL = "cnn:scratch", "tiny:frozen", "tiny:full"
chances = some.dictionaries(some.tuples(some.text(max_size=3), some.just("s")), some.floats(0, 1))


def test_holm_against_a_worked_example():
    found = family.holm({("a", "s"): 0.01, ("b", "s"): 0.04, ("c", "s"): 0.03})
    assert found == {("a", "s"): pytest.approx(0.03), ("c", "s"): pytest.approx(0.06),
                     ("b", "s"): pytest.approx(0.06)}  # fmt: skip


@given(chances)
def test_holm_raises_every_p_keeps_their_order_and_is_at_most_bonferroni(ps):
    found = family.holm(ps)
    assert found.keys() == ps.keys()
    for pair, p in ps.items():
        assert p - 1e-12 <= found[pair] <= min(len(ps) * p, 1.0) + 1e-12
    ranked = sorted(ps, key=ps.__getitem__)
    assert [found[pair] for pair in ranked] == sorted(found.values())


@given(some.lists(some.floats(-1, 1), min_size=3, max_size=10, unique=True))
def test_p_is_that_of_the_t_test_and_agrees_with_the_interval(values):
    s = intervals.summarise(values)
    if s.spread and s.spread > 1e-9:
        assert s.p == pytest.approx(stats.ttest_1samp(values, 0.0).pvalue, abs=1e-9)
        if abs(s.p - 0.05) > 1e-9:
            assert s.includes_zero == (s.p > 0.05)


def three(arm, *accuracies):
    return [factory.record(arm, seed, accuracy=a) for seed, a in enumerate(accuracies)]


ARMS = [
    *three(CNN, 0.70, 0.71, 0.72),
    *three(FROZEN, 0.80, 0.809, 0.822),
    *three(FULL, 0.705, 0.70, 0.735),
]


def test_the_family_is_every_arm_against_scratch():
    found = family.family(view(ARMS), 45_000)
    assert found.keys() == {(FROZEN, CNN), (FULL, CNN)}
    own = intervals.paired(ARMS[3:6], ARMS[:3]).summary.p
    assert found[FROZEN, CNN] == pytest.approx(2 * own)
    shown = {(d.first, d.second): d.p for d in differences(view(ARMS))}
    assert shown[FROZEN, CNN] == found[FROZEN, CNN]
    assert shown[FROZEN, FULL] is None
    assert family.family(view(three(CNN, 0.7) + three(FROZEN, 0.8)), 45_000) == {}


def test_a_difference_that_only_stands_alone_is_said_to():
    weak = [*three(CNN, 0.70, 0.70, 0.70), *three(FROZEN, 0.735, 0.72, 0.728),
            *three(FULL, 0.734, 0.72, 0.727), *three("tiny:probe", 0.71, 0.70, 0.73)]  # fmt: skip
    (found,) = (d for d in differences(view(weak)) if {d.first, d.second} == {FROZEN, CNN})
    assert found.low > 0 and found.p > 0.05
    assert "but not when all comparisons" in found.says


def test_three_families_of_no_difference_fool_it_once_in_twenty():
    """By simulation: four arms that are all like scratch."""
    draw = np.random.default_rng(0)
    fooled, many = 0, 2_000
    for _ in range(many):
        ps = {
            (str(arm), "s"): intervals.summarise(draw.normal(0, 1, 5).tolist()).p
            for arm in range(4)
        }
        fooled += min(family.holm(ps).values()) < family.ALPHA
    assert 0.03 <= fooled / many <= 0.07


@pytest.mark.parametrize("gap", [0.5, 1.0, 2.0])
def test_so_many_seeds_show_the_difference_in_four_of_five_experiments(gap):
    """By simulation, with differences that spread by 1."""
    n = family.seeds_needed(1.0, gap)
    draw = np.random.default_rng(1)
    shown = sum(
        intervals.summarise(draw.normal(gap, 1, n).tolist()).includes_zero is False
        for _ in range(2_000)
    )
    assert 0.75 <= shown / 2_000 <= 0.95
    assert family.seeds_needed(1.0, 0.01) is None


def test_a_tie_is_an_interval_within_a_point_and_is_called_one():
    near = [*three(CNN, 0.700, 0.710, 0.720), *three(FROZEN, 0.7012, 0.7105, 0.7211)]
    for run in near:
        run.test.right = b""
    found = verdict.verdict(*view(near).best_first(45_000))
    assert family.tied(found.paired.summary)
    assert verdict.evidence(found).endswith("all within a point of zero: a tie.")
    (row,) = differences(view(near))
    assert row.says.startswith("a tie")
    assert not family.tied(intervals.summarise([0.0, 0.02, 0.04]))
    assert not family.tied(intervals.summarise([0.0]))


def test_what_bears_on_trust_is_said_of_the_two_arms_in_the_headline():
    apart = [*three(CNN, 0.70, 0.71, 0.75), *three(FROZEN, 0.73, 0.70, 0.77)]
    first, second = verdict.care(view(apart))
    assert "in four of five such experiments would take about" in first
    images = intervals.images_tested(apart)
    points = 100 * math.sqrt(0.7333 * 0.2667 / images)
    assert (
        f"Another draw of {images:,} test images" in second and f"by {points:.1f} points" in second
    )
    assert verdict.care(view(three(CNN, 0.7))) == []
