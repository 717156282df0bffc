"""run(): from a settled plan and a data set to a record."""

from __future__ import annotations

import datetime
import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from comparisons.core import records
from comparisons.core.events import Tell
from comparisons.core.records import Record, Start
from comparisons.data import Dataset, split
from comparisons.data.views import VIEWS
from comparisons.plan import arms, recipes
from comparisons.plan.runs import Run
from comparisons.training import evaluation, forgetting, source_phase
from comparisons.training.building import change_of
from comparisons.training.device import Runtime
from comparisons.training.extraction import extracted, extracted_views
from comparisons.training.fitting import Diverged, Fit, fit
from comparisons.training.job import Job
from comparisons.training.range_test import range_test
from comparisons.training.recording import record_of
from models import adapt, catalog, flops, kernels
from models.prediction import predict


def run(
    plan: Run,
    dataset: Dataset,
    runtime: Runtime,
    tell: Tell = lambda event: None,
    started: float | None = None,
) -> tuple[Record, np.ndarray | None]:
    """Train and test one arm; the record and the test logits float16 [n, classes].

    A run that turns to NaN or never leaves chance is recorded as `diverged`. The logits are
    None where there is nothing to test. `started` is the time.perf_counter at which reading the
    data began (default: now). Raises what building or training raises.
    """
    started = time.perf_counter() if started is None else started
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    tell({"event": "stage", "text": "building the network"})
    job = _set_up(plan, dataset, runtime, tell, started)
    watching = time.perf_counter()
    memory = forgetting.remember(job) if job.arm.strategy.moves_base else None
    job.at_start = _at_start(job)
    watching = time.perf_counter() - watching
    error = None
    try:
        for phase in _target_phases(plan):
            _train(job, phase)
    except Diverged as reason:
        error = str(reason)
    job.seconds.compile += job.result.compile_seconds
    job.seconds.train = sum(epoch.seconds for epoch in job.result.epochs)
    job.seconds.evaluate += job.result.evaluate_seconds
    error = error or never_left_chance(job.result, dataset.y_train[job.rows.train])
    tell({"event": "stage", "text": "testing"})
    logits = _test_logits(job)
    test = None
    if np.isfinite(logits).all():
        test = evaluation.test_metrics(logits, dataset)
    # What watches the experiment is not part of its bill.
    job.seconds.total = time.perf_counter() - started - watching
    # The record first: it says whether the code is as committed, which a new file may change.
    record = record_of(job, date, error, test)
    if memory:
        record.forgetting, record.moved = forgetting.compare(job, memory)
    if plan.save_base and record.status == "ok":
        adapt.save_base(job.network, Path(plan.save_base))
    return record, logits.clip(*HALF).astype(np.float16) if test else None


# The range of float16, in which logits are kept.
HALF = (-65504.0, 65504.0)


def never_left_chance(result: Fit, labels: np.ndarray) -> str | None:
    """A line when no epoch was better than always naming the commonest class, else None.

    Better means by three standard errors of that guess, on training images; at most halfway to
    all of them, which is more than chance on the fewest images too.
    """
    chance = float(np.bincount(labels).max() / len(labels))
    margin = 3 * math.sqrt(chance * (1 - chance) / len(labels))
    best = max((epoch.train_accuracy or 0.0 for epoch in result.epochs), default=0.0)
    if best > chance + min(margin, (1 - chance) / 2):
        return None
    return f"training accuracy never left chance ({best:.1%}, chance is {chance:.1%})"


def _set_up(plan: Run, dataset: Dataset, runtime: Runtime, tell: Tell, started: float) -> Job:
    arm = arms.parse(plan.written)
    base = None
    path = catalog.weights_file(arm.model, dict(arm.options)) if arm.strategy.pretrained else None
    if arm.strategy.start == "source":
        begun = time.perf_counter()
        base = source_phase.base(plan, arm, runtime, tell)
        path, started = base.path, started + (time.perf_counter() - begun)
    keras.utils.set_random_seed(plan.seed)
    with runtime.scope():
        network = adapt.build(
            arm.model,
            dict(arm.options),
            dataset.image_shape,
            len(dataset.classes),
            path,
            change_of(arm, plan.phases),
        )
    if init := _first_phase(plan).get("init"):
        kernels.initialise(network.whole, init, plan.seed)
    rows = split(dataset.y_train, plan.seed, plan.train_size)
    if path is None:
        network.prepare(dataset.x_train[rows.train])
    job = Job(plan, arm, dataset, rows, network, runtime, tell, weights=path)
    if base:
        job.source = base.source
        job.seconds.source, job.seconds.source_cold = base.seconds, base.cold_seconds
    job.seconds.setup = time.perf_counter() - started
    return job


