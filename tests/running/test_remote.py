"""Runs that are stopped from afar, whatever they are at."""

import threading
import time

import factory
import pytest

from comparisons.core import events
from comparisons.data import prepare
from comparisons.running import runner
from comparisons.running.remote import Remote, Stopped


@pytest.fixture(scope="module")
def plan(tiny_npz):
    """Two runs and the data that they are done on."""
    data = prepare(str(tiny_npz), None)
    given = {"data": str(tiny_npz), "fingerprint": data.fingerprint, "device": "cpu"}
    return [factory.planned("cnn:scratch", 60, seed=n, **given) for n in (0, 1)], data.described()


@pytest.mark.parametrize("seconds", [0.0, 0.7])
def test_runs_are_stopped_while_the_framework_is_loaded(plan, seconds):
    remote, heard = Remote(), []
    threading.Timer(seconds, remote.stop).start()
    begun = time.perf_counter()
    with pytest.raises(Stopped):
        runner.run_all(*plan, None, False, [lambda _, event: heard.append(event)], remote=remote)
    # Far less than loading takes on a machine that is as busy as one that tests.
    assert time.perf_counter() - begun < seconds + 3.0
    assert not any(isinstance(event, events.Epoch) for event in heard)


@pytest.mark.slow
def test_a_pause_holds_for_the_runs_that_follow(plan):
    remote, seen = Remote(), []
    remote.pause()
    remote.step()

    def hear(number, event):
        if isinstance(event, events.Epoch):
            seen.append((number, time.perf_counter()))
            if number == 0 and len(seen) == 1:
                threading.Timer(1.0, remote.play).start()
            if number == 1:
                remote.stop()

    with pytest.raises(Stopped):
        runner.run_all(*plan, None, False, [hear], remote=remote)
    (_, first), (_, second), *_ = seen
    assert second - first > 0.9
    assert [number for number, _ in seen].count(1) == 1
