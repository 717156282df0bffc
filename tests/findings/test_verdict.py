"""What the sentences say, and that they never contradict the records."""

from __future__ import annotations

import factory
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from comparisons.findings import intervals, text, titles, verdict
from comparisons.findings.names import arm_name

CNN, FROZEN, TUTORIAL = "cnn:scratch", "mobilenet@0.25x160:frozen", "tutorial-cnn:scratch"
NAMES = {arm: arm_name(arm) for arm in (CNN, FROZEN, TUTORIAL, "vgg16@64:frozen")}
PAIR = factory.records([CNN, FROZEN])
CLASSROOM = factory.classroom()
NONE_WELL = [factory.record(status="failed", error="out of memory")]


def plain(words):
    return words.replace(text.SPACE, " ")


def pair(left, right, **changes):
    """Two arms with these test accuracies by seed."""
    return [
        *(factory.record(CNN, s, accuracy=a, **changes) for s, a in enumerate(left)),
        *(factory.record(FROZEN, s, accuracy=a, **changes) for s, a in enumerate(right)),
    ]


@pytest.mark.parametrize(("left", "right", "winner"), [([0.9], [0.7], CNN), ([0.7], [0.9], FROZEN)])
def test_swapping_the_accuracies_swaps_the_winner(left, right, winner):
    records = pair(left, right)
    assert f"{NAMES[winner]} is more accurate" in verdict.headline(records)[0]
    assert titles.final(records).startswith(f"{NAMES[winner]} 90.0")


def test_one_seed_has_no_interval_and_says_so():
    assert "One seed: no interval." in verdict.headline(pair([0.9], [0.7]))[1]
    assert "one seed, no interval" in titles.final(pair([0.9], [0.7]))


def test_two_seeds_show_both_differences():
    line = verdict.headline(pair([0.9, 0.88], [0.7, 0.7]))[1]
    assert "(+20.0 and +18.0)" in line
    assert "2 seeds: no interval" in line


def test_an_interval_that_includes_zero_names_no_winner():
    records = pair([0.80, 0.82, 0.84], [0.83, 0.81, 0.84])
    first, second, *_ = verdict.headline(records)
    assert "no clear difference in accuracy" in first
    assert "more accurate" not in first
    assert "includes zero" in second
    assert "includes zero" in titles.final(records)


def test_an_interval_clear_of_zero_names_the_winner():
    first, second, *_ = verdict.headline(pair([0.90, 0.91, 0.92], [0.80, 0.81, 0.82]))
    assert f"{NAMES[CNN]} is more accurate" in first
    assert "On these 3 seeds" in second
    assert "+10.0 to +10.0" in second


def test_a_gap_that_the_test_images_could_make_by_luck_names_no_winner():
    first, second, *_ = verdict.headline(pair([0.803], [0.800]))
    assert "no clear difference" in first
    assert "Luck in drawing 10,000 test images" in second


def test_equal_runs_are_called_equal():
    history = factory.record(CNN).history
    seconds = factory.record(CNN).seconds
    records = pair([0.8] * 3, [0.8] * 3, history=history, seconds=seconds)
    line = verdict.headline(records)[0]
    assert "no clear difference" in line
    assert "nor in time" in line
    assert "about the same time" in titles.time(records)
    assert "both reach" in titles.accuracy(records)


@given(some.lists(some.floats(0.05, 0.95), min_size=1, max_size=4), some.data())
@settings(max_examples=40, deadline=None)
def test_the_headline_never_contradicts_the_records(left, data):
    size = {"min_size": len(left), "max_size": len(left)}
    right = data.draw(some.lists(some.floats(0.05, 0.95), **size))
    line = verdict.headline(pair(left, right))[0]
    gap = intervals.mean_of(left) - intervals.mean_of(right)
    if f"{NAMES[CNN]} is more accurate" in line:
        assert gap > 0
    elif f"{NAMES[FROZEN]} is more accurate" in line:
        assert gap < 0
    else:
        assert "no clear difference" in line


def test_the_faster_arm_is_the_one_with_fewer_seconds_cold():
    records = pair([0.9], [0.7])
    cold = {r.arm: intervals.total(r) for r in records}
    quicker = min(cold, key=cold.get)
    assert quicker == FROZEN
    assert f"{NAMES[FROZEN]} is faster" in verdict.headline(records)[0]
    records[1].seconds.total += 1_000
    assert "is more accurate and faster" in verdict.headline(records)[0]


def test_cached_features_are_mentioned_only_where_they_save_time():
    assert "once features are cached" in verdict.headline(PAIR)[0]
    assert "cached" not in verdict.headline(factory.records([CNN, TUTORIAL]))[0]


