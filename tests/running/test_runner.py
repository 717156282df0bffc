"""A plan is run: what is kept, what is done again, and what a failure leaves behind."""

from pathlib import Path

import factory
import numpy as np
import psutil
import pytest
from msgspec.structs import replace

from comparisons.core import events, records
from comparisons.data import prepare
from comparisons.running import runner


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


def kept(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_fresh_run_that_fails_leaves_the_good_record_and_stands_beside_it(done):
    run, data, out = done
    before = kept(out)
    broken = replace(run, written="cnn:nothing")  # what a process cannot do
    (record,) = runner.run_all([broken], data, out, fresh=True)
    assert record.status == "failed" and record.error
    after = kept(out)
    assert after.pop(f"failed/{run.id}.json")
    assert after == before
    found, damaged = records.load_all(out)
    assert [r.status == "failed" for r in found] == [False, True]
    assert {r.id for r in found} == {run.id} and not damaged
    # It does not count as done, and a good end makes it forgotten.
    assert runner.finished(run, out) is not None
    runner.run_all([run], data, out, fresh=True)
    assert kept(out).keys() == before.keys()


def test_a_run_that_only_failed_is_done_again(done, tmp_path):
    run, data, _ = done
    runner.run_all([replace(run, written="cnn:nothing")], data, tmp_path, fresh=False)
    assert runner.finished(run, tmp_path) is None
    (record,) = runner.run_all([run], data, tmp_path, fresh=False)
    assert record.status != "failed"
    assert np.load(tmp_path / "predictions" / f"{run.id}.npy").shape == (90, 3)


def works(process: psutil.Process) -> bool:
    """Whether a child of this process is one that trains or is about to."""
    try:
        return "comparisons.running.worker" in " ".join(process.cmdline())
    except psutil.Error:  # gone meanwhile, or about to be
        return False


def test_the_next_process_is_loaded_before_the_clock_of_this_one_runs(done, tmp_path):
    """And of more than two, the third begins to load when both before it have ended."""
    run, data, _ = done
    plan = [replace(run, id=f"{run.id}{n}", seed=n) for n in range(3)]
    beside: dict[int, int] = {}

    def hear(number, event):
        if isinstance(event, events.Epoch):
            beside[number] = sum(map(works, psutil.Process().children()))

    records = runner.run_all(plan, data, None, fresh=False, listeners=[hear])
    assert [record.status != "failed" for record in records] == [True] * 3
    assert beside == {0: 2, 1: 1, 2: 1}
