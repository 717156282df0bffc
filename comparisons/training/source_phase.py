"""The first half of `complete`: a base trained here, from random weights, on a source data set.

It is kept like features are: another run with the same seed uses it again, and is charged what
it cost when it was made.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import keras
import msgspec
from filelock import FileLock

from comparisons.core import cache
from comparisons.core.bill import Costs
from comparisons.core.clock import CHECKPOINT, PAUSED, Clock, Cost, timestamp
from comparisons.core.control import Control
from comparisons.core.events import Stage, Tell
from comparisons.core.files import write_text
from comparisons.core.machine import versions
from comparisons.core.neighbours import Watch
from comparisons.core.phases import Phase
from comparisons.core.records import Source
from comparisons.data import prepare, split
from comparisons.plan.arms import Arm
from comparisons.plan.runs import Run
from comparisons.training import evaluation
from comparisons.training.checkpoint import Checkpoint
from comparisons.training.device import Runtime
from comparisons.training.job import Job
from comparisons.training.train_phase import train_phase
from models import adapt, flops
from models.prediction import predict

WEIGHTS, ABOUT = "base.weights.h5", "about.json"


@dataclass(frozen=True)
class Base:
    """A base's weights file, and what training it was like.

    `kept` says when its cost was measured, where it was found ready; `held` keeps the file from
    being pruned.
    """

    path: Path
    source: Source
    kept: Costs | None
    held: FileLock | None


class _Kept(msgspec.Struct):
    """What lies beside a base: `cost` are the seconds of learning it, and those of processors."""

    source: Source
    cost: tuple[float, float]
    measured: Costs
    weights: str


def base(
    run: Run,
    arm: Arm,
    runtime: Runtime,
    tell: Tell,
    control: Control,
    clock: Clock,
    checkpoint: Checkpoint,
) -> Base:
    """The base of a run that begins with a source data set, trained now unless it is kept.

    Training it is charged to `source`, how good it became there to `watch`.
    """
    before = clock.spent("source")
    with clock.charge("source"):
        found, cost = _base(run, arm, runtime, tell, control, clock, checkpoint)
    clock.save("source", cost - (clock.spent("source") - before))
    return found


def _base(
    run: Run,
    arm: Arm,
    runtime: Runtime,
    tell: Tell,
    control: Control,
    clock: Clock,
    checkpoint: Checkpoint,
) -> tuple[Base, Cost]:
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
        if kept and kept.measured.measured >= run.since:
            return Base(path, kept.source, kept.measured, held), Cost(*kept.cost)
        entry.folder.mkdir(exist_ok=True)
        watch, own = Watch(), Clock()
        date = timestamp()
        source = _train(
            run, arm, phase, run.settings.source.data, runtime, tell, control, own, checkpoint, path
        )
        cost = own.learning()
        # What earlier processes spent on it, too; what is no learning of it is none of the target.
        clock.add("source", own.before)
        clock.move("source", "watch", own.measuring())
        for part in (PAUSED, CHECKPOINT):
            clock.move("source", part, own.spent(part))
        measured = Costs(date, watch.seen().share, cost.wall)
        made = _Kept(source, (cost.wall, cost.processor), measured, _digest(path))
        write_text(entry.folder / ABOUT, msgspec.json.encode(made).decode())
    return Base(path, source, None, held), cost


def _train(
    run: Run,
    arm: Arm,
    phase: Phase,
    name: str,
    runtime: Runtime,
    tell: Tell,
    control: Control,
    clock: Clock,
    checkpoint: Checkpoint,
    path: Path,
) -> Source:
    tell(Stage(f"reading {name}"))
    with clock.charge("read"):
        dataset = prepare(name, Path(run.data_dir) if run.data_dir else None)
    keras.utils.set_random_seed(run.seed)
    with runtime.scope():
        network = adapt.build(arm.model, dataset.image_shape, len(dataset.classes))
    rows = split(dataset.y_train, run.seed)
    network.prepare(dataset.x_train[rows.train])
    job = Job(run, arm, dataset, rows, network, runtime, tell, control, clock)
    job.checkpoint = checkpoint
    train_phase(job, phase)
    with clock.charge("test"):
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
