"""A worker as it is: held up, stepped and stopped, killed, and left behind by its parent."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import factory
import processes
import pytest

from comparisons.core import control, events
from comparisons.data import prepare
from comparisons.plan.runs import Run
from comparisons.running.process import Worker
from comparisons.running.tasks import Fetch, Train


@pytest.fixture
def run(tiny_npz: Path) -> Run:
    data = {"data": str(tiny_npz), "fingerprint": prepare(str(tiny_npz), None).fingerprint}
    return factory.planned("cnn:scratch", 240, device="cpu", epochs=5, **data)


def until(told, kind):
    """Events up to the first of a kind, that one included."""
    seen = []
    for event in told:
        seen.append(event)
        if isinstance(event, kind):
            return seen
    raise AssertionError(f"no {kind.__name__} among {seen}")


def test_a_run_waits_for_its_next_epoch_and_is_not_charged_for_it(run):
    with Worker(Train(run)) as worker:
        for message in (control.Pause(), control.Step(), control.Step()):
            worker.send(message)
        told = iter(worker)
        until(told, events.Device)
        started = time.perf_counter()
        until(told, events.Epoch)
        until(told, events.Epoch)
        (pid,) = processes.workers(os.getpid())
        # Long enough for all the rest, were it not to wait.
        time.sleep(2.0)
        assert processes.runs(pid)
        worker.send(control.Play())
        *rest, last = told
        whole = time.perf_counter() - started
    assert [event.entry.epoch for event in rest if isinstance(event, events.Epoch)] == [3, 4, 5]
    assert last.record.status == "ok"
    # Reading the data, before the device is told, is in the total as well: an .npz takes no time.
    assert last.record.seconds.total < whole - 1.0
    assert last.record.seconds.train < last.record.seconds.learning


@pytest.mark.parametrize("when", ["while it trains", "while it waits"])
def test_a_run_that_is_stopped_gives_no_record(run, tmp_path, when):
    predictions = tmp_path / "logits.npy"
    with Worker(Train(run, str(predictions))) as worker:
        worker.send(control.Pause())
        told = iter(worker)
        until(told, events.Phase)
        if when == "while it trains":
            worker.send(control.Step())
        worker.send(control.Stop())
        *seen, last = told
    assert last == events.Error("stopped", 130)
    assert not any(isinstance(event, events.Record) for event in seen)
    assert not predictions.exists()


def test_the_end_of_the_block_is_the_end_of_the_process(run):
    with Worker(Train(run)) as worker:
        worker.send(control.Pause())
        until(iter(worker), events.Phase)
        (pid,) = processes.workers(os.getpid())
    assert not processes.runs(pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_is_killed_is_said_to_be(run, number):
    with Worker(Train(run)) as worker:
        told = iter(worker)
        next(told)
        os.kill(*processes.workers(os.getpid()), number)
        *_, last = told
    assert number.name in last.text and last.exit_code == 1


def test_a_task_that_cannot_be_done_says_so_in_one_line():
    with Worker(Fetch("nothing:frozen")) as worker:
        (only,) = worker
    assert "nothing" in only.text and only.exit_code == 2


# A task is handed over, and then nobody listens to what is told.
PARENT = """
import sys, time
import msgspec
from comparisons.core import control
from comparisons.running.process import Worker
from comparisons.running.tasks import Train
with Worker(msgspec.json.decode(sys.argv[1], type=Train)) as worker:
    worker.send(control.Pause())
    for event in worker:
        print(type(event).__name__, flush=True)
"""


@pytest.mark.parametrize("moment", ["Stage", "Device", "Phase"])
def test_a_worker_ends_with_its_parent(run, spawn, moment):
    import msgspec

    parent = spawn(PARENT, msgspec.json.encode(Train(run)).decode())
    assert parent.stdout
    while parent.stdout.readline().strip() != moment:
        assert parent.poll() is None
    found = processes.workers(parent.pid)
    assert len(found) == 1
    parent.kill()
    parent.wait()
    assert processes.left_after(found, 2.0) == []
