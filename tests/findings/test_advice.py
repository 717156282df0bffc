"""Advice: what it rests on, when it changes, and that it says where its evidence ends."""

from __future__ import annotations

import math

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from comparisons.core.probe import Speed
from comparisons.findings import experience, intervals
from comparisons.findings.advice import Task, advise, changes, nearest, rank
from comparisons.findings.experience import Point, joined, points, ratios, scaled

SCRATCH, FROZEN = "cnn:scratch", "mobilenet@0.25x64:frozen"


def point(arm, images, accuracy, seconds, classes=10, data="some"):
    return Point(arm, data, data, classes, images, accuracy, seconds, 3, "a machine", ("id",))


# Frozen is ahead with few images and quick, scratch with many and slow.
POINTS = [
    *(point(SCRATCH, n, a, s) for n, a, s in ((100, 0.2, 20), (1_000, 0.5, 40), (10_000, 0.8, 90))),
    *(point(FROZEN, n, a, s) for n, a, s in ((100, 0.5, 5), (1_000, 0.6, 6), (10_000, 0.65, 9))),
]


@pytest.mark.parametrize(("images", "arm"), [(100, FROZEN), (1_000, FROZEN), (10_000, SCRATCH)])
def test_the_arm_that_was_ahead_is_advised(images, arm):
    found = advise(Task(images, 10), POINTS)
    assert found.arm == arm and found.reaches and not found.notes
    assert {found.arm, found.runner_up.arm} == {SCRATCH, FROZEN}
    assert found.evidence[0].images == images and found.evidence[0].distance == 0
    assert found.accuracy.low < found.accuracy.mean < found.accuracy.high


def test_little_time_changes_it_and_more_would_change_it_back():
    quick = advise(Task(10_000, 10, seconds=30), POINTS)
    assert quick.arm == FROZEN and quick.runner_up.arm == SCRATCH
    assert any(line.startswith("With 90") and "CNN" in line for line in quick.would_change)
    # On a machine of half the speed it takes twice as long.
    slow = advise(Task(10_000, 10, seconds=120), scaled(POINTS, {"a machine": 2.0}))
    assert slow.arm == FROZEN
    assert slow.seconds.learning == pytest.approx(2 * quick.seconds.learning)


def test_other_numbers_of_images_that_would_change_it_are_named():
    assert any("MobileNet" in line and "images it would be" in line
               for line in advise(Task(10_000, 10), POINTS).would_change)  # fmt: skip


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (Task(30, 10), "does not reach 30"),
        (Task(50_000, 10), "does not reach 50,000"),
        (Task(1_000, 100), "classes: it does not reach 100"),
        (Task(1_000, 10, seconds=1.0), "No arm is expected to learn within 1.0"),
    ],
)
def test_it_says_plainly_where_the_evidence_does_not_reach(task, says):
    found = advise(task, POINTS)
    assert not found.reaches
    assert says in " ".join(found.notes).replace("\u00a0", " ")


def test_without_time_for_any_the_quickest_is_named():
    assert advise(Task(1_000, 10, seconds=1.0), POINTS).arm == FROZEN
    assert advise(Task(1_000, 10), []) is None


def test_chance_is_allowed_for_where_classes_are_fewer():
    (of_ten,) = rank(Task(1_000, 10), [point(FROZEN, 1_000, 0.55, 5)])
    (of_two,) = rank(Task(1_000, 2), [point(FROZEN, 1_000, 0.55, 5)])
    assert of_ten.accuracy.mean == pytest.approx(0.55)
    assert of_two.accuracy.mean == pytest.approx(0.75)


measured = some.lists(
    some.builds(point, some.sampled_from([SCRATCH, FROZEN]), some.integers(2, 10**6),
                some.floats(0, 1), some.floats(0.01, 1e5), some.integers(2, 1_000)),
    min_size=1, max_size=12,
)  # fmt: skip


