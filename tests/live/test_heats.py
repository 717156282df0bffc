"""What races: heats from records, and what viewers of a live one are told."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import drawn_pictures
import factory
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as some
from rich.console import Console

from comparisons.core import records
from comparisons.core.machine import ROOT
from comparisons.live import feed, heats
from comparisons.plan.request import Request
from comparisons.running import session

ARMS = list(factory.ARMS)
EVIDENCE = ROOT / "results" / "evidence" / "cifar10"


KINDS = some.tuples(some.sampled_from(ARMS), some.integers(0, 2), some.sampled_from([500, 45_000]))


@settings(max_examples=30)
@given(some.lists(KINDS, max_size=12, unique=True))
def test_every_run_races_once_against_those_of_its_size_and_seed(chosen):
    made = [factory.record(arm, seed, size) for arm, seed, size in chosen]
    found = heats.of_records(made)
    raced = [
        (track.label, int(seed), int(size))
        for heat in found
        for size, seed in [heat.key.removeprefix("n").split("-s")]
        for track in heat.tracks
    ]
    assert sorted(raced) == sorted(chosen)
    assert len({heat.key for heat in found}) == len(found)
    counts = [len(heat.tracks) for heat in found]
    assert counts == sorted(counts, reverse=True)


def test_curves_are_the_records_own_numbers():
    found, _ = records.load_all(EVIDENCE)
    by_arm = {(r.arm, r.train_size, r.seed): r for r in found}
    first = heats.of_records(found)[0]
    assert first.key == "n45000-s0" and first.validation == 5_000 and first.tests == 10_000
    for track in first.tracks:
        record = by_arm[track.label, 45_000, 0]
        assert [p.seconds for p in track.points] == [e.elapsed_cold for e in record.history]
        assert [p.val_accuracy for p in track.points] == [e.val_accuracy for e in record.history]
        assert track.test == record.test.accuracy
        assert track.seconds == record.seconds.learning_cold


def parts(folder: Path, **counts: int) -> Path:
    """A folder of one's own with parts that have so many pictures of each class."""
    for number, (name, count) in enumerate(counts.items()):
        drawn_pictures.folder(folder / name, count, first=100 * number)
    return folder


def test_a_race_counts_those_images_that_its_runs_look_at(tmp_path):
    """Of folders that draw their test pictures, and that have validation pictures of their own."""
    drawn = drawn_pictures.folder(tmp_path / "drawn", 20)
    own = parts(tmp_path / "own", train=10, validation=4, test=3)
    for folder, validation, tests in ((drawn, 3, 8), (own, 8, 6)):
        request = Request(arms=("cnn:scratch",), data=str(folder), train_sizes=(10,))
        had = session.have(request, Console(quiet=True))
        heat = heats.of_plan(had.runs(request), had.dataset, had.notices)
        assert (heat.validation, heat.tests) == (validation, tests)
        capped = replace(request, validate_on=2, test_on=5)
        heat = heats.of_plan(had.runs(capped), had.dataset, had.notices)
        assert (heat.validation, heat.tests) == (2, 5)


def test_what_was_taken_for_what_is_counted_and_of_many_classes_only_the_most_frequent():
    """Of the factory's records each class is mostly taken for the next one."""
    record = factory.record("cnn:scratch", accuracy=0.8)
    few = heats.of_records([record])[0].tracks[0].confusion
    assert few.rows == record.test.confusion and few.classes == record.data.classes
    worst = max(max(row[:i] + row[i + 1 :]) for i, row in enumerate(few.rows))
    assert [one.count for one in few.most] == [worst] * 3
    truth, called = (few.classes.index(name) for name in (few.most[0].truth, few.most[0].called))
    assert called == (truth + 1) % 10 and few.most[0].images == 1_000
    names = [f"a class with number {i} and a long name" for i in range(100)]
    many = heats.of_records([factory.record("cnn:scratch", accuracy=0.8, classes=names)])
    found = many[0].tracks[0].confusion
    assert found.rows == found.classes == [] and len(found.most) == 3
    faultless = heats.of_records([factory.record("cnn:scratch", accuracy=1.0)])[0].tracks[0]
    assert faultless.confusion.most == []


def test_runs_that_went_wrong_race_too_and_say_why():
    failure = factory.record("tiny:frozen", status="failed", error="no\x1b[2J memory")
    made = [factory.record("cnn:scratch"), failure]
    failed = heats.of_records(made)[0].tracks[1]
    assert failed.status == "failed" and failed.test is None
    assert failed.error and "memory" in failed.error and "\x1b" not in failed.error


def test_two_data_sets_do_not_race_each_other():
    data = records.Data("mnist", False, True, "ab12cd34", records.Sizes(), [])
    other = factory.record("cnn:scratch", data=data)
    found = heats.of_records([factory.record("cnn:scratch"), other])
    assert len(found) == len({heat.key for heat in found}) == 2


@given(some.lists(some.integers(0, 30), max_size=30), some.integers(0, 30))
def test_viewers_hear_everything_once_whenever_they_come(breaks, begins):
    """However often they ask, and wherever a new heat begins."""
    told, at = feed.Feed(), 0
    expected, seen = [], []
    for number in range(31):
        if number == begins:
            message = feed.Begin(heats.Heat("k", "title", []))
            expected = []
            seen = []
        else:
            message = feed.Stage(0, str(number))
        told.tell(message)
        expected.append(msgspec.to_builtins(message))
        if number in breaks or number == 30:
            at, lines = told.since(at)
            seen += json.loads(lines)
    assert seen == expected
    assert told.since(at) == (at, b"[]")
    late = json.loads(told.since(0)[1])
    assert late == expected
    assert json.loads(told.since(10**6)[1]) == expected  # of a server that ran before


def test_a_late_viewer_of_a_long_race_is_told_within_a_moment():
    told = feed.Feed()
    point = heats.point(factory.record("cnn:scratch").history[0], 1)
    for _ in range(1_000):
        told.tell(feed.Learnt(0, point))
    begun = time.perf_counter()
    assert len(json.loads(told.since(0)[1])) == 1_000
    assert time.perf_counter() - begun < 0.2
