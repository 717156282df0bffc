"""Means, intervals, paired differences and clocks: against known numbers and as properties."""

from __future__ import annotations

import math
import statistics as standard

import factory
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import replace

from comparisons.core.phases import Phase
from comparisons.findings import intervals
from comparisons.findings.groups import group_runs, main_data

fractions = some.floats(0, 1)
samples = some.lists(fractions, min_size=1, max_size=12)


def test_summary_against_a_worked_example():
    # Mean 5, s 2.138, t(7; 0.975) 2.3646: the half width is 2.3646 * 2.138 / sqrt(8) = 1.787.
    s = intervals.summarise([2, 4, 4, 4, 5, 5, 7, 9])
    assert (s.n, s.mean) == (8, 5)
    assert s.spread == pytest.approx(2.13809, abs=1e-5)
    assert (s.low, s.high) == pytest.approx((5 - 1.78749, 5 + 1.78749), abs=1e-4)
    assert s.method == "95 % Student t interval"


@pytest.mark.parametrize("n", [0, 1, 2])
def test_no_interval_below_three_seeds(n):
    s = intervals.summarise([0.5, 0.6][:n])
    assert (s.low, s.high, s.method, s.includes_zero) == (None, None, None, None)
    assert (s.mean is None) == (n == 0)
    assert (s.spread is None) == (n < 2)


@given(samples)
@settings(deadline=None)
def test_the_interval_contains_the_mean_and_the_mean_lies_among_the_numbers(values):
    s = intervals.summarise(values)
    assert min(values) <= s.mean <= max(values)
    if len(values) >= 3:
        assert s.low <= s.mean <= s.high
        assert s.spread == pytest.approx(standard.stdev(values), abs=1e-9)


