"""What is shown of runs while they run: in lines that fit, by a clock that the test winds."""

from __future__ import annotations

import io
import re

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from comparisons.core import events
from comparisons.running.progress import Progress, clock_time, labels
from comparisons.running.terminal import Display, Log, Terminal, fitting, line

ARMS = ["cnn:scratch", "mobilenet@0.25x160:frozen"]


class Clock:
    """A clock that goes when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def planned(arms=ARMS, seeds=(0,), sizes=(500,)):
    return [factory.planned(arm, n, seed=s, epochs=8) for n in sizes for arm in arms for s in seeds]


def watched(plan=None):
    clock = Clock()
    return Progress(plan or planned(), clock), clock


def epoch(seconds=5.0, accuracy=0.793):
    entry = factory.record().history[0]
    entry.seconds, entry.val_accuracy = seconds, accuracy
    return events.Epoch(entry)


def trained(progress, clock, number, epochs, seconds=5.0):
    """Start a run and train so many epochs, of so many seconds each."""
    progress.hear(number, events.Start("an arm"))
    progress.hear(number, events.Stage("building the network"))
    clock.now += 3
    progress.hear(number, events.Phase("train", 8))
    for _ in range(epochs):
        clock.now += seconds
        progress.hear(number, epoch(seconds))
    return progress.runs[number]


def text(run, progress, width):
    return line(run, progress, fitting(progress.runs, width)).plain


@pytest.mark.parametrize("width", [60, 80, 100])
def test_what_matters_is_there_at_any_width(width):
    progress, clock = watched()
    run = trained(progress, clock, 1, 3)
    shown = text(run, progress, width)
    assert len(shown) <= width
    for part in ("mobilenet@0.25x160:fr", " 3/8 ", " 0:18 ", "val 79.3 %", "~0:25 left"):
        assert part in shown
    assert ("━" in shown) == (width >= 80)
    assert ("loss" in shown) == (width == 100)


@given(
    st.lists(st.text("abcdefgh:@0", min_size=1, max_size=60), min_size=1, max_size=3),
    st.integers(40, 140),
    st.integers(0, 8),
    st.floats(0.01, 9000),
)
def test_no_line_is_wider_than_the_terminal(names, width, epochs, seconds):
    progress, clock = watched(planned(["cnn:scratch"] * len(names)))
    for run, name in zip(progress.runs, names, strict=True):
        run.label = name
    run = trained(progress, clock, 0, epochs, seconds)
    for one in progress.runs:
        assert len(text(one, progress, width)) <= width
    assert f"{epochs}/8" in text(run, progress, width)
    if width >= 60:
        assert clock_time(run.elapsed(clock.now)) in text(run, progress, width)


def test_only_what_tells_runs_apart_is_in_their_names():
    assert labels(planned()) == ARMS
    assert labels(planned(seeds=(0, 1)))[1] == "cnn:scratch · seed 1"
    assert labels(planned(sizes=(500, 5000)))[2] == "cnn:scratch · 5,000"


def test_time_goes_on_and_the_bar_with_it_within_an_epoch():
    progress, clock = watched()
    run = trained(progress, clock, 0, 2)
    before = text(run, progress, 80)
    clock.now += 4
    after = text(run, progress, 80)
    assert ("0:13" in before, "0:17" in after) == (True, True)
    assert ("~0:30 left" in before, "~0:26 left" in after) == (True, True)
    assert after.count("━") > before.count("━")


def test_images_are_counted_and_the_time_of_the_rest_is_learnt():
    progress, clock = watched()
    progress.hear(1, events.Start(ARMS[1]))
    progress.hear(1, events.Stage("features of the train images"))
    progress.hear(1, events.Features("train", 0, 45_000))
    assert "left" not in text(progress.runs[1], progress, 80)
    clock.now += 60
    progress.hear(1, events.Features("train", 5_000, 45_000))
    assert "features 11 %" in text(progress.runs[1], progress, 80)
    assert "~8:00 left" in text(progress.runs[1], progress, 80)
    assert "features 5,000/45,000" in text(progress.runs[1], progress, 100)


def test_what_a_run_took_is_expected_of_the_next_of_its_kind():
    progress, clock = watched(planned(ARMS[:1], seeds=(0, 1)))
    trained(progress, clock, 0, 8)
    clock.now += 7  # testing
    progress.hear(0, events.Record(factory.record(accuracy=0.8)))
    progress.hear(1, events.Start("an arm"))
    assert "~0:50 left" in text(progress.runs[1], progress, 80)
    progress.hear(1, events.Phase("train", 8))
    for _ in range(7):
        clock.now += 5
        progress.hear(1, epoch())
    assert "~0:12 left" in text(progress.runs[1], progress, 80)


def test_a_kept_run_tells_how_long_the_next_may_take():
    progress, _ = watched(planned(ARMS[:1], seeds=(0, 1)))
    progress.hear(0, events.Start("an arm"))
    record = factory.record(accuracy=0.8)
    record.seconds.total, record.seconds.watch = 90.0, 10.0
    progress.hear(0, events.Record(record, kept=True))
    shown = text(progress.runs[0], progress, 80)
    assert "8/8" in shown and "kept, test 80.0 %" in shown and ":" not in shown.split("8/8")[1]
    progress.hear(1, events.Start("an arm"))
    assert "~1:40 left" in text(progress.runs[1], progress, 80)


def log(plan=None):
    progress, clock = watched(plan)
    console = Console(file=io.StringIO(), width=80)
    return Log(progress, console), progress, clock, console.file


def test_a_log_has_a_line_for_each_phase_each_end_and_each_half_minute():
    screen, progress, clock, file = log()

    def hear(event):
        progress.hear(0, event)
        screen.heard(progress.runs[0], event)

    hear(events.Start("cnn:scratch"))
    hear(events.Stage("building the network"))
    screen.tick()
    hear(events.Phase("train", 8))
    for _ in range(6):
        clock.now += 14
        hear(epoch(14.0))
        screen.tick()
    hear(events.Record(factory.record(accuracy=0.8)))
    first, *between, last = file.getvalue().splitlines()
    assert first == "cnn:scratch  0/8  0:00  phase train"
    assert [one.split()[1] for one in between] == ["3/8", "6/8"]
    assert "val 79.3 %" in between[0] and "~1:10 left" in between[0]
    assert last == "cnn:scratch  8/8  1:24  test 80.0 %"
    assert "\x1b" not in file.getvalue()


def test_a_log_says_why_a_run_failed_in_one_line():
    screen, progress, _, file = log()
    record = factory.record(status="failed", error="a reason " * 30)
    progress.hear(0, events.Start("cnn:scratch"))
    progress.hear(0, events.Record(record))
    screen.heard(progress.runs[0], events.Record(record))
    shown, reason = file.getvalue().splitlines()
    assert shown.startswith("cnn:scratch  0/8") and "failed" in shown
    assert reason == f"failed {record.id}: {record.error}"


@pytest.mark.parametrize("height", [6, 40])
def test_a_terminal_shows_what_runs_and_what_is_to_come(height):
    progress, clock = watched(planned(seeds=range(5)))
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=height)
    screen = Terminal(progress, console)
    run = trained(progress, clock, 0, 8)
    event = events.Record(factory.record(accuracy=0.8))
    progress.hear(0, event)
    screen.heard(run, event)
    assert "test 80.0 %" in console.file.getvalue()
    lines = [one.plain for one in screen.drawn().renderables]
    assert len(lines) <= height
    assert lines[0].startswith("cnn:scratch · seed 1")
    more = "and 5 more; " if height == 6 else ""
    assert lines[-1] == f"{more}1 of 10 runs done"
    assert len(lines) == (5 if height == 6 else 10)


def test_how_long_the_rest_takes_is_learnt_from_runs_that_ended():
    progress, clock = watched(planned(ARMS, seeds=(0, 1)))
    for number, each in ((0, 5), (2, 1)):
        assert "left" not in progress.overall()
        trained(progress, clock, number, 8, each)
        progress.hear(number, events.Record(factory.record(accuracy=0.8)))
    assert progress.overall() == "2 of 4 runs done, about 0:54 left"
    progress.hear(1, events.Start(ARMS[0]))
    clock.now += 10
    assert progress.overall() == "2 of 4 runs done, about 0:44 left"
    assert watched(planned(ARMS[:2]))[0].overall() == ""


def test_a_larger_run_takes_longer_by_what_grows_and_by_two_sizes_once_they_are_known():
    plan = [replace(run, train_size=size) for run, size in
            zip(planned(ARMS[:1], seeds=(0, 1, 2, 3)), (1_000, 3_000, 500, 5_000),
                strict=True)]  # fmt: skip
    progress, clock = watched(plan)
    for number, each, trains, said in ((0, 5, 40.0, "5:49"), (1, 8, 64.0, "2:08")):
        trained(progress, clock, number, 8, each)
        record = factory.record(accuracy=0.8)
        record.seconds.train, record.seconds.extract_train = trains - 1, 1.0
        progress.hear(number, events.Record(record))
        done = f"{number + 1} of 4 runs done"
        # 43 s, of which 40 for the images: 123, 23 and 203; then 67 s as well: 37 and 91.
        assert progress.overall() == f"{done}, about {said} left"


def test_a_stream_that_is_no_terminal_gets_no_control_codes(capsys, monkeypatch):
    """Kernels and CI set FORCE_COLOR."""
    from comparisons.core.console import plain_console

    monkeypatch.setenv("FORCE_COLOR", "1")
    console = plain_console()
    plan = planned()
    with Display(plan, console) as display:
        display(0, events.Start(ARMS[0]))
        display(0, events.Phase("train", 8))
        display(0, epoch())
    shown = capsys.readouterr().out
    assert shown == f"{ARMS[0]}  0/8  0:00  phase train\n"


def test_what_users_write_is_shown_as_it_is(capsys):
    from comparisons.core.console import plain_console

    for name in ("[bold].npz", "[/b]x", ":smile:", "[link=https://example.org]x[/link]"):
        plain_console().print(name)
        assert capsys.readouterr().out == f"{name}\n"


def test_times_are_short():
    said = [clock_time(seconds) for seconds in (0, 7.4, 59.6, 754, 3723)]
    assert said == ["0:00", "0:07", "1:00", "12:34", "1:02:03"]
    assert all(re.fullmatch(r"(\d+:)?\d+:\d\d", one) for one in said)


def test_what_goes_on_from_a_checkpoint_is_said_and_counts_what_was_done():
    progress, clock = watched()
    console = Console(file=io.StringIO(), width=200)
    screen = Log(progress, console)
    run = progress.runs[0]
    entries = [epoch().entry] * 6
    for event in (
        events.Start(run.label),
        events.Note("checkpoint of another run: not used"),
        events.Phase("train", 8),
        events.Continued(entries),
    ):
        progress.hear(0, event)
        screen.heard(run, event)
    noted, _, said = console.file.getvalue().splitlines()
    assert noted == f"{run.label}: checkpoint of another run: not used"
    assert said == f"{run.label}: goes on from its checkpoint, after epoch 6"
    clock.now += 5
    progress.hear(0, epoch())
    assert (run.done, round(progress.left(run))) == (7, 5)