@given(measured, some.integers(2, 10**6), some.integers(2, 1_000), some.floats(0.1, 1e6))
def test_whatever_was_measured_an_answer_has_numbers_that_can_be(points, images, classes, seconds):
    found = advise(Task(images, classes, seconds), points)
    a = found.accuracy
    assert 0 <= a.low <= a.mean <= a.high <= 1
    assert math.isfinite(found.seconds.learning) and found.seconds.learning > 0
    assert found.evidence and all(e.distance >= 0 for e in found.evidence)
    fitting = [e for e in rank(Task(images, classes, seconds), points)
               if e.seconds.learning <= seconds]  # fmt: skip
    assert not fitting or max(e.accuracy.mean for e in fitting) == pytest.approx(a.mean)


def test_a_point_or_two_promise_no_more_than_seeds_and_test_images_do():
    """Ten pictures, of which six were tested, and one seed of many."""
    ten = replace(point(FROZEN, 8, 5 / 6, 5, classes=2), tested=6)
    (found,) = rank(Task(8, 2, data="some"), [ten])
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx(intervals.wilson(5 / 6, 6))
    once = replace(ten, accuracy=0.762, seeds=1, tested=10_000)
    (found,) = rank(Task(8, 2, data="some"), [once])
    assert found.accuracy.low == pytest.approx(0.762 - 0.125)
    (found,) = rank(Task(8, 2, data="some"), [replace(once, seeds=3)])
    assert found.accuracy.low == pytest.approx(0.762 - 0.015)
    # Of a point of which nobody knows how many were tested nothing is promised either.
    (found,) = rank(Task(8, 2, data="some"), [replace(once, seeds=3, tested=0)])
    assert found.accuracy.low == pytest.approx(0.762 - 0.125)


def test_what_would_change_it_names_each_arm_once_with_the_nearest_number():
    tasks = [Task(10_000, 10, seconds=60.0 * minutes) for minutes in (2, 5, 30)]
    assert {advise(task, POINTS).arm for task in tasks} == {SCRATCH}
    assert sum("of learning" in line for t in tasks for line in advise(t, POINTS).would_change) > 1
    said = [line.replace("\u00a0", " ") for line in changes(tasks, POINTS, SCRATCH)]
    assert [line for line in said if "of learning" in line] == [
        "With 84 s of learning it would be MobileNet ¼, 64 px · frozen."
    ]
    assert len([line for line in said if "images" in line]) == 1
    # Nearer below than above: that one is said.
    middle = [replace(p, images=n) for p, n in zip(POINTS, (100, 1_000, 10_000) * 2, strict=True)]
    turning = [replace(p, accuracy=0.9 if p.arm == SCRATCH and p.images == 1_000 else 0.5)
               for p in middle]  # fmt: skip
    again = changes([Task(1_000, 10)], turning, SCRATCH)
    assert len(again) == len(set(again)) <= 1


def test_the_nearest_comes_first_and_the_very_data_is_nearer():
    near = nearest(Task(1_000, 10, data="mine"), [
        point(FROZEN, 1_000, 0.6, 5), point(FROZEN, 1_100, 0.6, 5, data="mine"),
    ])  # fmt: skip
    assert [e.data for e in near] == ["mine", "some"]


def test_what_was_measured_on_photographs_says_little_of_drawings():
    """A base of photographs wins there and loses here, with as many images and classes."""
    photographs = [point(FROZEN, 1_000, 0.6, 5), point(SCRATCH, 1_000, 0.5, 5)]
    drawings = [
        replace(point(arm, 1_000, accuracy, 5, data="drawn"), photographs=False)
        for arm, accuracy in ((FROZEN, 0.4), (SCRATCH, 0.9))
    ]
    both = [*photographs, *drawings]
    assert advise(Task(1_000, 10, photographs=True), both).arm == FROZEN
    found = advise(Task(1_000, 10, photographs=False), both)
    assert found.arm == SCRATCH and found.evidence[0].data == "drawn"
    assert found.accuracy.mean == pytest.approx(0.9, abs=0.02)
    # Where nothing else was measured it is better than nothing, and said to be no more.
    found = advise(Task(1_000, 10, photographs=False), photographs)
    assert (found.arm, found.reaches) == (FROZEN, False)
    assert found.notes == ["Nothing was measured on drawings: what follows may not hold for them."]


