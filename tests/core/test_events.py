"""Events and control messages: what is told is what is heard, and a pause holds and is let go."""

from __future__ import annotations

import threading

import factory
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.core import control, events

COUNTS = st.integers(0, 10**6)
SHARES = st.floats(0, 1)
TEXTS = st.lists(st.text())
EVENTS = st.one_of(
    st.builds(events.Start, st.text()),
    st.builds(events.Stage, st.text()),
    st.builds(events.Device, st.text(), st.text(), COUNTS),
    st.builds(events.Phase, st.text(), COUNTS),
    st.sampled_from([events.Epoch(entry) for entry in factory.record().history]),
    st.builds(events.Features, st.text(), COUNTS, COUNTS),
    st.builds(events.Record, st.sampled_from(factory.classroom()), st.booleans()),
    st.builds(events.Error, st.text(), COUNTS),
    st.sampled_from([events.Done(), events.Lost()]),
    st.builds(
        events.Looked,
        *(st.text(), SHARES, st.booleans(), st.text(), st.none() | st.text(), TEXTS),
    ),
    st.builds(events.Inside, TEXTS, TEXTS, st.lists(st.tuples(SHARES, SHARES)), SHARES),
)


@given(EVENTS)
def test_an_event_is_one_line_and_comes_back_as_it_was(event):
    line = msgspec.json.encode(event)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=events.Event) == event


CONTROLS = [
    control.Pause(), control.Play(), control.Step(), control.Stop(), control.Look("é.png"),
    control.Inside(),
]  # fmt: skip


@pytest.mark.parametrize("message", CONTROLS, ids=lambda message: type(message).__name__)
def test_a_control_message_comes_back_as_it_was(message):
    line = msgspec.json.encode(message)
    assert msgspec.json.decode(line, type=control.Message) == message


def test_questions_are_answered_in_the_order_in_which_they_were_asked():
    held = control.Control()
    asked = [control.Inside(), control.Look("a.png"), control.Inside()]
    for question in asked:
        held.hear(question)
    assert [held.next_question() for _ in asked] == asked


def begun(held: control.Control, epochs: int) -> list[int]:
    """Begin epochs in a thread of their own, and say which, as they begin."""
    seen: list[int] = []

    def train() -> None:
        for epoch in range(epochs):
            held.before_epoch()
            seen.append(epoch)

    thread = threading.Thread(target=train, daemon=True)
    thread.start()
    thread.join(0.5)
    return seen


def test_epochs_begin_as_they_are_allowed():
    held = control.Control()
    assert begun(held, 3) == [0, 1, 2]
    held.hear(control.Pause())
    seen = begun(held, 5)
    assert seen == []
    for steps in (1, 2):
        held.hear(control.Step())
        wait_until(lambda steps=steps: len(seen) >= steps)
        assert len(seen) == steps
    held.hear(control.Play())
    wait_until(lambda: len(seen) == 5)


def test_a_step_does_not_pause_what_plays():
    held = control.Control()
    held.hear(control.Step())
    assert begun(held, 3) == [0, 1, 2]


def wait_until(condition):
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("not within ten seconds")
