"""What a base forgets of its source task when it moves, and how far each of its blocks moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from comparisons.core.records import Forgetting, Moved
from comparisons.data import DATASETS, available, prepare, split
from comparisons.data.dataset import Dataset
from comparisons.training.evaluation import source_accuracy
from comparisons.training.job import Job
from models import lora
from models.blocks import Block
from models.prediction import predict

FITTED, TESTED = 4000, 2000  # source images: for the probe, and to try it on
RIDGE = 1e-2  # relative to the features' own mean square


@dataclass
class Memory:
    """A base as it was: its weights by block, and a probe of its source task where that is here.

    `probe` float64 [features + 1, classes] reads the features of `source`'s test images.
    """

    blocks: list[tuple[str, list[np.ndarray]]]
    source: Dataset | None = None
    probe: np.ndarray | None = None
    before: float = 0.0


def remember(job: Job) -> Memory:
    """Take down a base before it moves, and fit a linear probe of its source task."""
    memory = Memory([(b.name, [np.array(w) for w in _own(b)]) for b in job.network.blocks])
    name = _source_name(job)
    # Only what is here already: watching must not download anything.
    if name in DATASETS and available(name, job.data_dir):
        source = prepare(name, job.data_dir)
        if source.image_shape == job.dataset.image_shape:
            rows = split(source.y_train, job.run.seed).train[:FITTED]
            known = _features(job.network.backbone, source.x_train[rows])
            memory.source = source
            memory.probe = fit_probe(known, source.y_train[rows], len(source.classes))
            memory.before = _accuracy(job, memory)
    return memory


def compare(job: Job, memory: Memory) -> tuple[Forgetting | None, list[Moved]]:
    """What the base knows of its source task now, and how far each block has moved."""
    forgotten = None
    if memory.source is not None:
        tested = min(TESTED, len(memory.source.x_test))
        after = _accuracy(job, memory)
        forgotten = Forgetting(memory.source.name, tested, memory.before, after)
    return forgotten, _moved(job, memory)


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


def _moved(job: Job, memory: Memory) -> list[Moved]:
    adapters = {one.layer.name: one for one in job.network.adapted}
    moved = []
    for block, (name, before) in zip(job.network.blocks, memory.blocks, strict=True):
        if adapters:
            # A block without adapters stays where it is.
            own = [adapters[layer.name] for layer in block.layers if layer.name in adapters]
            length = sum(_square(one.original) for one in own) or 1.0
            way = sum(_square(lora.change(one)) for one in own)
        else:
            length = sum(_square(weight) for weight in before)
            pairs = zip(_own(block), before, strict=True)
            way = sum(_square(np.array(now) - then) for now, then in pairs)
        if length and np.isfinite(way):
            moved.append(Moved(name, float(np.sqrt(way / length))))
    return moved


def _own(block: Block) -> list[Any]:
    """A block's weights, without the statistics of normalisation: these are no weights, and large
    ones would hide how far the others went."""
    return [weight for weight in block.weights if "moving_" not in weight.name]


def _square(values: np.ndarray) -> float:
    """The sum of squares, in float64."""
    return float(np.square(values, dtype=np.float64).sum())


def _accuracy(job: Job, memory: Memory) -> float:
    assert memory.source is not None and memory.probe is not None
    known = _features(job.network.backbone, memory.source.x_test[:TESTED])
    return source_accuracy(probed(memory.probe, known), memory.source)


def _features(backbone: keras.Model, images: np.ndarray) -> np.ndarray:
    return predict(backbone, images).astype(np.float64)


def _with_one(known: np.ndarray) -> np.ndarray:
    return np.concatenate([known.astype(np.float64), np.ones((len(known), 1))], axis=1)


def _source_name(job: Job) -> str:
    return job.source.data.name if job.source else (job.arm.model.source or "")
