"""What a trained network answers to test images: as they are, and corrupted."""

from __future__ import annotations

from typing import Literal

import numpy as np

from comparisons.core.events import Stage
from comparisons.data.corruptions import CORRUPTIONS, IMAGES, SEVERITIES, corrupted
from comparisons.data.views import VIEWS
from comparisons.training.evaluation import Corrupted
from comparisons.training.extraction import extracted
from comparisons.training.job import Job
from models import flops
from models.prediction import predict


def answers(
    job: Job, images: np.ndarray, purpose: Literal["test", "robustness"] = "test"
) -> np.ndarray:
    """Logits float32 [n, classes] of images, by the way the last phase was trained.

    `purpose` is the part of the bill that they are charged to. All are NaN where nothing was
    trained.
    """
    if job.last is None:
        return np.full((len(images), len(job.dataset.classes)), np.nan, np.float32)
    upper, lower, names = job.last.upper, job.last.lower, job.last.phase.views_at_test
    if lower is None:
        looks = (VIEWS[name](images) for name in names)
    else:
        looks = (extracted(job, lower, purpose, images, view=name) for name in names)
    with job.clock.charge(purpose):
        each = [predict(upper, look) for look in looks]
    job.flops += flops.forward(upper) * len(names) * len(images)
    return np.mean(each, axis=0)


def to_corrupted(job: Job) -> Corrupted:
    """What the network answers to some test images, the same for every run, in every corruption."""
    job.tell(Stage("testing on corrupted images"))
    with job.clock.charge("robustness"):
        rows = job.dataset.test_rows(IMAGES)
        found = Corrupted(rows)
        for name in CORRUPTIONS:
            for severity in SEVERITIES:
                images = corrupted(job.dataset.x_test[rows], name, severity)
                found.logits[name, severity] = answers(job, images, "robustness")
    return found