def _target_phases(plan: Run) -> list[dict[str, Any]]:
    return [phase for phase in plan.phases if phase["name"] != recipes.SOURCE]


def _first_phase(plan: Run) -> dict[str, Any]:
    return _target_phases(plan)[0]


# Training images whose signals and gradients are looked at before training.
LOOKED_AT = 256


def _at_start(job: Job) -> list[Start]:
    """Each layer before training, where a phase says how weights begin; else nothing."""
    phase = _first_phase(job.run)
    if not phase.get("init"):
        return []
    adapt.set_trainable(job.network, phase["trainable"], phase.get("blocks", 0))
    rows = job.rows.train[:LOOKED_AT]
    targets = keras.utils.to_categorical(job.dataset.y_train[rows], len(job.dataset.classes))
    found = kernels.at_start(job.network, job.dataset.x_train[rows], targets)
    return [Start(name, *map(records.finite, spreads)) for name, *spreads in found]


def _at_found_rate(
    job: Job, phase: dict[str, Any], model: keras.Model, inputs: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
    """The phase at its multiple of the rate that a range test finds; the test is charged."""
    job.tell({"event": "stage", "text": "testing learning rates"})
    started = time.perf_counter()
    classes, seed = len(job.dataset.classes), job.run.seed
    found = range_test(model, phase, inputs, labels, classes, seed, job.runtime)
    job.range_test = found
    job.seconds.setup += time.perf_counter() - started
    return phase | {"learning_rate": phase["learning_rate"] * found.chosen}


def _train(job: Job, phase: dict[str, Any]) -> None:
    """Train one phase, on kept features of what stays frozen in it."""
    part, count = phase["trainable"], phase.get("blocks", 0)
    adapt.set_trainable(job.network, part, count)
    lower, upper = adapt.halves(job.network, part, count)
    rows, images, seed = job.rows, job.dataset.x_train, job.run.seed
    if lower is None:
        train, validation = images[rows.train], images[rows.validation]
        names = phase["augment"]
    else:
        train = extracted_views(job, lower, rows.train, phase.get("views", ["original"]))
        validation = extracted(job, lower, "train", images, rows.validation)
        names = []

    labels = job.dataset.y_train[rows.train]
    kernels.penalise(upper, phase.get("l1", 0.0), phase.get("l2", 0.0))
    if phase.get("found_rate"):
        phase = _at_found_rate(job, phase, upper, train[: len(labels)], labels)
    job.tell({"event": "phase", "name": phase["name"], "epochs": phase["epochs"]})
    # Set before training: a phase that diverges is the one that is tested and charged.
    job.last = (phase, lower, upper)
    fit(
        upper,
        phase,
        (train, labels),
        (validation, job.dataset.y_train[rows.validation]),
        classes=len(job.dataset.classes),
        seed=seed,
        runtime=job.runtime,
        result=job.result,
        tell=lambda epoch: job.tell({"event": "epoch", **records.plain(epoch)}),
        augment=names,
        rates=_rates(job, phase),
    )


def _rates(job: Job, phase: dict[str, Any]) -> dict[str, float] | None:
    """What each variable's learning rate is multiplied by, by its path."""
    decay = phase.get("rate_decay", 1.0)
    if decay == 1.0:
        return None
    return {path: decay**depth for path, depth in adapt.depths(job.network).items()}


def _test_logits(job: Job) -> np.ndarray:
    """Logits float32 [n, classes] of the test images, by the way the last phase was trained."""
    images = job.dataset.x_test
    if job.last is None:
        return np.full((len(images), len(job.dataset.classes)), np.nan, np.float32)
    phase, lower, upper = job.last
    inputs, names = images, phase.get("views_at_test", ["original"])
    if lower is not None:
        inputs, names = extracted(job, lower, "test", images), ["original"]
    started = time.perf_counter()
    each = [predict(upper, VIEWS[name](inputs)) for name in names]
    job.flops += flops.forward(upper) * len(names) * len(images)
    job.seconds.evaluate += time.perf_counter() - started
    return np.mean(each, axis=0)
