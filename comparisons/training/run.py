"""run(): from a settled run and a data set to a record."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from comparisons.core import events, records
from comparisons.core.clock import PAUSED, Clock
from comparisons.core.control import Control
from comparisons.core.events import Tell
from comparisons.core.parts import FEWEST
from comparisons.core.records import Record, Start
from comparisons.core.streams import Stream, generator
from comparisons.data import Dataset
from comparisons.plan import arms
from comparisons.plan.runs import Run
from comparisons.training import evaluation, forgetting, keeping, selective, source_phase
from comparisons.training.answers import answers, to_corrupted
from comparisons.training.building import change_of
from comparisons.training.calibration import temperature
from comparisons.training.chance import without_result
from comparisons.training.checkpoint import Checkpoint
from comparisons.training.continuing import phases_left
from comparisons.training.device import Runtime
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
    clock: Clock | None = None,
    control: Control | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[Record, np.ndarray | None]:
    """Train and test one arm; the record and the test logits float16 [n, classes].

    A run that turns to NaN, is no better than chance or loses what it learnt is recorded as
    `diverged`. The logits are None where there is nothing to test. `clock` has reading the data on
    it already, where that is to be charged; `control` may hold the run up between epochs, which
    nobody is charged; `checkpoint` may have where an earlier process was. Raises what building or
    training raises.
    """
    clock, control, checkpoint = clock or Clock(), control or Control(), checkpoint or Checkpoint()
    tell(events.Stage("building the network"))
    dataset = dataset.tested_on(planned.settings.test_on)
    job = _set_up(planned, dataset, runtime, tell, control, clock, checkpoint)
    with clock.charge("watch"):
        job.at_start = _at_start(job)
    error = None
    try:
        for phase in phases_left(job):
            train_phase(job, phase)
    except Diverged as reason:
        error = str(reason)
    error = error or without_result(job.result, dataset.y_train[job.rows.train])
    test = logits = None
    if planned.settings.test_on != 0:
        tell(events.Stage("testing"))
        logits = answers(job, job.dataset.x_test)
        if np.isfinite(logits).all():
            certain = _certainty(job)
            corrupted = to_corrupted(job) if planned.settings.robustness else None
            with clock.charge("test"):
                test = evaluation.test_metrics(logits, dataset, *certain, corrupted)
    # From here on nothing is learnt nor measured, and what is held is not the run's own.
    with clock.charge("watch"):
        # The record first: it says whether the code is as committed, which a file may change.
        record = record_of(job, error, test)
        before = None
        if job.arm.strategy.moves_base:
            tell(events.Stage("watching the base"))
            before = forgetting.as_it_was(job)
            record.forgetting, record.moved = forgetting.watched(job, before)
        if planned.save_base and record.status == "ok":
            adapt.save_base(job.network, Path(planned.save_base))
        if planned.keep and record.status == "ok" and logits is not None:
            tell(events.Stage("keeping the network"))
            keeping.keep(job, record, logits, Path(planned.keep), before)
    record.paused = clock.spent(PAUSED).wall
    record.seconds, record.processor_seconds = clock.bill(
        sum(job.prepared.values(), job.prepared_before)
    )
    kept = logits.clip(*HALF).astype(np.float16) if test and logits is not None else None
    return record, kept


# The range of float16, in which logits are kept.
HALF = (-65504.0, 65504.0)


def _set_up(
    planned: Run,
    dataset: Dataset,
    runtime: Runtime,
    tell: Tell,
    control: Control,
    clock: Clock,
    checkpoint: Checkpoint,
) -> Job:
    arm = arms.parse(planned.written)
    base = None
    path = catalog.weights_file(arm.model) if arm.strategy.pretrained else None
    if arm.strategy.start == "source":
        base = source_phase.base(planned, arm, runtime, tell, control, clock, checkpoint)
        path = base.path
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
    rows = dataset.subset(planned.seed, planned.train_size, planned.settings.validate_on)
    if path is None:
        network.prepare(dataset.x_train[rows.train])
    job = Job(planned, arm, dataset, rows, network, runtime, tell, control, clock, weights=path)
    job.checkpoint = checkpoint
    if base:
        job.source, job.held, job.kept_costs = base.source, base.held, base.kept
        # Of a base that was kept before learning was counted apart: with what it was measured by.
        job.result.learnt += base.source.history[-1].flops or base.source.flops
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


def _certainty(job: Job) -> tuple[float, float | None]:
    """What to divide logits by so that certainty can be trusted, and above which it is enough.

    By validation images, as many as whatever is chosen by validation may see. A few of them would
    choose a temperature at its bounds, and call every answer sure or none.
    """
    if job.last is None:
        return 1.0, None
    inputs = job.last.held_out
    if len(inputs) < FEWEST:
        return 1.0, selective.NONE
    labels = job.dataset.y_train[job.rows.validation[: len(inputs)]]
    with job.clock.charge("validate"):
        logits = predict(job.last.upper, inputs)
        degree = temperature(logits, labels)
        sure = selective.certainty(logits / degree)
        enough = selective.threshold(sure, logits.argmax(axis=1) == labels)
    job.flops += flops.forward(job.last.upper) * len(inputs)
    return degree, enough
