"""What a set of records says of its sizes: who overtakes whom where, and what a base is worth."""

from __future__ import annotations

import re

import factory
import pytest

from comparisons.core.records import Record
from comparisons.findings import crossings, verdict
from comparisons.findings.view import view

SIZES = (100, 1_000, 10_000)
SCRATCH, FROZEN = "cnn:scratch", "mobilenet@0.25x96:frozen"


def records(**accuracies: tuple[float, ...]) -> list[Record]:
    """Three seeds of arms with these accuracies at SIZES, a little apart."""
    arms = {
        "scratch": (SCRATCH, 0.004),
        "frozen": (FROZEN, 0.001),
        "tutorial": ("tutorial-cnn:scratch", 0.002),
    }
    return [
        factory.record(arm, seed, size, accuracy=accuracy + luck * (seed - 1))
        for name, values in accuracies.items()
        for arm, luck in [arms[name]]
        for size, accuracy in zip(SIZES, values, strict=False)
        for seed in (0, 1, 2)
    ]


CROSS = records(scratch=(0.3, 0.5, 0.7), frozen=(0.55, 0.6, 0.65))


def said(runs: list[Record]) -> str:
    seen = view(runs)
    return " ".join(crossings.sentences(crossings.leading(seen), seen)).replace("\u00a0", " ")


def test_a_crossing_between_sizes_is_said_with_its_interval_and_what_to_run_next():
    (found,) = crossings.crossings(view(CROSS))
    assert found.arms == (SCRATCH, FROZEN) and found.outcome == "between"
    # -0.10 at 1,000 and +0.05 at 10,000: two thirds of a decade further.
    assert found.images.estimate == pytest.approx(1_000 * 10 ** (2 / 3), rel=1e-6)
    assert found.images.low < found.images.estimate < found.images.high
    assert found.next_sizes == [2_200, 4_600]
    assert "CNN · from scratch overtakes MobileNet ¼, 96 px · frozen at about 4,600" in said(CROSS)
    assert "95 % interval" in said(CROSS) and "runs with 2,200 and 4,600 images" in said(CROSS)
    assert any("overtakes" in line for line in verdict.headline(CROSS))


def test_what_a_base_is_worth_is_read_off_the_curve_from_scratch():
    # Frozen with 100 images, 55 %, is where scratch is a quarter of a decade after 1,000.
    found = {w.size: w for w in crossings.worths(view(CROSS))}
    assert found[100].times == pytest.approx(10 * 10**0.25, rel=1e-6)
    assert found[1_000].times == pytest.approx(10**0.5, rel=1e-6)
    assert "With 100 images MobileNet ¼, 96 px · frozen is where" in said(CROSS)
    one = r"(\d+\.\d) to (\d+\.\d)\)"
    told = rf"worth 17\.8 times the images \(95 % interval {one}, 3\.2 \({one} with 1,000\."
    low, high, *_ = map(float, re.search(told, said(CROSS)).groups())
    assert low < 17.8 < high


def test_a_base_whose_images_may_be_worth_one_each_is_not_praised():
    # Level at 1,000 but for the luck of seeds; ahead at 100.
    level = records(scratch=(0.3, 0.599, 0.7), frozen=(0.55, 0.6, 0.62))
    (near,) = [w for w in crossings.worths(view(level)) if w.size == 1_000]
    assert near.times > 1 and not near.clear
    assert "With 100 images" in said(level) and "with 1,000." not in said(level)


def test_where_scratch_never_gets_there_it_is_worth_at_least_what_was_measured():
    ahead = records(scratch=(0.3, 0.4, 0.5), frozen=(0.6, 0.7, 0.8))
    (found,) = crossings.crossings(view(ahead))
    assert found.outcome == "above" and found.images.low == 10_000
    assert "lies above what was measured" in said(ahead)
    assert "at least 100.0 times" in said(ahead)


def test_the_side_that_leads_everywhere_is_named_whichever_it_is():
    behind = records(scratch=(0.6, 0.75, 0.9), frozen=(0.5, 0.55, 0.6))
    (found,) = crossings.crossings(view(behind))
    assert (found.outcome, found.images.high) == ("below", 100)
    assert said(behind).startswith("CNN · from scratch is ahead of MobileNet ¼, 96 px · frozen")


