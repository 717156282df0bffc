"""One phase of a job: what stays frozen in it is computed once, the rest is trained."""

from __future__ import annotations

import math

import keras
import msgspec
import numpy as np

from comparisons.core import balance, events
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import memory
from comparisons.core.phases import Phase
from comparisons.core.predictions import softmax
from comparisons.core.records import Epoch
from comparisons.core.samples import ON_SHOW, choose
from comparisons.training.continuing import Keeper
from comparisons.training.extraction import extracted, extracted_views
from comparisons.training.fitting import choosing, fit
from comparisons.training.job import Job, Trained
from comparisons.training.linear_probe import LBFGS, Examples, fit_probe
from comparisons.training.range_test import range_test
from models import adapt, flops, kernels
from models.prediction import predict

COPIES = 2  # of the training images in memory: as they are dealt, and as an epoch has them


def train_phase(job: Job, phase: Phase) -> None:
    """Train one phase on the job's images, on kept features of what stays frozen in it.

    Raises comparisons.training.fitting.Diverged, after `job.last` says what was trained, and
    ComparisonError for images that memory does not hold.
    """
    adapt.set_trainable(job.network, phase.trainable, phase.blocks)
    keeper = Keeper(job, phase)
    keeper.restore_network()
    lower, upper = adapt.halves(job.network, phase.trainable, phase.blocks)
    rows, images = job.rows, job.dataset.x_train
    if lower is None:
        _must_fit(len(rows.train), len(rows.validation), images.shape[1:])
        train, validation = images[rows.train], images[rows.validation]
        names = phase.augment
    else:
        train = extracted_views(job, lower, rows.train, phase.views)
        validation = extracted(job, lower, "validation", images, rows.validation)
        names = ()
    labels = job.dataset.y_train[rows.train]
    _scale(job, train if lower is job.network.backbone else None)
    kernels.penalise(upper, phase.l1, phase.l2)
    if phase.found_rate:
        phase = _at_found_rate(job, phase, upper, train[: len(labels)], labels)
    few = choosing(len(rows.train), len(rows.validation))
    if phase.patience:
        job.chosen_on = few
    job.tell(events.Phase(phase.name, phase.epochs))
    # Set before training: a phase that diverges is the one that is tested and charged.
    job.last = Trained(phase, lower, upper, np.array(validation[:few]))
    if phase.optimizer == LBFGS:
        _probe(job, phase, train, labels, validation)
        if job.run.settings.live:
            _answer(job, upper, _shown(job, validation))
        return
    shown = _shown(job, validation) if job.run.settings.live else None

    def tell(epoch: Epoch) -> None:
        job.tell(events.Epoch(epoch))
        if shown is not None and epoch.val_loss is not None:
            _answer(job, upper, shown)

    fit(
        upper,
        phase,
        (train, labels),
        (validation, job.dataset.y_train[rows.validation]),
        classes=len(job.dataset.classes),
        seed=job.run.seed,
        runtime=job.runtime,
        result=job.result,
        clock=job.clock,
        tell=tell,
        before_epoch=job.control.before_epoch,
        keeper=keeper,
        augment=names,
        rates=_rates(job, phase),
    )


def _must_fit(train: int, validation: int, shape: tuple[int, ...]) -> None:
    """Raise ComparisonError where images, training ones COPIES times, are more than memory.

    Said before the first epoch: a process that takes too much is killed, and says nothing.
    """
    needed, there = (COPIES * train + validation) * math.prod(shape), memory()
    if there and needed > there:
        raise ComparisonError(
            f"{train:,} training images of {shape[1]}x{shape[0]} pixels take "
            f"{needed / 1e9:.1f} GB as they are trained on, and this machine has "
            f"{there / 1e9:.1f} GB: name fewer by --train-size, or freeze the base"
        )


def _shown(job: Job, validation: np.ndarray) -> np.ndarray:
    """Of what the validation images are to the part that trains, those that people are shown."""
    return np.array(validation[choose(job.dataset.y_train[job.rows.validation], ON_SHOW)])


def _answer(job: Job, upper: keras.Model, shown: np.ndarray) -> None:
    """Tell what the network says of the pictures on show, as it is now; nobody is charged."""
    with job.clock.charge("watch"):
        job.tell(events.Answers(softmax(predict(upper, shown)).tolist()))


SCALED_BY = 1024  # training images whose features say how large features are


def _scale(job: Job, features: np.ndarray | None) -> None:
    """Bring the base's features to one scale before the head first meets them.

    `features` of the training images where they are at hand; else some are computed.
    """
    scale = job.network.scale
    if scale is None or job.scaled:
        return
    if features is None:
        features = predict(job.network.backbone, job.dataset.x_train[job.rows.train[:SCALED_BY]])
    scale.fit(features[:SCALED_BY])
    job.scaled = True


def _probe(
    job: Job, phase: Phase, features: np.ndarray, labels: np.ndarray, validation: np.ndarray
) -> None:
    """Train the head, which is a single layer, as a penalised logistic regression."""
    scale, logits = job.network.scale, job.network.head.layers[-1]
    size = float(np.asarray(scale.size)) if scale else 1.0
    classes, held_out = len(job.dataset.classes), job.rows.validation
    weights = balance.weights(labels, classes) if phase.class_weights else None
    solved, job.penalty = fit_probe(
        Examples(features / np.float32(size), labels, classes, weights),
        Examples(validation / np.float32(size), job.dataset.y_train[held_out], classes),
        phase,
        job.result,
        job.clock,
        lambda epoch: job.tell(events.Epoch(epoch)),
    )
    logits.set_weights([solved[:-1], solved[-1]])
    job.chosen_on = choosing(len(labels), len(held_out))


def _at_found_rate(
    job: Job, phase: Phase, model: keras.Model, inputs: np.ndarray, labels: np.ndarray
) -> Phase:
    """The phase at its multiple of the rate that a range test finds; the test is charged."""
    found = job.range_test if Keeper(job, phase).found else None
    if found is None:
        job.tell(events.Stage("testing learning rates"))
        classes, seed = len(job.dataset.classes), job.run.seed
        found = range_test(model, phase, inputs, labels, classes, seed, job.runtime)
        a_pass = math.ceil(len(inputs) / phase.batch_size)
        shown = round(len(inputs) * len(found.rates) / a_pass)
        job.result.learn(flops.TRAINING_FACTOR * flops.forward(model) * shown)
    job.range_test = found
    return msgspec.structs.replace(phase, learning_rate=phase.learning_rate * found.chosen)


def _rates(job: Job, phase: Phase) -> dict[str, float] | None:
    """What each variable's learning rate is multiplied by, by its path."""
    if phase.rate_decay == 1.0:
        return None
    return {path: phase.rate_decay**depth for path, depth in adapt.depths(job.network).items()}
