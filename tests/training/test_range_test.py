"""The learning-rate range test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from small import CPU, network, phase, problem

from comparisons.training import range_test


def test_a_range_test_leaves_the_network_as_it_was_bit_for_bit():
    model = network()
    before = [np.array(v) for v in model.variables]
    assert any("seed" in v.path for v in model.variables)
    found = range_test.range_test(model, phase(), *problem(40), 2, 0, CPU)
    assert all((a == np.array(v)).all() for a, v in zip(before, model.variables, strict=True))
    again = range_test.range_test(model, phase(), *problem(40), 2, 0, CPU)
    assert found == again
    assert len(found.rates) >= range_test.FEWEST or found.exploded
    ratios = np.diff(np.log(found.rates))
    assert ratios == pytest.approx(ratios[0])
    assert found.rates[0] == pytest.approx(range_test.LOWEST)


def test_a_range_test_stops_where_the_loss_explodes():
    found = range_test.range_test(
        network(), phase(optimizer="plain-sgd"), 1e3 * problem(40)[0], problem(40)[1], 2, 0, CPU
    )
    assert found.exploded
    assert found.rates[-1] < range_test.HIGHEST
    assert found.chosen < found.rates[-1]


losses = some.lists(some.floats(0, 1e6) | some.just(math.nan) | some.just(math.inf), min_size=1)


@given(losses)
def test_the_choice_is_a_tenth_of_a_rate_that_was_tried(values):
    rates = list(np.geomspace(1e-6, 10, len(values)))
    chosen = range_test.choose(rates, values)
    assert any(chosen * range_test.MARGIN == pytest.approx(rate) for rate in rates)
    known = range_test.smoothed(values)
    assert len(known) == len(values)
    finite = [v for v in values if math.isfinite(v)]
    for value in known:
        assert value is None or min(finite) - 1e-6 <= value <= max(finite) * (1 + 1e-9)
    if not math.isfinite(values[-1]):
        assert range_test.exploded(values)


@given(some.floats(0.1, 10), some.integers(1, 50))
def test_a_level_loss_stays_level_and_does_not_explode(level, count):
    assert range_test.smoothed([level] * count) == pytest.approx([level] * count)
    assert not range_test.exploded([level] * count)
    assert range_test.exploded([level] * count + [level * 1e4])