def test_every_pair_is_there_and_a_single_size_has_none():
    three = [*CROSS, *records(tutorial=(0.2, 0.3))]
    pairs = {one.arms for one in crossings.crossings(view(three))}
    assert len(pairs) == 3
    assert crossings.crossings(view([r for r in CROSS if r.train_size == 100])) == []
    assert said([r for r in CROSS if r.train_size == 100]) == ""


def test_a_run_that_did_not_end_well_costs_its_size_and_no_other_its_interval():
    diverged = factory.record(SCRATCH, 0, 100, status="diverged", error="nan")
    others = [r for r in CROSS if (r.arm, r.seed, r.train_size) != (SCRATCH, 0, 100)]
    (found,) = crossings.crossings(view([*others, diverged]))
    (without,) = crossings.crossings(view([r for r in CROSS if r.train_size > 100]))
    assert found == without and found.images.low and found.measured == (1_000, 10_000)
    few = [r for r in [*others, diverged] if r.seed < 2]
    (found,) = crossings.crossings(view(few))
    assert found.measured == (100, 10_000) and found.images.low is None


def test_what_a_base_is_worth_is_not_turned_round_where_scratch_grows_worse():
    # Behind with every number of images, though from scratch it falls.
    behind = records(scratch=(0.90, 0.89, 0.88), frozen=(0.50, 0.50, 0.50))
    assert all(w.times is None for w in crossings.worths(view(behind)))
    assert "worth" not in said(behind)
    ahead = records(scratch=(0.50, 0.49, 0.48), frozen=(0.80, 0.80, 0.80))
    assert [w.times for w in crossings.worths(view(ahead))] == [100, 10, 1]
    assert "at least 100.0 times" in said(ahead)


def test_only_sizes_that_both_arms_have_are_told_of():
    """A third arm has more of them."""
    more = [factory.record("tutorial-cnn:scratch", s, 45_000, accuracy=0.1) for s in (0, 1, 2)]
    ahead = records(scratch=(0.3, 0.4, 0.5), frozen=(0.6, 0.7, 0.8), tutorial=(0.05, 0.06, 0.07))
    found = [one for one in crossings.crossings(view([*ahead, *more])) if FROZEN in one.arms]
    assert {one.measured for one in found} == {(100, 10_000)}
    for one in found:
        assert "10,000" in crossings.say(one) and "45,000" not in crossings.say(one)
        assert "45,000" not in crossings.title(one, view([*ahead, *more]))


def test_who_leads_clearly_at_the_wrong_end_is_overtaken_nowhere():
    up_and_down = records(scratch=(0.40, 0.6005, 0.60), frozen=(0.60, 0.60, 0.70))
    (found,) = crossings.crossings(view(up_and_down))
    assert (found.outcome, found.images) == ("not resolved", crossings.Images())


def test_one_seed_gives_no_ends_of_an_interval():
    for frozen, outcome in ((0.6, "above"), (0.1, "below")):
        runs = records(scratch=(0.3, 0.4, 0.5), frozen=(frozen,) * 3)
        one = [r for r in runs if r.seed == 1]
        (found,) = crossings.crossings(view(one))
        assert (found.outcome, found.images) == (outcome, crossings.Images())
        assert not any(w.clear for w in crossings.worths(view(one)))
        assert "worth" not in said(one)


def test_splits_that_overlap_widen_a_crossing_as_they_widen_its_differences():
    """Where each seed tests on pictures of its own, drawn from the same folder."""

    def drawn(r: Record) -> Record:
        r.data.drawn_from, r.data.sizes.test = 100, 20
        return r

    narrow = records(scratch=(0.3, 0.5, 0.63), frozen=(0.55, 0.6, 0.6))
    wide = [drawn(r) for r in records(scratch=(0.3, 0.5, 0.63), frozen=(0.55, 0.6, 0.6))]
    (one,), (other,) = (crossings.crossings(view(runs)) for runs in (narrow, wide))
    assert one.images.estimate == pytest.approx(other.images.estimate)
    assert other.images.low < one.images.low < one.images.high < other.images.high


def test_an_arm_of_one_size_does_not_silence_the_others():
    best = [factory.record("vgg16@32:frozen", s, 10_000, accuracy=0.95) for s in (0, 1, 2)]
    assert said([*CROSS, *best]) == said(CROSS) != ""