def test_best_from_scratch_meets_best_pretrained_even_when_it_is_third():
    records = [
        factory.record("vgg16@64:frozen", accuracy=0.9),
        factory.record(FROZEN, accuracy=0.85),
        factory.record(CNN, accuracy=0.8),
    ]
    line = verdict.headline(records)[0]
    assert f"{NAMES['vgg16@64:frozen']} is more accurate" in line
    assert NAMES[CNN] in line
    assert NAMES[FROZEN] not in line


def test_the_leader_at_each_size_is_named():
    records = [
        *(factory.record(CNN, 0, n, accuracy=a) for n, a in ((5_000, 0.5), (45_000, 0.9))),
        *(factory.record(FROZEN, 0, n, accuracy=0.8) for n in (5_000, 45_000)),
    ]
    (line,) = (line for line in verdict.headline(records) if line.startswith("With 5,000"))
    assert f"With 5,000 images {NAMES[FROZEN]} leads {NAMES[CNN]} by 30.0 points" in line
    assert f"with 45,000 images {NAMES[CNN]} leads {NAMES[FROZEN]} by 10.0 points" in line


def test_failed_and_diverged_runs_are_in_the_headline():
    assert f"{NAMES[TUTORIAL]} 1 of 3 diverged" in verdict.headline(CLASSROOM)[-1]
    assert verdict.headline(NONE_WELL) == [f"No run ended well: {NAMES[CNN]} 1 of 1 failed."]
    assert verdict.headline([]) == ["There are no runs yet."]


def falling(values, train=None):
    rows = factory.record().history[:1] * len(values)
    return [
        type(e)(e.phase, i + 1, t, 0.5, v, 0.5, 1e-3, 1.0, 1)
        for i, (e, v, t) in enumerate(zip(rows, values, train or values, strict=True))
    ]


@pytest.mark.parametrize(
    ("validation", "training", "says"),
    [
        ([3.0, 2.0, 1.0], None, "is still improving"),
        ([3.0, 2.0, 1.99], None, "has levelled off"),
        ([3.0, 1.0, 2.0], [3.0, 2.0, 1.0], "overfits after epoch 2"),
        ([3.0, 1.0, 2.0], [3.0, 1.0, 2.0], "gets worse after epoch 2"),
        ([3.0, None, 1.0], None, "No run that ended well has a full loss curve"),
    ],
)
def test_the_loss_title_says_what_the_loss_did(validation, training, says):
    records = [factory.record(history=falling(validation, training))]
    assert says in titles.loss(records)


def test_many_arms_are_counted_in_the_loss_title_and_few_are_named():
    several = [
        factory.record(f"arm{i}:scratch", history=falling([3.0, 2.0, 1.0 if i else 2.5]))
        for i in range(5)
    ]
    assert titles.loss(several[:2]) == (
        "arm1:scratch is still improving in its last epoch; arm0:scratch gets worse after epoch 2"
    )
    assert titles.loss(several) == (
        "Of 5 arms 4 are still improving in their last epoch and 1 gets worse after epoch 2"
    )


def test_the_time_title_names_who_was_first_at_a_level_both_reached():
    found = titles.race(titles.view(PAIR), 45_000)
    assert found.first.arm == FROZEN
    assert found.seconds[0] < found.seconds[1]
    assert titles.time(PAIR).startswith(f"{NAMES[FROZEN]} reaches {100 * found.level:.0f}")


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.424, "0.42 s"), (3.44, "3.4 s"), (9.97, "10 s"), (117.6, "118 s"), (1410, "23.5 min"),
     (9000, "2.5 h"), (None, "–"), (0, "0.00 s"), (1e300, "2.8e+296 h")],
)  # fmt: skip
def test_seconds_in_words(value, words):
    assert plain(text.seconds(value)) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0172, "+1.7"), (-0.0034, "−0.3"), (0.0001, "0.0"), (-0.0001, "0.0"), (None, "–")],
)
def test_points_in_words(value, words):
    assert text.points(value) == words


def test_other_numbers_in_words():
    assert plain(text.percent(0.8403)) == "84.0 %"
    assert plain(text.scaled(304_714)) == "304.7 k"
    assert plain(text.scaled(1.4e9, "B")) == "1.40 GB"
    assert text.count(45_000) == "45,000"
    assert plain(text.percent(1e300)) == "1.0e+302 %"
    assert text.listing(["a", "b", "c"]) == "a, b and c"
    assert text.flat({"keras": "3", "gpu": None, "clean": True}) == "keras 3, gpu –, clean yes"
    assert text.clean("a\x00b\ud800") == "a\ufffdb\ufffd"
