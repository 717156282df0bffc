"""Why an arm is ahead: sentences that follow the records, whichever way they went."""

from __future__ import annotations

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons.core.records import Weights
from comparisons.findings import text, why
from comparisons.findings.view import view

CNN, FROZEN = "cnn:scratch", "mobilenet@0.25x160:frozen"
BASE, NET = "MobileNet ¼, 160 px · frozen", "CNN · from scratch"


def curves(scratch, frozen, **changes):
    """Two arms whose validation accuracies are these after the first epoch and after the last."""
    made = []
    for arm, (first, last) in ((CNN, scratch), (FROZEN, frozen)):
        record = factory.record(arm, accuracy=last, **changes)
        record.history = record.history[:2]
        record.history[0].val_accuracy, record.history[1].val_accuracy = first, last
        made.append(record)
    return made


def said(records):
    return {r.about: r.says.replace(text.SPACE, " ") for r in why.reasons(view(records))}


def test_a_head_start_that_lasts():
    assert said(curves((0.2, 0.4), (0.6, 0.7)))["The start"] == (
        f"After one epoch {BASE} has 60.0 % of the validation images right, {NET} 20.0 %: the "
        f"base brings a head start of 40.0 points. At the end {BASE} is ahead on these "
        "by 30.0 points."
    )


def test_a_head_start_that_is_lost():
    line = said(curves((0.2, 0.9), (0.6, 0.7)))["The start"]
    assert "a head start of 40.0 points" in line
    assert line.endswith(f"At the end {NET} is now ahead on these by 20.0 points.")


def test_a_base_that_brings_nothing():
    line = said(curves((0.6, 0.9), (0.2, 0.7)))["The start"]
    assert "the base brings no head start" in line
    assert line.endswith(f"At the end {NET} is ahead on these by 20.0 points.")


@given(*[some.floats(0.05, 0.95)] * 4)
def test_the_start_never_contradicts_the_records(a, b, c, d):
    line = said(curves((a, b), (c, d)))["The start"]
    assert ("head start of" in line) == (c - a > why.LEVEL)
    if f"At the end {NET}" in line:
        assert b > d
    elif f"At the end {BASE}" in line:
        assert d > b
    else:
        assert abs(b - d) <= why.LEVEL


def test_preparation_and_kept_features_are_part_of_the_clock():
    line = said(factory.records([CNN, FROZEN]))["The clock"]
    assert "46 s of them to prepare" in line and "with its features found ready" in line
    assert f"{NET} after" in line and "3.5 s of them to prepare" in line


def test_what_trains_and_what_is_learnt_by_heart():
    found = said(factory.records([CNN, FROZEN]))
    assert f"{BASE} trains 68.4 k of its 287.0 k parameters" in found["What trains"]
    assert "Training accuracy minus validation accuracy" in found["By heart"]


@pytest.mark.parametrize(
    ("upstream", "words"),
    [
        ({"images": 1000, "epochs": 90}, "had seen 90,000 images in its pretraining: 9.0 times"),
        ({"images": 10**6}, "for how many epochs is not published: one alone is 100 times"),
        ({}, "is not known; that is not nothing"),
        ({"images": "many", "epochs": True}, "is not known; that is not nothing"),
    ],
)
def test_what_pretraining_cost(upstream, words):
    records = factory.records([CNN, FROZEN])
    records[1].weights = Weights("imagenet", upstream=upstream)
    records[1].images_seen = 10_000
    assert words in said(records)["Paid before"]


def test_who_trained_its_base_here_says_what_that_took():
    records = [factory.way("complete"), factory.way("scratch")]
    assert "first trained its base here on cifar10, in 95 s" in said(records)["Paid before"]


def test_names_in_sentences_keep_the_model_that_all_arms_share():
    runs = [factory.way("frozen"), factory.way("scratch")]
    runs[0].weights = Weights("imagenet", upstream={"images": 1000, "epochs": 90})
    found = said(runs)
    name = "MobileNet ¼, 96 px · "
    assert f"with {name}frozen and at" in found["By heart"]
    assert found["By heart"].endswith(f"with {name}from scratch.")
    assert found["Paid before"].startswith(f"The base of {name}frozen had seen")


def test_two_arms_of_one_kind_have_no_base_to_thank():
    line = said(factory.records([CNN, "tutorial-cnn:scratch"]))["The start"]
    assert "base" not in line


def test_one_arm_or_none_has_little_to_say():
    assert list(said([factory.record(FROZEN)])) == ["Paid before"]
    assert said([factory.record(CNN)]) == {}
    assert said([factory.record(status="failed")]) == {}
