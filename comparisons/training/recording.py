"""From a run that has ended to its record."""

from __future__ import annotations

import math

import msgspec

from comparisons.core import records
from comparisons.core.files import digest
from comparisons.core.records import Adapters, Flops, Parameters, Record, Weights
from comparisons.training.device import environment
from comparisons.training.extraction import weights_digest
from comparisons.training.job import Job
from models import flops, lora


def record_of(job: Job, error: str | None, test: records.Test | None) -> Record:
    """The record of a run: `error` says why it diverged."""
    run, network, dataset = job.run, job.network, job.dataset
    return Record(
        schema=records.SCHEMA,
        id=run.id,
        arm=run.arm,
        model=job.arm.model_name,
        strategy=job.arm.strategy_name,
        seed=run.seed,
        train_size=run.train_size,
        settings=run.settings,
        status="diverged" if error else "ok",
        error=error,
        notices=[*run.notices, *job.notices],
        data=dataset.described(job.rows),
        weights=_weights(job),
        phases=run.phases,
        history=job.result.epochs,
        test=test,
        source=job.source,
        adapters=_adapters(job),
        range_test=job.range_test,
        at_start=job.at_start,
        best_epoch=job.result.best_epoch,
        chosen_on=job.chosen_on,
        penalty=job.penalty,
        continued=job.checkpoint.continued,
        kept_costs=job.kept_costs,
        parameters=Parameters(
            total=network.whole.count_params(),
            trainable=sum(math.prod(v.shape) for v in network.whole.trainable_variables),
        ),
        flops=Flops(
            forward_per_image=flops.forward(network.backbone) + flops.forward(network.head),
            total=job.flops + job.result.flops + (job.source.flops if job.source else 0),
        ),
        images_seen=sum(epoch.images_seen for epoch in job.result.epochs),
        peak_memory=job.checkpoint.peak_memory(),
        engine=job.engine,
        base_digest=weights_digest(network.backbone),
        started=job.checkpoint.started,
        neighbours=job.checkpoint.neighbours(),
        environment=environment(job.runtime, run.command),
    )


def _weights(job: Job) -> Weights:
    if job.weights is None:
        return Weights(origin="random")
    if job.source:
        return Weights(f"{job.source.data.name}: trained in this run", digest(job.weights))
    upstream = job.arm.model.upstream
    assert upstream is not None
    # A SavedModel lies in a folder, which the record does not name, and says nothing of its data.
    name = job.arm.model_name if job.weights.is_dir() else job.weights.name
    origin = ": ".join(filter(None, (upstream.dataset, name)))
    return Weights(origin, digest(job.weights), msgspec.structs.asdict(upstream))


def _adapters(job: Job) -> Adapters | None:
    if not job.network.adapted:
        return None
    held, full = lora.held_bytes(job.network.adapted)
    return Adapters(job.arm.value or 0, job.arm.strategy.bits, held, full)
