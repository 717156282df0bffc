"""From a run that has ended to its record."""

from __future__ import annotations

import hashlib
import math

from comparisons import records
from comparisons.data import Dataset, Subset
from comparisons.extraction import weights_digest
from comparisons.job import Job
from comparisons.records import Adapters, Data, Flops, Parameters, Record, Weights
from comparisons.runtime import environment, peak_memory
from models import catalog, flops, lora


def record_of(job: Job, date: str, error: str | None, test: records.Test | None) -> Record:
    """The record of a run: `error` says why it diverged, `date` when it started."""
    plan, network, dataset = job.run, job.network, job.dataset
    return Record(
        schema=records.SCHEMA,
        id=plan.id,
        arm=plan.arm,
        model=job.arm.model_name,
        strategy=job.arm.strategy_name,
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
        source=job.source,
        adapters=_adapters(job),
        range_test=job.range_test,
        at_start=job.at_start,
        best_epoch=job.result.best_epoch,
        seconds=job.seconds,
        parameters=Parameters(
            total=network.whole.count_params(),
            trainable=sum(math.prod(v.shape) for v in network.whole.trainable_variables),
        ),
        flops=Flops(
            forward_per_image=flops.forward(network.backbone) + flops.forward(network.head),
            total=job.flops + (job.source.flops if job.source else 0),
        ),
        images_seen=sum(epoch.images_seen for epoch in job.result.epochs),
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


def _weights(job: Job) -> Weights:
    if job.weights is None:
        return Weights(origin="random")
    digest = hashlib.sha256(job.weights.read_bytes()).hexdigest()
    if job.source:
        return Weights(f"{job.source.data.name}: trained in this run", digest)
    upstream = catalog.upstream(job.arm.model)
    return Weights(f"{upstream['dataset']}: {job.weights.name}", digest, upstream)


def _adapters(job: Job) -> Adapters | None:
    if not job.network.adapted:
        return None
    held, full = lora.held_bytes(job.network.adapted)
    return Adapters(job.arm.value or 0, job.arm.strategy.bits, held, full)
