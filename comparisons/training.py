"""run(): from a settled plan and a data set to a record."""

from __future__ import annotations

import datetime
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from comparisons import arms, engines, evaluation, features, records
from comparisons.data import Dataset, Subset, split
from comparisons.fitting import EVALUATION_BATCH, Diverged, Fit, fit
from comparisons.plan import Run
from comparisons.records import Data, Flops, Parameters, Record, Seconds, Weights
from comparisons.runtime import Runtime, environment, peak_memory, versions
from models import adapt, catalog, flops

Tell = Callable[[dict[str, Any]], None]


@dataclass
class _Job:
    """What the steps of one run share."""

    run: Run
    arm: arms.Arm
    dataset: Dataset
    rows: Subset
    network: adapt.Network
    runtime: Runtime
    tell: Tell
    seconds: Seconds = field(default_factory=Seconds)
    result: Fit = field(default_factory=Fit)
    notices: list[str] = field(default_factory=list)
    engine: str | None = None
    extract: engines.Extract | None = None
    weights_hash: str | None = None


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
    job = _set_up(plan, dataset, runtime, tell)
    job.seconds.setup = time.perf_counter() - started
    error = None
    try:
        for phase in plan.phases:
            _train(job, phase)
    except Diverged as reason:
        error = str(reason)
    job.seconds.compile = job.result.compile_seconds
    job.seconds.train = sum(epoch.seconds for epoch in job.result.epochs)
    error = error or never_left_chance(job.result, dataset.y_train[job.rows.train])
    tell({"event": "stage", "text": "testing"})
    logits = _test_logits(job)
    test = None
    if np.isfinite(logits).all():
        test = evaluation.test_metrics(logits, dataset)
    job.seconds.total = time.perf_counter() - started
    # The record first: it says whether the code is as committed, which a new file may change.
    record = _record(job, date, error, test)
    if plan.save_base and record.status == "ok":
        adapt.save_base(job.network, Path(plan.save_base))
    return record, logits.astype(np.float16) if test else None


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


def _set_up(plan: Run, dataset: Dataset, runtime: Runtime, tell: Tell) -> _Job:
    arm = arms.parse(plan.arm)
    options = dict(arm.options)
    path = catalog.weights_file(arm.model, options) if arm.strategy.pretrained else None
    keras.utils.set_random_seed(plan.seed)
    with runtime.scope():
        network = adapt.build(arm.model, options, dataset.image_shape, len(dataset.classes), path)
    rows = split(dataset.y_train, plan.seed, plan.train_size)
    network.prepare(dataset.x_train[rows.train])
    job = _Job(plan, arm, dataset, rows, network, runtime, tell)
    if path:
        job.weights_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    return job


def _train(job: _Job, phase: dict[str, Any]) -> None:
    """Train one phase, on cached features where only the head trains."""
    adapt.set_trainable(job.network, phase["trainable"])
    rows, labels = job.rows, job.dataset.y_train
    if phase["trainable"] == "head":
        model, inputs = job.network.head, _cached(job, "train", job.dataset.x_train, rows)
        train, validation = inputs[: len(rows.train)], inputs[len(rows.train) :]
    else:
        model = job.network.whole
        train = job.dataset.x_train[rows.train]
        validation = job.dataset.x_train[rows.validation]
    job.tell({"event": "phase", "name": phase["name"], "epochs": phase["epochs"]})
    fit(
        model,
        phase,
        (train, labels[rows.train]),
        (validation, labels[rows.validation]),
        classes=len(job.dataset.classes),
        seed=job.run.seed,
        runtime=job.runtime,
        result=job.result,
        tell=lambda epoch: job.tell({"event": "epoch", **_plain(epoch)}),
    )
    job.seconds.evaluate = job.result.evaluate_seconds


def _cached(job: _Job, part: str, images: np.ndarray, rows: Subset | None) -> np.ndarray:
    """Features of a part of the data from the cache, what is missing computed now."""
    wanted = (
        np.arange(len(images)) if rows is None else np.concatenate([rows.train, rows.validation])
    )
    job.engine = job.engine or engines.choose(job.run.settings["engine"], job.runtime)
    job.tell({"event": "stage", "text": f"features of the {part} images"})
    try:
        found = _features(job, job.engine, part, images, wanted)
    except engines.EngineRefused as refusal:
        job.notices.append(str(refusal))
        job.engine = "keras"
        found = _features(job, job.engine, part, images, wanted)
    if found.note and found.note not in job.notices:
        job.notices.append(found.note)
    job.seconds.extract += found.seconds
    job.seconds.extract_cold += found.cold_seconds
    return found.values


