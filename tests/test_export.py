"""Records as TensorBoard reads them: written by the door and by runs, read by its own reader."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import factory
import pytest
from browser import chromium
from msgspec.structs import replace

from comparisons import cifar, export
from comparisons.core import records
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT
from comparisons.report import mlflow, tensorboard


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """The curves of a run's folder, as (step, value), by TensorBoard's own reader."""
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulators.EventAccumulator(str(folder))
    found.Reload()
    return {
        name: [(one.step, one.value) for one in found.Scalars(name)]
        for name in found.Tags()["scalars"]
    }


def curve(record: records.Record, field: str) -> list[tuple[int, float]]:
    """What TensorBoard is to show of a field of a record's epochs, in single precision."""
    seen = [(n, getattr(entry, field)) for n, entry in enumerate(record.history, start=1)]
    return [(n, pytest.approx(value, rel=1e-6)) for n, value in seen if value is not None]


@pytest.fixture
def results(tmp_path):
    """A folder of records, one of which diverged before it could be tested."""
    for one in factory.classroom():
        records.save(one, tmp_path)
    return tmp_path


def test_every_number_of_an_epoch_comes_back(results, capsys):
    assert export.main(["tensorboard", str(results)]) == 0
    assert "8 runs" not in capsys.readouterr().err
    found, _ = records.load_all(results)
    assert {path.name for path in (results / "tensorboard").iterdir()} == {r.id for r in found}
    for record in found:
        seen = read(results / "tensorboard" / record.id)
        assert seen["accuracy/validation"] == curve(record, "val_accuracy")
        assert seen["accuracy/train"] == curve(record, "train_accuracy")
        assert seen["loss/validation"] == curve(record, "val_loss")
        assert seen["loss/train"] == curve(record, "train_loss")
        assert seen["learning_rate"] == curve(record, "learning_rate")
        tested = [(len(record.history), pytest.approx(record.test.accuracy))] if record.test else []
        assert seen.get("accuracy/test", []) == tested


def test_a_second_export_replaces_the_first(results, tmp_path):
    for _ in range(2):
        assert export.main(["tensorboard", str(results), "--out", str(tmp_path / "board")]) == 0
    for folder in (tmp_path / "board").iterdir():
        assert len(list(folder.iterdir())) == 1


def test_an_id_that_leads_elsewhere_deletes_nothing(results, tmp_path, capsys):
    good, _ = records.load_all(results)
    plain = json.loads(records.to_json(replace(good[0], id="..")))
    del plain["digest"]
    (results / "runs" / "...json").write_text(json.dumps(plain))
    mine = tmp_path / "mine"
    (mine / "board").mkdir(parents=True)
    (mine / "notes.txt").touch()
    assert export.main(["tensorboard", str(results), "--out", str(mine / "board")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("left out: ...json is damaged")
    with pytest.raises(ComparisonError, match="can be called"):
        tensorboard.export([replace(good[0], id="..")], mine / "board")
    assert (mine / "notes.txt").exists() and len(list((mine / "board").iterdir())) == len(good)


def test_what_cannot_be_exported_is_said_in_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    (tmp_path / "runs").mkdir()
    for asked in (
        [tmp_path / "none"],
        [tmp_path],
        [ROOT / "results" / "evidence" / "cifar10", "--out", tmp_path / "file"],
    ):
        assert export.main(["tensorboard", *map(str, asked)]) != 0
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_mlflow_reads_every_run_once_with_its_own_times(results, monkeypatch):
    if not find_spec("mlflow"):
        pytest.skip("MLflow is not installed")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")  # not for whoever exports from here
    for _ in range(2):
        assert export.main(["mlflow", str(results)]) == 0
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{results / 'mlflow' / 'mlflow.db'}")
    (experiment,) = (e for e in client.search_experiments() if e.name == mlflow.EXPERIMENT)
    runs = {run.data.tags["record"]: run for run in client.search_runs([experiment.experiment_id])}
    found, _ = records.load_all(results)
    assert set(runs) == {record.id for record in found}
    for record in found:
        run = runs[record.id]
        assert run.data.params["arm"] == record.arm
        assert run.info.status == ("FINISHED" if record.status == "ok" else "FAILED")
        begun = datetime.fromisoformat(record.started).timestamp()
        assert run.info.start_time == pytest.approx(1000 * begun)
        losses = client.get_metric_history(run.info.run_id, "loss/train")
        there = [(one.step, pytest.approx(one.value)) for one in losses]
        expected = [(n, e.train_loss) for n, e in enumerate(record.history, 1)]
        assert there == [(n, loss) for n, loss in expected if loss is not None]
        assert losses[0].timestamp == int(1000 * begun) + int(1000 * record.history[0].elapsed)


@pytest.mark.slow
def test_curves_are_written_while_runs_go_on(tiny_npz, tmp_path):
    asked = ["--data", tiny_npz, "--arms", "cnn:scratch", "--train-size", 100, "--epochs", 3]
    out = ["--out", tmp_path / "out", "--tensorboard", tmp_path / "board"]
    assert cifar.main(list(map(str, [*asked, *out]))) == 0
    (record,), _ = records.load_all(tmp_path / "out")
    seen = read(tmp_path / "board" / record.id)
    assert seen["loss/train"] == curve(record, "train_loss")
    assert seen["accuracy/test"] == [(3, pytest.approx(record.test.accuracy))]


@pytest.mark.slow
def test_tensorboard_itself_shows_the_runs(results, tmp_path):
    assert export.main(["tensorboard", str(results)]) == 0
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(results / "tensorboard")]
    process = subprocess.Popen(
        [*command, "--port", "0", "--host", "127.0.0.1", "--load_fast", "false"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stderr
        said = ""
        while not (address := re.search(r"http://127\.0\.0\.1:\d+/", said)):
            line = process.stderr.readline()
            assert line, said
            said += line
        with chromium(tmp_path / "profile") as browser:
            end = time.monotonic() + 60
            browser.get(address.group())
            shown, found = "", records.load_all(results)[0]
            while not ("accuracy" in shown and all(record.id in shown for record in found)):
                assert time.monotonic() < end, shown
                time.sleep(0.5)
                shown = browser.execute_script("return document.body.innerText")
    finally:
        process.kill()
        process.communicate()
