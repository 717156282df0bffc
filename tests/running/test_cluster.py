"""A plan on several workers: a real scheduler, real workers, one of them killed at its work."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import factory
import numpy as np
import processes
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from comparisons import cifar
from comparisons.core import events, records
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT
from comparisons.data import prepare
from comparisons.plan.request import Request, check
from comparisons.running import runner
from comparisons.running.progress import Progress

cluster = pytest.importorskip("comparisons.running.cluster", reason="the extra [cluster] is out")


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "tcp://127.0.0.1", "", "somewhere"])
def test_a_scheduler_that_is_not_there_is_one_line_within_ten_seconds(address, tmp_path, capfd):
    asked = address.format(port=free_port())
    started = time.monotonic()
    out = tmp_path / "out"
    assert cifar.main(["--data", "shapes", "--scheduler", asked, "--out", str(out)]) == 2
    assert time.monotonic() - started < 10
    said, complained = capfd.readouterr()
    assert complained.count("\n") == 1 and f"--scheduler {asked}" in complained
    assert not said and not out.exists()


def test_what_listens_there_and_is_no_scheduler_is_one_line(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert cifar.main(["--data", "shapes", "--scheduler", address]) == 2
        assert capfd.readouterr().err.count("\n") == 1
        # Nor is there anything left that waits for it.
        connection, _ = server.accept()
        connection.settimeout(2)
        with connection:
            while connection.recv(1 << 16):
                pass


@pytest.mark.parametrize(
    "asked", [{"workers": 0}, {"workers": -2}, {"workers": 2, "scheduler": "tcp://here:1"}]
)
def test_what_cannot_be_meant_is_refused(asked):
    with pytest.raises(ComparisonError, match="--workers"):
        check(Request(**asked))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b"]), st.booleans()), max_size=30)
)
def test_runs_on_a_machine_at_once_are_counted(told):
    """By every moment at which it was there: how many others were on its machine."""
    company, at_work, most = cluster.Company(), {}, {}
    for number, host, comes in told:
        if comes:
            company.came(number, host)
            at_work[number], most[number] = host, 0
            for other, place in at_work.items():
                beside = list(at_work.values()).count(place) - 1
                most[other] = max(most[other], beside)
        else:
            assert company.went(number) == bool(at_work.pop(number, ""))
    for number in most:
        record = factory.record()
        company.tell(number, record)
        assert record.neighbours.runs == most[number]
        assert record.environment.host in ("a", "b")


@contextlib.contextmanager
def dask(folder: Path, *worker: object, workers: int = 1) -> Iterator[str]:
    """A scheduler and workers as processes of their own; the scheduler's address."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    pages = ("--dashboard-address", "127.0.0.1:0")
    commands = [("scheduler", "--port", port, *pages)]
    commands += [("worker", address, *worker, *pages)] * workers
    with contextlib.ExitStack() as stack:
        for name, *arguments in commands:
            started = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{name}", *map(str, arguments)],
                cwd=folder,  # not where the plan is made: relative paths mean something else there
                env=os.environ | {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(end_all, started)
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield address


def below(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def end_all(started: subprocess.Popen[bytes]) -> None:
    for process in [*below(started.pid), psutil.Process(started.pid)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    started.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory) -> Iterator[str]:
    """The address of a scheduler with two workers, each of which is started anew if killed."""
    one_each = ("--nworkers", 2, "--nthreads", 1)
    with dask(tmp_path_factory.mktemp("cluster"), *one_each) as address:
        yield address


@pytest.fixture(scope="module")
def plan(tiny_npz):
    """Five runs and the data that they are done on."""
    dataset = prepare(str(tiny_npz), None)
    given = {"data": str(tiny_npz), "fingerprint": dataset.fingerprint}
    run = factory.planned("cnn:scratch", 240, epochs=3, device="cpu", **given)
    return [replace(run, id=f"{run.id}{n}", seed=n) for n in range(5)], dataset.described()


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_its_run_in_progress_which_is_done_again(
    scheduler, plan, tmp_path
):
    heard = []

    def hear(number, event):
        heard.append((number, type(event)))
        if isinstance(event, events.Epoch) and not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    killed: list[int] = []
    with cluster.joined(scheduler, None, print) as client:
        while len(client.nthreads()) < 2:
            time.sleep(0.1)
        done = cluster.run_all(client, *plan, tmp_path, fresh=False, listeners=[hear])
        # What is there is kept, and nobody is asked.
        again = cluster.run_all(client, *plan, tmp_path, fresh=False)
    starts = Counter(number for number, kind in heard if kind is events.Start)
    assert sorted(starts.values()) == [1, 1, 1, 1, 2]
    assert [record.error for record in done] == [None] * 5
    assert [record.seed for record in done] == list(range(5))
    kept, damaged = records.load_all(tmp_path)
    assert not damaged and sorted(kept, key=lambda r: r.seed) == done == again
    for record in done:
        assert record.environment.host == os.uname().nodename
        logits = np.load(tmp_path / "predictions" / f"{record.id}.npy")
        assert logits.argmax(axis=1).shape == (90,)
    # Two workers, one machine; nobody had it alone, with five runs for two.
    assert {record.neighbours.runs for record in done} == {1}
    # The same as this machine gives by itself.
    (alone,) = runner.run_all(plan[0][:1], plan[1], None, fresh=False)
    assert alone.neighbours.runs == 0 and not alone.environment.host
    losses = [[e.train_loss for e in record.history] for record in (alone, done[0])]
    np.testing.assert_allclose(*losses, rtol=1e-3)


@pytest.mark.slow
def test_a_run_whose_worker_was_killed_is_at_work_no_more_until_it_is_taken_up_again(
    plan, tmp_path
):
    """Of two workers one is left, which does one run at a time: nothing is beside these."""
    progress, starts, victims = Progress(plan[0]), [], []

    def hear(number, event):
        progress.hear(number, event)
        if isinstance(event, events.Start):
            starts.append(len(progress.in_hand))
        if isinstance(event, events.Epoch) and len(starts) == 2 and victims:
            os.kill(victims.pop(), signal.SIGKILL)

    one_each = ("--no-nanny", "--nthreads", 1)
    with (
        dask(tmp_path, *one_each, workers=2) as address,
        cluster.joined(address, None, print) as client,
    ):
        while len(client.nthreads()) < 2:
            time.sleep(0.1)
        victims.append(next(iter(client.run(os.getpid).values())))
        done = cluster.run_all(client, *plan, None, fresh=False, listeners=[hear])
    assert [record.error for record in done] == [None] * 5
    assert starts == [1, 2, 1, 1, 1, 1]
    assert progress.at_once == 2
    assert sorted(record.neighbours.runs for record in done) == [0, 0, 0, 0, 1]


@pytest.mark.slow
def test_other_images_on_a_worker_fail_the_run_in_one_line(scheduler, plan, tmp_path):
    runs, data = plan
    other = records.Data(**{**{f: getattr(data, f) for f in data.__struct_fields__}})
    other.fingerprint = "0" * 16
    with cluster.joined(scheduler, None, print) as client:
        (record,) = cluster.run_all(client, runs[:1], other, tmp_path, fresh=False)
    assert record.status == "failed" and "other images" in record.error
    assert data.fingerprint in record.error and os.uname().nodename in record.error


@pytest.mark.slow
def test_workers_without_this_project_are_one_line(plan, tmp_path):
    # Found first. An empty one would not do: an editable install finds what is missing in it.
    (tmp_path / "comparisons.py").write_text("raise ImportError('of another project')\n")
    with dask(tmp_path, "--no-nanny") as address, cluster.joined(address, None, print) as client:
        while not client.nthreads():
            time.sleep(0.1)
        with pytest.raises(ComparisonError, match="cannot load this project"):
            cluster.run_all(client, *plan, None, fresh=False)


@pytest.mark.slow
def test_workers_of_this_machine_end_with_the_command(tiny_npz, tmp_path):
    arguments = ["--data", tiny_npz, "--arms", "cnn:scratch", "--epochs", 200, "--seeds", 0, 1]
    command = processes.start(*arguments, "--workers", 2, "--out", tmp_path)
    for _ in range(600):
        time.sleep(0.1)
        # The command, two workers, what forks for each, and their two runs.
        if len(found := below(command.pid)) >= 6:
            break
    command.send_signal(signal.SIGINT)
    _, complained = command.communicate(timeout=30)
    assert command.returncode == 130
    assert complained == "interrupted: what was finished is kept, the same command continues\n"
    assert processes.left_after([child.pid for child in found], 3.0) == []


@pytest.mark.slow
def test_the_page_says_which_runs_shared_their_machine(tiny_npz, tmp_path):
    asked = {"data": tiny_npz, "epochs": 2, "seeds": [0, 1], "out": tmp_path}
    shared = cifar.compare("cnn:scratch", workers=2, **asked)
    assert [record.neighbours.runs for record in shared] == [1, 1]
    page = " ".join((tmp_path / "report.html").read_text().split())
    assert "2 of 2 runs shared a machine with up to one other" in page
    (row,) = json.loads((tmp_path / "summary.json").read_text())["rows"]
    assert row["beside"] == 1
