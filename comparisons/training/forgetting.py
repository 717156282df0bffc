"""What a base forgets of its source task when it moves, and how far each of its blocks moves."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from comparisons.core.records import Forgetting, Moved
from comparisons.data import DATASETS, available, prepare, split
from comparisons.training.building import change_of
from comparisons.training.evaluation import source_accuracy
from comparisons.training.job import Job
from models import adapt, lora
from models.adapt import Network
from models.blocks import Block
from models.prediction import predict

FITTED, TESTED = 4000, 2000  # source images: for the probe, and to try it on
RIDGE = 1e-2  # relative to the features' own mean square


def watched(job: Job, before: Network) -> tuple[Forgetting | None, list[Moved]]:
    """What the base has forgotten of its source task, and how far each block has moved."""
    return _forgotten(job, before), _moved(job, before)


def as_it_was(job: Job) -> Network:
    """The network with its base as it was before it trained.

    Built once more after the run, so that nothing is held for this while the network trains.
    """
    classes, shape = len(job.dataset.classes), job.dataset.image_shape
    with job.runtime.scope():
        return adapt.build(
            job.arm.model, shape, classes, job.weights, change_of(job.arm, job.run.phases)
        )


def _forgotten(job: Job, before: Network) -> Forgetting | None:
    name = _source_name(job)
    # Only what is here already: watching must not download anything.
    if name not in DATASETS or not available(name, job.data_dir):
        return None
    source = prepare(name, job.data_dir)
    if source.image_shape != job.dataset.image_shape:
        return None
    rows = split(source.y_train, job.run.seed).train[:FITTED]
    known = _features(before.backbone, source.x_train[rows])
    probe = fit_probe(known, source.y_train[rows], len(source.classes))
    then, now = (
        source_accuracy(probed(probe, _features(backbone, source.x_test[:TESTED])), source)
        for backbone in (before.backbone, job.network.backbone)
    )
    return Forgetting(source.name, min(TESTED, len(source.x_test)), then, now)


def fit_probe(known: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """A linear classifier by ridge regression on one-hot labels: [features + 1, classes].

    `known` is [n, features]. In closed form: the same features give the same probe.
    """
    inputs = _with_one(known)
    gram = inputs.T @ inputs
    penalty = RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram + penalty, inputs.T @ np.eye(classes)[labels])


def probed(probe: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The class that a probe reads off each of the features [n, features]; -1 for no numbers."""
    if not np.isfinite(known).all():
        return np.full(len(known), -1)
    return (_with_one(known) @ probe).argmax(axis=1)


def _moved(job: Job, before: Network) -> list[Moved]:
    adapters = {one.layer.name: one for one in job.network.adapted}
    moved = []
    for block, then in zip(job.network.blocks, before.blocks, strict=True):
        if adapters:
            # A block without adapters stays where it is.
            own = [adapters[layer.name] for layer in block.layers if layer.name in adapters]
            length = sum(_square(one.original) for one in own) or 1.0
            way = sum(_square(lora.change(one)) for one in own)
        else:
            pairs = [map(np.array, pair) for pair in zip(_own(block), _own(then), strict=True)]
            length = way = 0.0
            for now, old in pairs:
                length, way = length + _square(old), way + _square(now - old)
        if length and np.isfinite(way):
            moved.append(Moved(block.name, float(np.sqrt(way / length))))
    return moved


def _own(block: Block) -> list[Any]:
    """A block's weights, without the statistics of normalisation: these are no weights, and large
    ones would hide how far the others went."""
    return [weight for weight in block.weights if "moving_" not in weight.name]


def _square(values: np.ndarray) -> float:
    """The sum of squares, in float64."""
    return float(np.square(values, dtype=np.float64).sum())


def _features(backbone: keras.Model, images: np.ndarray) -> np.ndarray:
    return predict(backbone, images).astype(np.float64)


def _with_one(known: np.ndarray) -> np.ndarray:
    return np.concatenate([known.astype(np.float64), np.ones((len(known), 1))], axis=1)


def _source_name(job: Job) -> str:
    return job.source.data.name if job.source else (job.arm.model.source or "")
