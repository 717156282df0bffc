"""The clock of a run: every second on one bill, and the one rule that sums them up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons.core import clock
from comparisons.core.bill import COLD, LEARNING, MEASURING, NEITHER, Costs, Seconds, summed
from comparisons.core.clock import Clock, Cost

PARTS = (*LEARNING, *MEASURING, *NEITHER)


@pytest.fixture
def hand(monkeypatch):
    """A clock's hand that tests move: of the wall, and twice as fast of the processors."""

    class Hand:
        at = 0.0

        def __call__(self) -> Cost:
            return Cost(self.at, 2 * self.at)

    made = Hand()
    monkeypatch.setattr(clock, "now", made)
    return made


def test_what_is_charged_within_another_part_is_charged_once(hand):
    ticking = Clock()
    hand.at += 1
    with ticking.charge("extract_train"):
        hand.at += 10
        with ticking.charge("setup"):
            hand.at += 100
        hand.at += 1000
    seconds, processors = ticking.bill()
    assert (seconds.setup, seconds.extract_train) == (101, 1010)
    assert (processors.setup, processors.extract_train) == (202, 2020)
    assert seconds.total == 1111


def test_a_part_is_charged_when_it_ends_in_an_error(hand):
    ticking = Clock()
    with pytest.raises(ValueError), ticking.charge("train"):
        hand.at += 3
        raise ValueError
    hand.at += 1
    seconds, _ = ticking.bill()
    assert (seconds.train, seconds.setup) == (3, 1)


steps = some.lists(
    some.tuples(some.sampled_from([*PARTS, clock.PAUSED]), some.floats(0, 100)), max_size=30
)


@given(steps)
def test_every_second_is_on_one_bill(charged):
    at = [0.0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: Cost(at[0], at[0]))
        ticking = Clock()
        for part, seconds in charged:
            with ticking.charge(part):
                at[0] += seconds
        paused = ticking.spent(clock.PAUSED).wall
        bill, _ = ticking.bill()
    assert bill.in_all + paused == pytest.approx(at[0])
    assert bill.learning == pytest.approx(sum(s for p, s in charged if p in LEARNING))
    assert bill.measuring == pytest.approx(sum(s for p, s in charged if p in MEASURING))


def test_a_clock_goes_on_from_another_and_what_is_done_again_is_no_learning(hand):
    first = Clock()
    for part, spent in (("read", 1), ("compile", 10), ("train", 100)):
        with first.charge(part):
            hand.at += spent
    kept = first.account()
    with first.charge("train"):
        hand.at += 1000  # lost with its process
    again = Clock()
    with again.charge("compile"):
        hand.at += 11
    again.save("train", Cost(5.0, 5.0))
    again.go_on(kept)
    with again.charge("train"):
        hand.at += 2000
    seconds, processors = again.bill()
    assert (seconds.read, seconds.compile, seconds.train, seconds.checkpoint) == (1, 10, 2100, 11)
    assert (seconds.learning, seconds.learning_cold, seconds.in_all) == (2111, 2111, 2122)
    assert processors.train == 4200
    assert again.before.wall == 111


def test_what_a_cache_saved_is_charged_cold_alone(hand):
    ticking = Clock()
    with ticking.charge("extract_train"):
        hand.at += 1
    ticking.save("extract_train", Cost(7.0, 9.0))
    ticking.save("extract_test", Cost(2.0, 2.0))
    assert (ticking.learning().wall, ticking.learning_cold().wall) == (1, 8)
    seconds, processors = ticking.bill()
    assert (seconds.extract_train, seconds.extract_train_cold) == (1, 8)
    assert (processors.extract_train, processors.extract_train_cold) == (2, 11)
    assert (seconds.learning, seconds.learning_cold) == (1, 8)
    assert (seconds.measuring, seconds.measuring_cold) == (0, 2)
    assert (seconds.total, seconds.total_cold) == (1, 10)


def test_no_part_is_below_zero_and_watching_is_in_no_sum():
    seconds = summed({"train": 5.0, "watch": 50.0, "setup": 1.0}, {"setup": -2.0})
    assert (seconds.setup_cold, seconds.learning, seconds.total) == (0, 6, 6)
    assert seconds.watch == 50


def test_every_field_of_a_bill_is_a_part_a_twin_of_one_or_a_sum():
    sums = ("learning", "measuring", "total")
    known = {*PARTS, *sums, "engine_cold"}
    for name in Seconds.__struct_fields__:
        assert name.removesuffix(COLD) in known or name in known
    assert set(PARTS) <= set(Seconds.__struct_fields__)


def test_how_busy_kept_costs_were_is_weighed_by_their_seconds():
    moment, long = Costs("2026-02-01", 0.4, 0.1), Costs("2026-01-01", 0.01, 9.9)
    both = moment.joined(long)
    assert both == long.joined(moment)
    assert (both.measured, both.seconds) == ("2026-01-01", 10)
    assert both.others == pytest.approx((0.4 * 0.1 + 0.01 * 9.9) / 10, abs=1e-4)
    # Records from before seconds were kept have none: each counts as much.
    assert Costs("2026-01-01", 0.4).joined(Costs("2026-01-02", 0.2)).others == pytest.approx(0.3)
