"""run(): from a settled run and a data set to a record."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import keras
import numpy as np

from comparisons.core import events, records
from comparisons.core.control import Control
from comparisons.core.events import Tell
from comparisons.core.records import Record, Start
from comparisons.core.streams import Stream, generator
from comparisons.data import Dataset, split
from comparisons.data.views import VIEWS
from comparisons.plan import arms
from comparisons.plan.runs import Run
from comparisons.training import evaluation, forgetting, source_phase
from comparisons.training.building import change_of
from comparisons.training.chance import without_result
from comparisons.training.device import Runtime
from comparisons.training.extraction import extracted
from comparisons.training.fitting import Diverged
from comparisons.training.job import Job
from comparisons.training.recording import record_of
from comparisons.training.train_phase import train_phase
from models import adapt, catalog, flops, kernels
from models.prediction import predict


def run(
    planned: Run,
    dataset: Dataset,
    runtime: Runtime,
    tell: Tell = lambda event: None,
    started: float | None = None,
    control: Control | None = None,
) -> tuple[Record, np.ndarray | None]:
    """Train and test one arm; the record and the test logits float16 [n, classes].

    A run that turns to NaN, is no better than chance or loses what it learnt is recorded as
    `diverged`. The logits are None where there is nothing to test. `started` is the
    time.perf_counter at which reading the data began (default: now); `control` may hold the run
    up between epochs, which is no part of its bill. Raises what building or training raises.
    """
    started = time.perf_counter() if started is None else started
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    control = control or Control()
    tell(events.Stage("building the network"))
    job = _set_up(planned, dataset, runtime, tell, control, started)
    watching = time.perf_counter()
    memory = forgetting.remember(job) if job.arm.strategy.moves_base else None
    job.at_start = _at_start(job)
    watching = time.perf_counter() - watching
    error = None
    try:
        for phase in planned.target_phases:
            train_phase(job, phase)
    except Diverged as reason:
        error = str(reason)
    job.seconds.compile += job.result.compile_seconds
    job.seconds.train = sum(epoch.seconds for epoch in job.result.epochs)
    job.seconds.evaluate += job.result.evaluate_seconds
    error = error or without_result(job.result, dataset.y_train[job.rows.train])
    tell(events.Stage("testing"))
    logits = _test_logits(job)
    test = None
    if np.isfinite(logits).all():
        test = evaluation.test_metrics(logits, dataset)
    # What watches the experiment, or holds it up, is not part of its bill.
    job.seconds.total = time.perf_counter() - started - watching - control.paused
    # The record first: it says whether the code is as committed, which a new file may change.
    record = record_of(job, date, error, test)
    if memory:
        record.forgetting, record.moved = forgetting.compare(job, memory)
    if planned.save_base and record.status == "ok":
        adapt.save_base(job.network, Path(planned.save_base))
    return record, logits.clip(*HALF).astype(np.float16) if test else None


# The range of float16, in which logits are kept.
HALF = (-65504.0, 65504.0)


def _set_up(
    planned: Run, dataset: Dataset, runtime: Runtime, tell: Tell, control: Control, started: float
) -> Job:
    arm = arms.parse(planned.written)
    base = None
    path = catalog.weights_file(arm.model) if arm.strategy.pretrained else None
    if arm.strategy.start == "source":
        begun = time.perf_counter()
        base = source_phase.base(planned, arm, runtime, tell, control)
        path, started = base.path, started + (time.perf_counter() - begun)
    keras.utils.set_random_seed(planned.seed)
    with runtime.scope():
        network = adapt.build(
            arm.model,
            dataset.image_shape,
            len(dataset.classes),
            path,
            change_of(arm, planned.phases),
        )
    if init := planned.target_phases[0].init:
        kernels.initialise(network.whole, init, generator(planned.seed, Stream.KERNELS))
    rows = split(dataset.y_train, planned.seed, planned.train_size)
    if path is None:
        network.prepare(dataset.x_train[rows.train])
    job = Job(planned, arm, dataset, rows, network, runtime, tell, control, weights=path)
    if base:
        job.source, job.held = base.source, base.held
        job.seconds.source, job.seconds.source_cold = base.seconds, base.cold_seconds
    job.seconds.setup = time.perf_counter() - started
    return job


# Training images whose signals and gradients are looked at before training.
LOOKED_AT = 256


def _at_start(job: Job) -> list[Start]:
    """Each layer before training, where a phase says how weights begin; else nothing."""
    phase = job.run.target_phases[0]
    if not phase.init:
        return []
    adapt.set_trainable(job.network, phase.trainable, phase.blocks)
    rows = job.rows.train[:LOOKED_AT]
    targets = keras.utils.to_categorical(job.dataset.y_train[rows], len(job.dataset.classes))
    found = kernels.at_start(job.network, job.dataset.x_train[rows], targets)
    return [Start(name, *map(records.finite, spreads)) for name, *spreads in found]


def _test_logits(job: Job) -> np.ndarray:
    """Logits float32 [n, classes] of the test images, by the way the last phase was trained."""
    images = job.dataset.x_test
    if job.last is None:
        return np.full((len(images), len(job.dataset.classes)), np.nan, np.float32)
    upper, inputs, names = job.last.upper, images, job.last.phase.views_at_test
    if job.last.lower is not None:
        inputs, names = extracted(job, job.last.lower, "test", images), ("original",)
    started = time.perf_counter()
    each = [predict(upper, VIEWS[name](inputs)) for name in names]
    job.flops += flops.forward(upper) * len(names) * len(images)
    job.seconds.evaluate += time.perf_counter() - started
    return np.mean(each, axis=0)
