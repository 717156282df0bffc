"""A plan is run: what is kept, what is done again, and what a failure leaves behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import factory
import numpy as np
import processes
import pytest
from msgspec.structs import replace

from comparisons.core import events, records
from comparisons.core.machine import ROOT
from comparisons.data import prepare
from comparisons.running import kept, process, runner, tasks
from comparisons.running.fork_server import ForkServer


@pytest.fixture(scope="module")
def done(tiny_npz, tmp_path_factory):
    """A run, the data it was done on, and the folder that has its record."""
    dataset = prepare(str(tiny_npz), None)
    given = {"data": str(tiny_npz), "fingerprint": dataset.fingerprint}
    run = factory.planned("cnn:scratch", 60, epochs=1, device="cpu", **given)
    out = tmp_path_factory.mktemp("done")
    (record,) = runner.run_all([run], dataset.described(), out, fresh=False)
    assert record.status != "failed"
    return run, dataset.described(), out


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_fresh_run_that_fails_leaves_the_good_record_and_stands_beside_it(done):
    run, data, out = done
    before = files_of(out)
    broken = replace(run, written="cnn:nothing")  # what a process cannot do
    (record,) = runner.run_all([broken], data, out, fresh=True)
    assert record.status == "failed" and record.error
    after = files_of(out)
    assert after.pop(f"failed/{run.id}.json")
    assert after == before
    found, damaged = records.load_all(out)
    assert [r.status == "failed" for r in found] == [False, True]
    assert {r.id for r in found} == {run.id} and not damaged
    # It does not count as done, and a good end makes it forgotten.
    assert kept.finished(run, out) is not None
    runner.run_all([run], data, out, fresh=True)
    assert files_of(out).keys() == before.keys()


def test_a_run_that_only_failed_is_done_again(done, tmp_path):
    run, data, _ = done
    runner.run_all([replace(run, written="cnn:nothing")], data, tmp_path, fresh=False)
    assert kept.finished(run, tmp_path) is None
    (record,) = runner.run_all([run], data, tmp_path, fresh=False)
    assert record.status != "failed"
    assert np.load(tmp_path / "predictions" / f"{run.id}.npy").shape == (90, 3)


@pytest.fixture
def plan(done):
    """Three runs, and the data that they are done on."""
    run, data, _ = done
    return [replace(run, id=f"{run.id}{n}", seed=n) for n in range(3)], data


def at_first_epochs(plan, data, do):
    """The records of a plan's runs; `do` is called with a run's place when it has an epoch."""

    def hear(number, event):
        if isinstance(event, events.Epoch):
            do(number)

    return runner.run_all(plan, data, None, fresh=False, listeners=[hear])


linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each run loads anew")


@linux
def test_runs_have_processes_of_their_own_and_load_the_framework_once(plan):
    """Each is forked by the one process that has loaded it, and nobody else is there."""
    seen = []

    def look(number):
        (server,) = processes.fork_servers(os.getpid())
        (worker,) = processes.workers(os.getpid())
        seen.append((server, worker))

    records = at_first_epochs(*plan, look)
    assert [record.status != "failed" for record in records] == [True] * 3
    assert len({server for server, _ in seen}) == 1
    assert len({worker for _, worker in seen}) == 3
    assert processes.left_after([pid for pair in seen for pid in pair], 2.0) == []


@linux
def test_a_run_that_is_killed_costs_itself_alone(plan):
    def kill(number):
        if number == 1:
            os.kill(*processes.workers(os.getpid()), signal.SIGKILL)

    records = at_first_epochs(*plan, kill)
    assert [record.status == "failed" for record in records] == [False, True, False]
    assert "SIGKILL" in records[1].error


@pytest.mark.ci
@linux
def test_runs_go_on_without_what_forks_them(plan):
    def kill(number):
        if number == 0:
            os.kill(*processes.fork_servers(os.getpid()), signal.SIGKILL)

    records = at_first_epochs(*plan, kill)
    assert [record.status == "failed" for record in records] == [True, False, False]
    assert "SIGKILL" in records[0].error


@linux
@pytest.mark.ci
def test_what_has_loaded_the_framework_serves_one_plan_after_the_other(plan):
    runs, data = plan
    with runner.Processes() as ready:
        ready.load("cpu")
        (server,) = processes.fork_servers(os.getpid())
        for run in runs[:2]:
            (record,) = runner.run_all([run], data, None, fresh=False, ready=ready)
            assert record.status != "failed"
            assert processes.fork_servers(os.getpid()) == [server]
        ready.end()  # as a Stop does while a run waits for it
        assert processes.left_after([server], 2.0) == []
        (record,) = runner.run_all(runs[2:], data, None, fresh=False, ready=ready)
        (other,) = processes.fork_servers(os.getpid())
        assert record.status != "failed" and other != server
    assert processes.left_after([other], 2.0) == []


@linux
def test_a_forked_run_gives_what_a_spawned_one_does(done):
    run, _, _ = done
    results = []
    with ForkServer("cpu") as server:
        for start in (process.spawn, server.fork, server.fork):
            with process.Worker(tasks.Train(run), start) as worker:
                *_, last = worker
            results.append([epoch.train_loss for epoch in last.record.history])
    assert results[0] == results[1] == results[2]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends once it has loaded")
def test_a_server_whose_command_is_killed_as_it_starts_ends_before_it_has_loaded():
    code = (
        "import os, signal; from comparisons.running.fork_server import ForkServer; "
        "print(ForkServer('cpu').__enter__()._process.pid, flush=True); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert said.returncode == -signal.SIGKILL
    assert processes.left_after([int(said.stdout)], 2.0) == []
