"""Records as runs of MLflow, in a SQLite file that its own page reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.files import cannot_write, must_be_writable
from comparisons.core.machine import must_have
from comparisons.core.records import Record
from comparisons.report.tensorboard import CURVES, started

if TYPE_CHECKING:
    from mlflow.entities import Metric

FILE = "mlflow.db"
EXPERIMENT = "scratch or fine-tune"
ID = "record"  # the tag that says which record a run is
ENDED = {"ok": "FINISHED", "diverged": "FAILED", "failed": "FAILED"}
MOST_TEXT = 500  # letters of a parameter, which is what MLflow takes


def export(records: Sequence[Record], folder: Path) -> Path:
    """Add a run for each record to a store in a folder, in place of what it has of the same.

    The path of the store. Times are those of the records. Raises ComparisonError.
    """
    must_have("mlflow", "MLflow's runs", "mlflow", "mlflow")
    must_be_writable(folder)
    path = folder / FILE
    # Settled before it is imported: nothing here tells anybody anything.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow import MlflowClient, MlflowException

    try:
        client = MlflowClient(f"sqlite:///{path.absolute()}")
        known = client.get_experiment_by_name(EXPERIMENT)
        experiment = known.experiment_id if known else client.create_experiment(EXPERIMENT)
        for record in records:
            _add(client, experiment, record)
    except OSError as error:
        raise cannot_write(folder, error) from None
    except MlflowException as error:
        raise ComparisonError(f"{path}: {first_line(error)}", exit_code=1) from None
    return path


def _add(client: Any, experiment: str, record: Record) -> None:
    from mlflow.entities import Param

    for old in client.search_runs([experiment], f"tags.{ID} = '{record.id}'"):
        client.delete_run(old.info.run_id)
    begun = int(1000 * (started(record) or 0))
    name = f"{record.arm} · {record.train_size} · seed {record.seed}"
    run = client.create_run(experiment, start_time=begun, tags={ID: record.id}, run_name=name)
    metrics = list(_metrics(record, begun))
    params = [Param(key, str(value)[:MOST_TEXT]) for key, value in _params(record).items()]
    for start in range(0, max(len(metrics), 1), 1000):  # the most that a batch may have
        client.log_batch(run.info.run_id, metrics[start : start + 1000], () if start else params)
    end = begun + int(1000 * record.seconds.total)
    client.set_terminated(run.info.run_id, ENDED[record.status], end)


def _metrics(record: Record, begun: int) -> Iterator[Metric]:
    """Every curve of a record, by epoch and time, and its result."""
    from mlflow.entities import Metric

    at = begun
    for step, entry in enumerate(record.history, start=1):
        at = begun + int(1000 * entry.elapsed)
        for curve, field in CURVES.items():
            value = getattr(entry, field)
            if value is not None:
                yield Metric(curve, value, at, step)
    if record.test:
        yield Metric("accuracy/test", record.test.accuracy, at, len(record.history))


def _params(record: Record) -> dict[str, Any]:
    return {
        "arm": record.arm,
        "training images": record.train_size,
        "seed": record.seed,
        "data": record.data.name,
        "status": record.status,
        "epochs": len(record.history),
        "trained parameters": record.parameters.trainable if record.parameters else 0,
        "command": record.environment.command,
    }
