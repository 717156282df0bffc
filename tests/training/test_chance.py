"""Whether a run learnt anything, and whether it still knows it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from comparisons.core import records
from comparisons.core.machine import ROOT
from comparisons.training.chance import KEPT, without_result
from comparisons.training.fitting import Fit

CLASSES = np.repeat(np.arange(10), 100)


def epochs(*accuracies: tuple[float | None, float | None], phase: str = "train") -> list:
    """Epochs by their accuracy in training and in validation."""
    return [
        records.Epoch(phase, i, 1.0, train, 1.0, validated, 0.1, 1.0, 1000)
        for i, (train, validated) in enumerate(accuracies, start=1)
    ]


@pytest.mark.parametrize(
    ("accuracies", "counts", "left"),
    [
        ([0.1, 0.2, 0.15], [100] * 10, True),
        ([0.1, 0.125], [100] * 10, False),
        ([0.1, 0.9, 0.1], [100] * 10, True),
        ([0.91], [900, 100], False),
        ([0.95], [900, 100], True),
        ([None], [100] * 10, False),
        ([], [100] * 10, False),
        # A few images, all of them learnt.
        ([1.0], [1, 1], True),
        ([1.0], [3, 3], True),
    ],
)
def test_leaving_chance(accuracies, counts, left):
    labels = np.repeat(np.arange(len(counts)), counts)
    said = without_result(Fit(epochs(*((accuracy, 0.5) for accuracy in accuracies))), labels)
    assert (said is None) == left
    assert said is None or said.startswith("no better than chance yet: training accuracy")


SHARES = some.floats(0, 1)
BOTH = some.tuples(SHARES, SHARES)


def after(head: list, whole: list) -> str | None:
    """What is said after a phase of the head and then one of all."""
    return without_result(Fit([*epochs(*head, phase="head"), *epochs(*whole)]), CLASSES)


def test_a_collapse_in_the_last_phase_is_told():
    # As VGG16 at the rate of training from scratch: 17 % of ten classes.
    assert after([(0.5, 0.5), (0.6, 0.55)], [(0.15, 0.16), (0.17, 0.17)]) == (
        "what was learnt is lost: training accuracy 17.0 % in the end, 60.0 % at its best, chance "
        "is 10.0 %"
    )
    assert after([], [(0.5, 0.5), (0.1, 0.1)])


@given(some.lists(BOTH, max_size=4), some.lists(BOTH, max_size=4), SHARES, SHARES)
def test_what_ends_at_chance_after_it_had_learnt_is_told(head, whole, train, validated):
    assume(max([train for train, _ in [*head, *whole]], default=0.0) > 0.2)
    said = after(head, [*whole, (train * 0.1, validated * 0.1)])
    assert said is not None and said.startswith("what was learnt is lost")


@given(some.lists(BOTH, min_size=1, max_size=4), some.lists(BOTH, max_size=4), BOTH)
def test_no_dip_is_told_that_has_recovered_by_the_end(head, whole, end):
    """However deep it was, and however short: in training or in validation a share is back."""
    best = [max(one[which] for one in [*head, *whole, end]) for which in (0, 1)]
    assume(best[0] > 0.2)
    recovered = [end[which] - 0.1 > KEPT * max(best[which] - 0.1, 0) + 1e-9 for which in (0, 1)]
    assume(any(recovered))
    assert after(head, [*whole, end]) is None


@given(some.lists(BOTH, min_size=2, max_size=6), some.randoms())
def test_only_the_end_and_the_best_count(seen, luck):
    before, end = seen[:-1], seen[-1]
    mixed = luck.sample(before, len(before))
    assert after(before, [end]) == after(mixed, [end]) == after([], [*before, end])


@given(some.integers(4, 400), some.integers(2, 10), some.floats(0, 0.2), some.randoms())
def test_luck_about_what_was_hardly_learnt_is_not_told_as_a_loss(count, classes, skill, luck):
    """Accuracies of so few images jump about one and the same truth."""
    labels = np.arange(max(count, classes)) % classes
    truth, n = 1 / classes + skill * (1 - 1 / classes), len(labels)

    def drawn() -> float:
        return min(max(luck.gauss(truth, (truth * (1 - truth) / n) ** 0.5), 0.0), 1.0)

    low, high = (truth + sign * 2 * (truth * (1 - truth) / n) ** 0.5 for sign in (-1, 1))
    seen = [(min(max(drawn(), low), high), drawn()) for _ in range(5)]
    said = without_result(Fit(epochs(*seen)), labels)
    assert said is None or said.startswith("no better than chance")


@pytest.mark.parametrize(("chosen", "told"), [(None, True), (2, False), (3, True)])
def test_the_epoch_that_early_stopping_went_back_to_is_the_end(chosen, told):
    seen = epochs((0.3, 0.3), (0.7, 0.6), (0.1, 0.1))
    assert (without_result(Fit(seen, best_epoch=chosen), CLASSES) is not None) == told


def test_what_early_stopping_chose_in_a_phase_before_is_not_the_end():
    seen = [*epochs((0.3, 0.3), (0.7, 0.6), phase="head"), *epochs((0.1, 0.1))]
    assert without_result(Fit(seen, best_epoch=2), CLASSES) is not None


def test_of_all_records_kept_here_none_is_judged_otherwise_now():
    kept = [
        record
        for folder in sorted((ROOT / "results" / "evidence").glob("*/"))
        for record in records.load_all(folder)[0]
        if record.history and record.settings.knob is None
    ]
    assert len(kept) >= 18
    shares, dips = [], []
    for record in kept:
        count = len(record.data.classes)
        labels = np.arange(record.train_size) % count
        said = without_result(Fit(record.history, best_epoch=record.best_epoch), labels)
        assert (said is None) == (record.status == "ok"), record.id
        if said is None:
            shares.append(kept_of(record.history, record.history[-1], 1 / count))
            before = [e for e in record.history if e.phase != record.history[-1].phase]
            first = record.history[len(before)]
            dips += [kept_of(before, first, 1 / count)] if before else []
    # As the comment on KEPT says.
    assert min(shares) > 0.9 and min(dips, default=1.0) > 1 / 3


def kept_of(seen: list, end: records.Epoch, chance: float) -> float:
    """What share of the best above chance an epoch has, in training or in validation."""
    fields = ("train_accuracy", "val_accuracy")
    known = {name: [v for e in seen if (v := getattr(e, name)) is not None] for name in fields}
    return max(
        (value - chance) / (max(known[name]) - chance)
        for name in fields
        if (value := getattr(end, name)) is not None
    )