def test_records_know_which_images_are_photographs():
    runs = [factory.record(SCRATCH, seed) for seed in range(3)]
    for run, name, synthetic in zip(
        runs, ("cifar10 (cat, dog)", "mnist (0, 1)", "shapes"), (False, False, True), strict=True
    ):
        run.data.name, run.data.synthetic = name, synthetic
    found = {p.data: p.photographs for p in points(runs)}
    assert found == {"cifar10 (cat, dog)": True, "mnist (0, 1)": False, "shapes": False}


def test_records_become_a_point_for_each_arm_and_size():
    runs = factory.records([SCRATCH, FROZEN], seeds=3, sizes=(1_000, 5_000))
    failed = factory.record("tiny:frozen", status="failed", error="no", test=None)
    found = points([*runs, failed])
    assert [(p.arm, p.images, p.seeds) for p in found] == [
        (SCRATCH, 1_000, 3), (SCRATCH, 5_000, 3), (FROZEN, 1_000, 3), (FROZEN, 5_000, 3),
    ]  # fmt: skip
    assert all(p.family == p.data.partition(" (")[0] and len(p.records) == 3 for p in found)


def test_a_group_whose_first_seed_failed_keeps_those_that_ended_well():
    first, *others = factory.records([SCRATCH], seeds=3, sizes=(1_000,))
    failed = factory.record(SCRATCH, 0, 1_000, status="failed", error="no", classes=[])
    (found,) = points([failed, *others])
    assert found.seeds == 2 and found.classes == 10
    assert first.id not in found.records and points([failed]) == []


def test_own_points_take_the_place_of_the_same_ones():
    better = point(SCRATCH, 1_000, 0.9, 40)
    both = joined(POINTS, [better])
    assert len(both) == len(POINTS) and better in both
    assert advise(Task(1_000, 10), both).arm == SCRATCH
    assert advise(Task(1_000, 10), POINTS).arm == FROZEN


def test_each_point_is_scaled_by_the_machine_that_made_it():
    """One ratio for all would take the quicker arm for the slower one."""
    old = point(SCRATCH, 1_000, 0.5, 40.0)
    new = replace(point(FROZEN, 1_000, 0.6, 30.0), device="a fast machine", measuring=6.0)
    speeds = {"a machine": Speed(1.0, 1.0), "a fast machine": Speed(4.0, 4.0)}
    times = ratios([old, new], speeds, Speed(2.0, 2.0))
    assert times == pytest.approx({"a machine": 0.5, "a fast machine": 2.0})
    slow, fast = scaled([old, new], times)
    assert (slow.seconds, fast.seconds, fast.measuring) == pytest.approx((20.0, 60.0, 12.0))
    assert advise(Task(1_000, 10, seconds=50.0), [slow, fast]).arm == SCRATCH
    # A machine of unknown speed: its seconds stay.
    assert scaled([old], ratios([old], {}, Speed(1.0, 1.0))) == [old]


@pytest.mark.parametrize(
    ("side", "times"), [(32, 1.0), (64, 4.0), (28, 0.765625), (160, 53**2 / 32**2), (0, 1.0)]
)
def test_larger_images_take_longer_where_an_arm_has_no_size_of_its_own(side, times):
    """Images of more than 64 pixels a side are averaged down by `cnn` first, to about 50."""
    sized = [FROZEN, "tiny:full", "hub:a/b:frozen", "file:mine@0.25x96:frozen"]
    several = [point(SCRATCH, 1_000, 0.5, 40.0), *(point(arm, 1_000, 0.6, 5.0) for arm in sized)]
    for there, data, expected in ((32, "other", times), (0, "other", 1.0), (32, "some", 1.0)):
        task = Task(1_000, 10, data=data, side=side)
        known = [replace(p, side=there) for p in several]
        found = {e.arm: e.seconds.learning for e in rank(task, known)}
        assert found == pytest.approx({SCRATCH: 40.0 * expected} | dict.fromkeys(sized, 5.0))


