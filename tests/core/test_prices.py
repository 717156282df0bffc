"""Prices: money and energy of seconds, and what is refused."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons.core import prices
from comparisons.core.errors import ComparisonError
from comparisons.core.prices import UNPRICED, Prices


def test_an_hour_costs_its_price_and_draws_its_watts():
    one = Prices(2.5, 60.0)
    assert (one.money(3600), one.energy(3600)) == ("2.50", "60.00\u00a0Wh")
    assert (one.money(36), one.energy(36)) == ("0.025", "0.60\u00a0Wh")
    assert one.money(3600 * 1000) == "2,500.00"


def test_without_prices_nothing_is_said():
    assert UNPRICED.money(10) == UNPRICED.energy(10) == ""


@given(some.floats(1e-3, 1e9), some.floats(1e-3, 1e9))
def test_two_digits_of_any_price_can_be_read(per_hour, seconds):
    said = Prices(per_hour).money(seconds)
    assert float(said.replace(",", "")) == pytest.approx(
        seconds / 3600 * per_hour, rel=0.06, abs=0.006
    )


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf"])
@pytest.mark.parametrize("flag", ["--price-per-hour", "--watts"])
def test_what_is_no_price_is_said_in_one_line(flag, value):
    parser = argparse.ArgumentParser()
    prices.add_flags(parser)
    with pytest.raises(ComparisonError, match=flag) as error:
        prices.asked(parser.parse_args([f"{flag}={value}"]))
    assert error.value.exit_code == 2 and "\n" not in str(error.value)