@given(samples, some.randoms())
@settings(deadline=None)
def test_the_order_of_the_numbers_does_not_matter(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert intervals.summarise(shuffled) == intervals.summarise(values)


@given(some.lists(some.integers(0, 100), min_size=3, max_size=8), some.integers(-50, 50))
@settings(deadline=None)
def test_a_shift_moves_everything_but_the_spread(values, shift):
    before, after = intervals.summarise(values), intervals.summarise(v + shift for v in values)
    assert after.spread == pytest.approx(before.spread, abs=1e-9)
    assert after.low == pytest.approx(before.low + shift, abs=1e-9)


def test_none_is_left_out():
    assert intervals.summarise([None, 0.5, None]) == intervals.summarise([0.5])
    assert intervals.mean_of([None]) is None


def runs(arm, accuracies):
    return [factory.record(arm, seed, accuracy=a) for seed, a in accuracies.items()]


def test_paired_differences_cancel_what_seeds_have_in_common():
    a = runs("cnn:scratch", {0: 0.70, 1: 0.80, 2: 0.90})
    b = runs("tiny:frozen", {0: 0.69, 1: 0.79, 2: 0.89})
    result = intervals.paired(a, b)
    assert result.seeds == (0, 1, 2)
    assert result.differences == pytest.approx([0.01] * 3)
    assert result.summary.includes_zero is False
    # The same numbers unpaired would overlap by far: their intervals do.
    wide = intervals.summarise(map(intervals.accuracy, a))
    assert wide.low < 0.79 < wide.high


some_runs = some.dictionaries(some.integers(0, 9), fractions, max_size=6)


@given(some_runs, some_runs)
@settings(deadline=None)
def test_paired_differences_are_antisymmetric_and_only_of_common_seeds(x, y):
    a, b = runs("cnn:scratch", x), runs("tiny:frozen", y)
    there, back = intervals.paired(a, b), intervals.paired(b, a)
    assert there.seeds == back.seeds == tuple(sorted(x.keys() & y.keys()))
    assert there.differences == tuple(-d for d in back.differences)
    if there.seeds:
        assert there.summary.mean == pytest.approx(-back.summary.mean, abs=1e-12)
    if there.summary.low is not None:
        assert there.summary.low == pytest.approx(-back.summary.high, abs=1e-12)


def test_diverged_runs_have_no_accuracy_even_with_a_test_result():
    bad = factory.record(status="diverged", test=factory.record().test)
    assert intervals.accuracy(bad) is None
    assert intervals.paired([bad], [factory.record()]).seeds == ()


def test_sampling_noise_shrinks_with_images_and_is_known_for_cifar10():
    assert intervals.sampling_noise(0.84, 10_000) == pytest.approx(0.01016, abs=1e-5)
    assert intervals.sampling_noise(0.84, 100) == pytest.approx(0.1016, abs=1e-4)
    assert intervals.sampling_noise(0.84, 0) == math.inf


def frozen(ready):
    """A run with a frozen base whose features were made in it, or found ready."""
    run = factory.record("tiny:frozen")
    run.seconds = factory.bill(run.history, extract=5.0, ready=ready)
    return run


@pytest.mark.parametrize("ready", [False, True])
def test_what_learning_costs_does_not_depend_on_whether_this_run_made_the_features(ready):
    run = frozen(ready)
    train = run.seconds.train
    # 0.5 reading, 1.5 setting up and 2 for the engine, 1.5 compiling, 5 extracting.
    assert intervals.learning(run) == pytest.approx(10.5 + train)
    assert intervals.learning(run, cold=False) == pytest.approx(3.5 + train)
    assert intervals.start(run) == pytest.approx(10.5)


def test_what_a_later_phase_compiles_is_no_preparation_of_the_first_epoch():
    run = factory.record("tiny:full")
    before = intervals.start(run)
    assert before == pytest.approx(run.history[0].elapsed_cold - run.history[0].seconds)
    later = run.history[len(run.history) // 2 :]
    for epoch in later:
        epoch.elapsed_cold += 4.0
    run.seconds.compile += 4.0
    run.seconds.learning_cold += 4.0
    assert intervals.start(run) == pytest.approx(before)
    assert intervals.start(run) < intervals.clock(run)[0]


@pytest.mark.parametrize("ready", [False, True])
def test_the_clock_charges_preparation_before_the_first_epoch_and_no_measuring(ready):
    run = frozen(ready)
    times = intervals.clock(run)
    assert len(times) == len(run.history)
    assert times[0] == pytest.approx(10.5 + run.history[0].seconds)
    assert times[-1] == pytest.approx(10.5 + sum(e.seconds for e in run.history))
    assert times[-1] == pytest.approx(run.seconds.learning_cold)
    warm = intervals.clock(run, cold=False)
    assert [c - w for c, w in zip(times, warm, strict=True)] == pytest.approx([7.0] * len(times))


def test_what_keeps_no_features_takes_as_long_warm_as_cold():
    run = factory.record()
    run.seconds.setup_cold, run.seconds.learning_cold = 9.0, run.seconds.learning_cold + 0.5
    assert intervals.clock(run, cold=False) == intervals.clock(run)


def test_time_to_accuracy_is_the_first_crossing_or_none():
    run = factory.record()
    best = intervals.best_validation(run)
    assert intervals.time_to_accuracy(run, 0.0) == intervals.clock(run)[0]
    assert intervals.time_to_accuracy(run, best) in intervals.clock(run)
    assert intervals.time_to_accuracy(run, best + 0.001) is None
    assert intervals.time_to_accuracy(factory.record(status="failed"), 0.1) is None


@given(some.lists(fractions, min_size=1, max_size=6), fractions, fractions)
@settings(deadline=None)
def test_a_higher_level_is_never_reached_sooner(values, one, other):
    history = [factory.record().history[0] for _ in values]
    history = [
        type(e)(**{**as_dict(e), "val_accuracy": v, "elapsed_cold": 1.0 + i})
        for i, (e, v) in enumerate(zip(history, values, strict=True))
    ]
    run = factory.record(history=history)
    low, high = sorted((one, other))
    soon, late = (intervals.time_to_accuracy(run, level) for level in (low, high))
    assert late is None or soon <= late


def as_dict(struct):
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def test_every_run_that_ended_well_reached_the_common_level():
    groups = group_runs(factory.records(["cnn:scratch", "tutorial-cnn:scratch"], seeds=3))
    level = intervals.common_level(groups)
    bests = [intervals.best_validation(r) for g in groups for r in g.ok]
    assert level <= min(bests) < level + 0.01
    assert all(intervals.time_to_accuracy(r, level) for g in groups for r in g.ok)
    assert intervals.common_level([]) is None


def test_a_level_of_29_per_cent_is_not_lost_to_binary_fractions():
    history = [type(e)(**{**as_dict(e), "val_accuracy": 0.29}) for e in factory.record().history]
    (group,) = group_runs([factory.record(history=history)])
    assert intervals.common_level([group]) == 0.29


def test_groups_hold_what_differs_in_nothing_but_the_seed():
    records = factory.records(["cnn:scratch", "tiny:frozen"], seeds=3, sizes=(5_000, 45_000))
    groups = group_runs(records)
    assert [(g.train_size, g.arm, len(g.records)) for g in groups] == [
        (5_000, "cnn:scratch", 3),
        (5_000, "tiny:frozen", 3),
        (45_000, "cnn:scratch", 3),
        (45_000, "tiny:frozen", 3),
    ]
    assert [r.seed for r in groups[0].records] == [0, 1, 2]
    assert group_runs(records[::-1]) == groups


@pytest.mark.parametrize(
    ("one", "other", "labels"),
    [
        ({"epochs": 4}, {"epochs": 8}, {"epochs 4", "epochs 8"}),
        ({"device": "cpu"}, {"device": "gpu"}, {"device cpu", "device gpu"}),
        ({"engine": "x" * 60}, {"engine": "y" * 60}, None),
        (
            {"device": "cpu", "epochs": 4, "batch_size": 8},
            {"device": "cpu", "epochs": 4, "batch_size": 16},
            {"batch_size 8", "batch_size 16"},
        ),
    ],
)
def test_an_arm_under_two_settings_is_two_groups_with_telling_labels(one, other, labels):
    made = [factory.record(), factory.record()]
    for record, changes in zip(made, (one, other), strict=True):
        of_phase = {k: v for k, v in changes.items() if k in Phase.__struct_fields__}
        rest = {k: v for k, v in changes.items() if k not in of_phase}
        record.phases = [replace(phase, **of_phase) for phase in record.phases]
        record.settings = replace(record.settings, **rest)
    groups = group_runs(made)
    found = {g.label for g in groups}
    assert len(found) == 2
    if labels:
        assert found == {f"cnn:scratch ({label})" for label in labels}
    else:
        assert found == {f"cnn:scratch (settings {g.settings})" for g in groups}


def test_other_data_is_another_group_and_main_data_is_what_most_used():
    other = factory.record(seed=1)
    other.data.fingerprint = "other"
    records = [*factory.records(["cnn:scratch"], seeds=2), other]
    assert len(group_runs(records)) == 2
    assert main_data(records) == records[:2]
    assert main_data([]) == []


def test_means_count_only_runs_that_ended_well():
    records = [
        factory.record(seed=0, accuracy=0.8),
        factory.record(seed=1, status="diverged"),
        factory.record(seed=2, status="failed", error="out of memory"),
    ]
    (group,) = group_runs(records)
    assert [r.seed for r in group.ok] == [0]
    assert group.counts() == {"ok": 1, "diverged": 1, "failed": 1}


def test_mean_confusion_is_a_share_of_each_true_class():
    matrix = intervals.mean_confusion(factory.records(["cnn:scratch"], seeds=3))
    assert [sum(row) for row in matrix] == pytest.approx([1.0] * 10)
    assert intervals.mean_confusion([factory.record(status="failed")]) is None
    mixed = [factory.record(), factory.record(seed=1, classes=["a", "b"])]
    assert intervals.mean_confusion(mixed) is None


def test_curves_go_as_far_as_all_runs_go_and_skip_what_was_not_finite():
    long, short = factory.record(), factory.record(seed=1)
    short.history = short.history[:2]
    short.history[1].val_loss = None
    assert len(intervals.curve([long, short], "val_accuracy")) == 2
    assert intervals.curve([long, short], "val_loss")[1] is None
    assert len(intervals.mean_clock([long, short])) == 2
    assert intervals.curve([], "val_loss") == []


def chances(generator, luck, images, spread):
    """For two arms and each of their runs, by its luck: how likely each image is named rightly.

    Images differ in how hard they are, for both arms and for each by itself; runs in their skill,
    and the two arms by some points of accuracy.
    """
    hard = generator.normal(0, 1.0, images)
    own = generator.normal(0, 1.0, (2, images))
    return [
        1 / (1 + np.exp(-2 * (skill + spread * luck[arm][:, None] - hard - own[arm])))
        for arm, skill in enumerate((1.0, 1.13))
    ]


def lucks(generator, runs, skewed):
    """The luck of the runs of two arms: of mean 0 and variance 1, normal or far from it."""
    shape = (2, runs)
    return generator.exponential(1.0, shape) - 1 if skewed else generator.normal(size=shape)


def truth(spread, skewed=False):
    """The difference of the two arms over all images and all seeds that there could be."""
    generator = np.random.default_rng(1)
    found = [
        [each.mean() for each in chances(generator, lucks(generator, 1, skewed), 400, spread)]
        for _ in range(20_000)
    ]
    return float(np.subtract(*np.mean(found, axis=0)))


def covered(runs, spread, luck, skewed=False, images=1000, times=1500):
    """The share of simulated comparisons whose interval holds the true difference."""
    generator, true = np.random.default_rng([runs, int(100 * spread)]), truth(spread, skewed)
    inside = 0
    for _ in range(times):
        likely = chances(generator, lucks(generator, runs, skewed), images, spread)
        a, b = (generator.random(one.shape) < one for one in likely)
        each = list(a.astype(float) - b)
        found = intervals.summarise(
            [d.mean() for d in each], intervals.of_images(each) if luck else None
        )
        inside += found.low <= true <= found.high
    return inside / times


@pytest.mark.parametrize("runs", [3, 5, 10])
@pytest.mark.parametrize("spread", [0.04, 0.1], ids=["images' luck", "seeds' luck"])
def test_an_interval_over_seeds_and_test_images_covers_what_it_says(runs, spread):
    assert 0.93 <= covered(runs, spread, luck=True) <= 0.98


def test_over_seeds_alone_an_interval_covers_less_on_new_images():
    assert covered(5, 0.04, luck=False) < 0.88


@pytest.mark.parametrize("runs", [3, 5, 10])
def test_where_seeds_luck_is_skewed_it_covers_a_little_less(runs):
    # One seed in many is far off and three seldom show it: what the docstring of summarise states.
    assert 0.915 <= covered(runs, 0.5, luck=True, skewed=True) <= 0.965


def test_what_each_run_answered_is_read_bit_by_bit():
    run = factory.record()
    right = np.arange(10) % 3 == 0
    run.test.confusion, run.test.right = [[4, 6], [0, 0]], np.packbits(right).tobytes()
    assert intervals.answers(run).tolist() == right.astype(float).tolist()
    run.test.right = b""
    assert intervals.answers(run) is None
    run.test.right = b"too long for ten"
    assert intervals.answers(run) is None


def answered(arm, seed, right):
    run = factory.record(arm, seed, accuracy=float(np.mean(right)))
    hits = int(np.sum(right))
    run.test.confusion = [[hits, len(right) - hits], [0, 0]]
    run.test.right = np.packbits(right).tobytes()
    return run


def test_an_interval_says_whether_it_allows_for_the_test_images():
    generator = np.random.default_rng(0)
    one, two = (
        [answered(arm, s, generator.random(200) < level) for s in range(3)]
        for arm, level in (("cnn:scratch", 0.8), ("tiny:frozen", 0.6))
    )
    found = intervals.paired(one, two).summary
    assert found.method == intervals.ANY_IMAGES
    blind = [replace(r, test=replace(r.test, right=b"")) for r in one]
    narrow = intervals.paired(blind, two).summary
    assert narrow.method == intervals.THESE_IMAGES
    assert found.mean == narrow.mean
    assert found.high - found.low != narrow.high - narrow.low
    assert intervals.accuracies(one).method == intervals.ANY_IMAGES
