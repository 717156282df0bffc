"""What the sentences say, and that they never contradict the records."""

from __future__ import annotations

import factory
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from comparisons.findings import intervals, race, text, titles, verdict
from comparisons.findings.names import arm_name
from comparisons.findings.view import view

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
    assert "on 3 seeds" in second
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
    assert "tie in accuracy, within a point of each other; in time there is no clear" in line
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


def test_the_faster_arm_is_the_one_that_learns_the_common_level_sooner():
    records = pair([0.9], [0.9])
    met = race.race(view(records), 45_000)
    assert (met.first.arm, met.faster.arm) == (FROZEN, FROZEN)
    assert f"{NAMES[FROZEN]} is faster" in verdict.headline(records)[0]
    for epoch in records[1].history:
        epoch.elapsed_cold += 1_000
    assert f"{NAMES[CNN]} is faster" in verdict.headline(records)[0]


def test_headline_figure_and_table_have_the_same_times():
    from comparisons.report import table

    met = race.race(view(PAIR), 45_000)
    rows = {row.arm: row for row in table.summarise(PAIR)}
    line, title = verdict.headline(PAIR)[0], titles.time(PAIR)
    goal = text.percent(met.level, 0)
    for g in (met.first, met.second):
        assert rows[g.arm].level == met.level
        assert rows[g.arm].seconds_to_level_cold == pytest.approx(met.of(g))
        assert text.seconds(met.of(g)) in line
        assert text.seconds(met.of(g)) in title
    assert goal in line and goal in title


def test_an_arm_of_which_one_run_alone_got_to_a_level_has_no_time_to_it():
    """The mean of those that did would be of the quick ones."""
    from comparisons.report import table

    made = factory.records([CNN, FROZEN, "vgg16@32:frozen"], seeds=2)
    (slow,) = [r for r in made if (r.arm, r.seed) == ("vgg16@32:frozen", 1)]
    before = {row.arm: row.seconds_to_level_cold for row in table.summarise(made)}
    for epoch in slow.history:
        epoch.val_accuracy = 0.2
    rows = {row.arm: row.seconds_to_level_cold for row in table.summarise(made)}
    assert rows["vgg16@32:frozen"] is None
    assert rows[CNN] == before[CNN] is not None


def times(*learned):
    """Runs of two arms that reach 80 % after so many seconds each."""
    made = []
    for arm, seconds in zip((CNN, FROZEN), learned, strict=True):
        for seed, at in enumerate(seconds):
            run = factory.record(arm, seed, accuracy=0.8)
            for epoch in run.history:
                epoch.val_accuracy, epoch.elapsed_cold = 0.805, at
            made.append(run)
    return made


@pytest.mark.parametrize(
    ("learned", "faster"),
    [
        (([10, 11, 12], [20, 21, 22]), CNN),
        (([20, 21, 22], [10, 11, 12]), FROZEN),
        # By the means the first is twice as fast; by its seeds that is luck.
        (([5, 5, 40], [30, 33, 37]), None),
        (([10], [10.4]), None),
        (([10], [12]), CNN),
    ],
)
def test_faster_is_a_paired_difference_of_learning_times(learned, faster):
    met = race.race(view(times(*learned)), 45_000)
    assert (met.faster.arm if met.faster else None) == faster
    line = verdict.headline(times(*learned))[0]
    undecided = any(said in line for said in ("nor in time", "in time there is no clear"))
    assert undecided == (faster is None)


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
    (line,) = verdict.by_size(view(records))
    assert f"With 5,000 images {NAMES[FROZEN]} leads {NAMES[CNN]} by 30.0 points" in line
    assert f"with 45,000 images {NAMES[CNN]} leads {NAMES[FROZEN]} by 10.0 points" in line
    # Where they cross says more, and where they do not the leaders at each size do.
    assert line not in verdict.headline(records)
    assert any("overtakes" in one for one in verdict.headline(records))
    apart = [r for r in records if r.arm == FROZEN or r.train_size == 5_000]
    apart += [factory.record(CNN, 0, 45_000, accuracy=0.7)]
    assert any(f"{NAMES[FROZEN]} leads {NAMES[CNN]} by 30.0 points with 5,000" in one
               for one in verdict.headline(apart))  # fmt: skip


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
        ([3.0, None, 1.0], None, "is still improving"),
        ([3.0, None, None, 1.0, 2.0], [3.0, 2.5, 2.0, 1.5, 1.0], "overfits after epoch 4"),
        ([3.0, 1.0, None], None, "No run that ended well has a full loss curve"),
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
    found = race.race(view(PAIR), 45_000)
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
