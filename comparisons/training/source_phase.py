"""The first half of `complete`: a base trained here, from random weights, on a source data set.

It is kept like features are: another run with the same seed uses it again, and is charged what
it cost when it was made.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import msgspec
from filelock import FileLock

from comparisons.core import cache
from comparisons.core.control import Control
from comparisons.core.events import Stage, Tell
from comparisons.core.files import write_text
from comparisons.core.machine import versions
from comparisons.core.phases import Phase
from comparisons.core.records import Source
from comparisons.data import prepare, split
from comparisons.plan.arms import Arm
from comparisons.plan.runs import Run
from comparisons.training import evaluation
from comparisons.training.device import Runtime
from comparisons.training.job import Job
from comparisons.training.train_phase import train_phase
from models import adapt, flops
from models.prediction import predict

WEIGHTS, ABOUT = "base.weights.h5", "about.json"


@dataclass(frozen=True)
class Base:
    """A base's weights file, what training it was like, and the seconds spent now and when made.

    `held` keeps the file from being pruned.
    """

    path: Path
    source: Source
    seconds: float
    cold_seconds: float
    held: FileLock | None


class _Kept(msgspec.Struct):
    source: Source
    seconds: float
    weights: str


def base(run: Run, arm: Arm, runtime: Runtime, tell: Tell, control: Control) -> Base:
    """The base of a run that begins with a source data set, trained now unless it is kept."""
    phase = run.source_phase
    assert phase is not None and run.settings.source is not None
    key = {
        "model": arm.model_name,
        "source": msgspec.to_builtins(run.settings.source),
        "seed": run.seed,
        "phase": msgspec.to_builtins(phase),
        "deterministic": run.settings.deterministic,
        "runtime": [runtime.backend, runtime.kind, runtime.precision, versions()],
        "revisions": [arm.model.revision, run.settings.training_revision],
    }
    text = json.dumps(key, sort_keys=True)
    entry = cache.entry("bases", hashlib.blake2b(text.encode(), digest_size=12).hexdigest())
    held = entry.use()
    # One process trains; a second one waits, and then finds the base there.
    with entry.alone():
        path = entry.folder / WEIGHTS
        kept = _kept(entry.folder)
        if kept:
            return Base(path, kept.source, 0.0, kept.seconds, held)
        entry.folder.mkdir(exist_ok=True)
        started, paused = time.perf_counter(), control.paused
        source = _train(run, arm, phase, run.settings.source.data, runtime, tell, control, path)
        seconds = time.perf_counter() - started - (control.paused - paused)
        made = _Kept(source, seconds, _digest(path))
        write_text(entry.folder / ABOUT, msgspec.json.encode(made).decode())
    return Base(path, source, seconds, seconds, held)


def _train(
    run: Run,
    arm: Arm,
    phase: Phase,
    name: str,
    runtime: Runtime,
    tell: Tell,
    control: Control,
    path: Path,
) -> Source:
    tell(Stage(f"reading {name}"))
    dataset = prepare(name, Path(run.data_dir) if run.data_dir else None)
    keras.utils.set_random_seed(run.seed)
    with runtime.scope():
        network = adapt.build(arm.model, dataset.image_shape, len(dataset.classes))
    rows = split(dataset.y_train, run.seed)
    network.prepare(dataset.x_train[rows.train])
    job = Job(run, arm, dataset, rows, network, runtime, tell, control)
    train_phase(job, phase)
    logits = predict(network.whole, dataset.x_test)
    accuracy = evaluation.source_accuracy(logits.argmax(axis=1), dataset)
    adapt.save_base(network, path)
    return Source(
        dataset.described(rows),
        job.result.epochs,
        accuracy,
        job.result.flops + flops.forward(network.whole) * len(dataset.x_test),
    )


def _kept(folder: Path) -> _Kept | None:
    """What is known of a kept base; None where there is none, or not what was written."""
    try:
        made = msgspec.json.decode((folder / ABOUT).read_bytes(), type=_Kept)
        return made if made.weights == _digest(folder / WEIGHTS) else None
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return None


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