def test_an_arm_that_was_tried_on_few_classes_too_has_no_lead_by_that():
    """Many easy tasks lift neither what is expected of a hard one, nor an arm above others."""
    better, tried_more = "mobilenet@0.25x96:full", FROZEN
    of_ten = [point(better, 1_000, 0.75, 30), point(tried_more, 1_000, 0.67, 20)]
    of_two = [point(tried_more, 1_000, 0.92, 20, classes=2, data=f"pair {n}") for n in range(8)]
    for classes in (10, 5):
        first, second = rank(Task(1_000, classes), [*of_ten, *of_two])
        assert (first.arm, second.arm) == (better, tried_more)
    found = {e.arm: e.accuracy.mean for e in rank(Task(1_000, 10), [*of_ten, *of_two])}
    assert found[better] == pytest.approx(0.75, abs=0.01)
    assert found[tried_more] == pytest.approx(0.67, abs=0.03)


def test_what_takes_images_as_they_are_looks_at_all_their_pixels():
    known = replace(point("tutorial-cnn:scratch", 1_000, 0.5, 4.0), side=32)
    (found,) = rank(Task(1_000, 10, side=160), [known])
    assert found.seconds.learning == pytest.approx(4.0 * 25)


def test_the_packaged_points_are_real_and_say_where_they_are_from():
    known = experience.packaged()
    assert {SCRATCH, "mobilenet@0.25x160:frozen"} <= {p.arm for p in known.points}
    assert all(p.records and p.seconds > 0 and 0 <= p.accuracy <= 1 for p in known.points)
    assert {p.device for p in known.points} <= known.speeds.keys()
    assert {p.side for p in known.points} == {28, 32, 160}


def test_a_machine_of_half_the_speed_takes_twice_as_long():
    assert Speed(1.0, 1.0).slower(Speed(2.0, 2.0)) == pytest.approx(2.0)
    assert Speed(4.0, 1.0).slower(Speed(1.0, 1.0)) == pytest.approx(0.5)


def test_a_run_that_lies_in_two_folders_counts_once():
    runs = factory.records(["cnn:scratch"], 3)
    assert points(runs)
    assert points([*runs, *runs]) == points(runs)


def test_evidence_that_is_near_in_images_and_in_classes_but_never_in_both_does_not_reach():
    few = [point(arm, 100, 0.3, 10, classes=100) for arm in (SCRATCH, FROZEN)]
    many = [point(arm, 3_000, 0.9, 10, classes=2) for arm in (SCRATCH, FROZEN)]
    found = advise(Task(3_000, 100), [*few, *many])
    assert not found.reaches
    assert found.notes == ["The nearest evidence, 3,000 images of 2 classes, is far from that."]
    assert advise(Task(3_000, 2), [*few, *many]).reaches


def test_what_would_not_fit_the_time_changes_no_advice():
    """With more images nothing fits: then the quickest is no advice for them."""
    points = [
        *(point(SCRATCH, n, a, s) for n, a, s in ((1_000, 0.6, 25), (10_000, 0.8, 400))),
        *(point(FROZEN, n, a, s) for n, a, s in ((1_000, 0.5, 29), (10_000, 0.6, 200))),
    ]
    assert advise(Task(1_000, 10, seconds=30.0), points).arm == SCRATCH
    assert not any("images" in one for one in changes([Task(1_000, 10, 30.0)], points, SCRATCH))