def _features(
    job: _Job, engine: str, part: str, images: np.ndarray, wanted: np.ndarray
) -> features.Features:
    backbone = job.network.backbone
    key = {
        "base": job.arm.model_name,
        "weights": weights_digest(backbone),
        "data": job.dataset.fingerprint,
        "part": part,
        "view": "original",
        "precision": job.runtime.precision,
        "engine": engine,
        "versions": versions(),
        "backend": job.runtime.backend,
    }
    return features.get(
        key,
        wanted,
        images,
        lambda first: _extractor(job, engine, first),
        lambda done, total: job.tell(
            {"event": "extract", "part": part, "done": done, "total": total}
        ),
    )


def _extractor(job: _Job, engine: str, first: np.ndarray) -> engines.Extract:
    """The run's engine: built and checked when it is first needed, once for all parts."""
    if job.extract is None:
        job.extract = engines.checked(engine, job.network.backbone, first)
    return job.extract


def _test_logits(job: _Job) -> np.ndarray:
    """Logits float32 [n, classes] of the test images, by the way the last phase was trained."""
    images = job.dataset.x_test
    last = job.run.phases[-1]
    if last["trainable"] == "head":
        inputs = _cached(job, "test", images, None)
        started = time.perf_counter()
        logits = job.network.head.predict(inputs, batch_size=EVALUATION_BATCH, verbose=0)
    else:
        started = time.perf_counter()
        predict = job.network.whole.predict
        logits = predict(images, batch_size=EVALUATION_BATCH, verbose=0)
        if last["flip_at_test"]:
            mirrored = np.ascontiguousarray(images[:, :, ::-1])
            logits = (logits + predict(mirrored, batch_size=EVALUATION_BATCH, verbose=0)) / 2
    job.seconds.evaluate += time.perf_counter() - started
    return np.asarray(logits, np.float32)


def weights_digest(model: keras.Model) -> str:
    """A hash of all weights of a network, in order; 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _record(job: _Job, date: str, error: str | None, test: records.Test | None) -> Record:
    plan, network, dataset = job.run, job.network, job.dataset
    seen = sum(epoch.images_seen for epoch in job.result.epochs)
    return Record(
        schema=records.SCHEMA,
        id=plan.id,
        arm=plan.arm,
        model=job.arm.model_name,
        strategy=job.arm.strategy.name,
        seed=plan.seed,
        train_size=plan.train_size,
        settings=plan.settings,
        status="diverged" if error else "ok",
        error=error,
        notices=[*plan.notices, *job.notices],
        data=describe(dataset, job.rows),
        weights=_weights(job),
        phases=plan.phases,
        history=job.result.epochs,
        test=test,
        seconds=job.seconds,
        parameters=Parameters(
            total=network.whole.count_params(),
            trainable=sum(math.prod(v.shape) for v in network.whole.trainable_variables),
        ),
        flops=_flops(job, seen),
        images_seen=seen,
        peak_memory=peak_memory(),
        engine=job.engine,
        base_digest=weights_digest(network.backbone),
        started=date,
        environment=environment(job.runtime) | {"command": plan.command},
    )


def describe(dataset: Dataset, rows: Subset) -> Data:
    """What a record says of the data."""
    return Data(
        name=dataset.name,
        synthetic=dataset.synthetic,
        complete=dataset.complete,
        fingerprint=dataset.fingerprint,
        sizes={
            "train": len(rows.train),
            "validation": len(rows.validation),
            "test": len(dataset.x_test),
        },
        classes=list(dataset.classes),
        note=dataset.note,
    )


def _weights(job: _Job) -> Weights:
    if not job.arm.strategy.pretrained:
        return Weights(origin="random")
    options = dict(job.arm.options)
    upstream = catalog.upstream(job.arm.model)
    file = catalog.weights_file(job.arm.model, options)
    return Weights(f"{upstream['dataset']}: {file.name}", job.weights_hash, upstream)


def _flops(job: _Job, seen: int) -> Flops:
    """The forward pass of one image, and all of the run: extraction, training, evaluation."""
    whole = flops.forward(job.network.backbone) + flops.forward(job.network.head)
    head = flops.forward(job.network.head)
    held_out = len(job.rows.validation) * len(job.result.epochs)
    tested = len(job.dataset.x_test)
    if job.run.phases[-1]["trainable"] == "head":
        images = len(job.rows.train) + len(job.rows.validation) + tested
        total = (whole - head) * images + head * (flops.TRAINING_FACTOR * seen + held_out + tested)
    else:
        views = 2 if job.run.phases[-1]["flip_at_test"] else 1
        total = whole * (flops.TRAINING_FACTOR * seen + held_out + views * tested)
    return Flops(forward_per_image=whole, total=total)


def _plain(epoch: records.Epoch) -> dict[str, Any]:
    return {name: getattr(epoch, name) for name in epoch.__struct_fields__}
