"""One phase of a job: what stays frozen in it is computed once, the rest is trained."""

from __future__ import annotations

import time

import keras
import msgspec
import numpy as np

from comparisons.core import events
from comparisons.core.phases import Phase
from comparisons.training.extraction import extracted, extracted_views
from comparisons.training.fitting import fit
from comparisons.training.job import Job, Trained
from comparisons.training.range_test import range_test
from models import adapt, kernels


def train_phase(job: Job, phase: Phase) -> None:
    """Train one phase on the job's images, on kept features of what stays frozen in it.

    Raises comparisons.training.fitting.Diverged, after `job.last` says what was trained.
    """
    adapt.set_trainable(job.network, phase.trainable, phase.blocks)
    lower, upper = adapt.halves(job.network, phase.trainable, phase.blocks)
    rows, images = job.rows, job.dataset.x_train
    if lower is None:
        train, validation = images[rows.train], images[rows.validation]
        names = phase.augment
    else:
        train = extracted_views(job, lower, rows.train, phase.views)
        validation = extracted(job, lower, "train", images, rows.validation)
        names = ()
    labels = job.dataset.y_train[rows.train]
    kernels.penalise(upper, phase.l1, phase.l2)
    if phase.found_rate:
        phase = _at_found_rate(job, phase, upper, train[: len(labels)], labels)
    if phase.patience:
        job.notices.append(
            f"early stopping chose by {len(rows.validation):,} labelled images, beside the "
            f"{len(rows.train):,} trained on"
        )
    job.tell(events.Phase(phase.name, phase.epochs))
    # Set before training: a phase that diverges is the one that is tested and charged.
    job.last = Trained(phase, lower, upper)
    fit(
        upper,
        phase,
        (train, labels),
        (validation, job.dataset.y_train[rows.validation]),
        classes=len(job.dataset.classes),
        seed=job.run.seed,
        runtime=job.runtime,
        result=job.result,
        tell=lambda epoch: job.tell(events.Epoch(epoch)),
        before_epoch=job.control.before_epoch,
        augment=names,
        rates=_rates(job, phase),
    )


def _at_found_rate(
    job: Job, phase: Phase, model: keras.Model, inputs: np.ndarray, labels: np.ndarray
) -> Phase:
    """The phase at its multiple of the rate that a range test finds; the test is charged."""
    job.tell(events.Stage("testing learning rates"))
    started = time.perf_counter()
    classes, seed = len(job.dataset.classes), job.run.seed
    found = range_test(model, phase, inputs, labels, classes, seed, job.runtime)
    job.range_test = found
    job.seconds.setup += time.perf_counter() - started
    return msgspec.structs.replace(phase, learning_rate=phase.learning_rate * found.chosen)


def _rates(job: Job, phase: Phase) -> dict[str, float] | None:
    """What each variable's learning rate is multiplied by, by its path."""
    if phase.rate_decay == 1.0:
        return None
    return {path: phase.rate_decay**depth for path, depth in adapt.depths(job.network).items()}
