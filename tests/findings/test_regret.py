"""What following a rule costs: worked examples, and that what is left out is not looked at."""

from __future__ import annotations

import pytest

from comparisons.findings.experience import Point
from comparisons.findings.regret import regrets

SCRATCH, FROZEN, FULL = "cnn:scratch", "base:frozen", "base:full"


def task(data, images, **reached):
    """The points of one task: accuracy and seconds by strategy."""
    arms = {"scratch": SCRATCH, "frozen": FROZEN, "full": FULL}
    return [
        Point(arms[name], data, data.partition(" (")[0], 10, images, accuracy, seconds, 3, "m")
        for name, (accuracy, seconds) in reached.items()
    ]


ALIKE = [
    point
    for data in ("one", "two")
    for point in (
        *task(data, 100, scratch=(0.3, 20), frozen=(0.5, 5), full=(0.6, 25)),
        *task(data, 10_000, scratch=(0.8, 100), frozen=(0.6, 9), full=(0.7, 60)),
    )
]


def by_rule(points):
    return {r.rule: r for r in regrets(points)}


def test_where_families_are_alike_advice_costs_nothing_and_fixed_rules_what_they_miss():
    found = by_rule(ALIKE)
    assert found["advise"].mean == pytest.approx(0.0)
    # Of each size one budget leaves a choice that no smaller one left: 30 s, and 120 s.
    assert {r.cases for r in found.values()} == {4}
    # There frozen misses 0.1 with 100 images, 0.2 with 10,000.
    assert found["always frozen"].mean == pytest.approx((0.1 + 0.2) / 2)
    assert found["always frozen"].worst == pytest.approx(0.2)
    assert next(r.rule for r in regrets(ALIKE)) == "advise"


def test_a_family_is_not_known_to_advice_about_itself():
    """Two families that are each other's opposite: it must be wrong about both."""
    opposite = [
        *task("one", 100, scratch=(0.2, 1), frozen=(0.8, 1)),
        *task("one (a, b)", 100, scratch=(0.2, 1), frozen=(0.8, 1)),
        *task("two", 100, scratch=(0.8, 1), frozen=(0.2, 1)),
    ]
    found = by_rule(opposite)
    assert found["advise"].mean == pytest.approx(0.6)
    assert found["advise"].cases == 3


def test_an_arm_that_does_not_fit_leaves_time_for_the_quickest_alone():
    points = [p for d in ("one", "two") for p in
              task(d, 100, scratch=(0.9, 1_000), frozen=(0.5, 1), full=(0.6, 2))]  # fmt: skip
    found = by_rule(points)
    # Of 10 s, where two fit, and of no limit; in between there is no other choice.
    assert found["always scratch"].mean == pytest.approx(0.1 / 2)
    assert found["always scratch"].cases == 4


def test_a_time_in_which_one_arm_alone_fits_is_no_choice():
    points = [p for d in ("one", "two") for p in
              task(d, 100, scratch=(0.9, 50), frozen=(0.5, 1))]  # fmt: skip
    assert by_rule(points)["always frozen"].cases == 2  # with 120 s
    assert by_rule(points)["always frozen"].mean == pytest.approx(0.4)


def test_one_family_has_no_regret_to_tell():
    assert regrets(ALIKE[:6]) == [] == regrets([])
