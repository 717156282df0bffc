"""Features of what stays frozen in a phase: from the cache, what is missing computed now."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any, Literal

import keras
import msgspec
import numpy as np

from comparisons.core.errors import ComparisonError
from comparisons.core.events import Features, Stage
from comparisons.core.machine import cores, versions
from comparisons.core.phases import Part
from comparisons.data.views import VIEWS
from comparisons.training import features
from comparisons.training.device import Runtime
from comparisons.training.job import Job
from models import engines, flops

AFTER_FROZEN: tuple[Part, ...] = ("head", "last", "new")  # what trains on kept features
# What features are for; validation images are some of the training split.
Purpose = Literal["train", "validation", "test", "robustness"]
# What such images are called, and the part of the bill that their features are on.
PURPOSES: dict[Purpose, tuple[str, str]] = {
    "train": ("train", "extract_train"),
    "validation": ("validation", "extract_validation"),
    "test": ("test", "extract_test"),
    "robustness": ("corrupted test", "robustness"),
}


def extracted(
    job: Job,
    lower: keras.Model,
    purpose: Purpose,
    images: np.ndarray,
    wanted: np.ndarray | None = None,
    view: str = "original",
) -> np.ndarray:
    """Features of `images[wanted]` (default: all) through `lower`, one for each image.

    `purpose` says what the features are for, and so which images of the data set these are and
    what they are charged to; `view` is a row of comparisons.data.views.VIEWS.
    """
    wanted = np.arange(len(images)) if wanted is None else wanted
    job.engine = job.engine or choose(job.run.settings.engine, job.runtime)
    job.tell(Stage(f"features of the {PURPOSES[purpose][0]} images"))
    try:
        found = _features(job, lower, job.engine, purpose, images, wanted, view)
    except engines.EngineRefused as refusal:
        job.notices.append(str(refusal))
        job.engine = "keras"
        found = _features(job, lower, job.engine, purpose, images, wanted, view)
    if found.note and found.note not in job.notices:
        job.notices.append(found.note)
    if found.kept:
        job.kept_costs = job.kept_costs.joined(found.kept) if job.kept_costs else found.kept
    if lower not in job.prepared:
        # Found ready, all of them: an empty cache would have asked for the engine as well.
        job.prepared[lower] = found.prepared
        job.clock.save("setup", found.prepared)
    done = flops.forward(lower) * len(wanted)
    job.flops += done
    if purpose == "train":
        job.result.learnt += done
    return found.values


def extracted_views(
    job: Job, lower: keras.Model, wanted: np.ndarray, views: Sequence[str]
) -> np.ndarray:
    """Features of training images, every view of them, laid one view after the other."""
    images, shape = job.dataset.x_train, lower.output_shape[1:]
    if len(views) == 1:
        return extracted(job, lower, "train", images, wanted, views[0])
    # Made at once and filled, so that one view alone is ever held twice.
    together = np.empty((len(views), len(wanted), *shape), _dtype(shape))
    for place, view in zip(together, views, strict=True):
        place[:] = extracted(job, lower, "train", images, wanted, view)
    return together.reshape(-1, *shape)


def weights_digest(model: keras.Model) -> str:
    """A hash of all weights of a network, in order; 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _features(
    job: Job,
    lower: keras.Model,
    engine_name: str,
    purpose: Purpose,
    images: np.ndarray,
    wanted: np.ndarray,
    view: str,
) -> features.Features:
    shape, clock, pool = lower.output_shape[1:], job.clock, job.dataset.pool
    part = _part(job, purpose, images)
    if pool and purpose != "robustness":
        # The same features serve every seed, whatever each of them tests on.
        rows = pool.test if purpose == "test" else pool.train
        images, wanted, part = pool.images, rows[wanted], "all"
    key: dict[str, Any] = {
        "base": job.arm.model_name,
        "output": shape,
        "weights": weights_digest(lower),
        "data": job.dataset.fingerprint,
        "part": part,
        "view": view,
        "precision": job.runtime.precision,
        "engine": engine_name,
        "versions": versions(),
        "backend": job.runtime.backend,
    }

    if place := job.run.settings.base:
        key["place"] = msgspec.to_builtins(place)  # a SavedModel may hold its weights as constants

    step = PURPOSES[purpose][1]

    def engine(first: np.ndarray) -> features.Engine:
        # Built and checked when it is first needed, once for all parts and views. Where learning
        # found all of its own ready, and was charged with the engine as with an empty cache, it
        # is needed for measuring alone.
        if lower not in job.extract:
            part = step if lower in job.prepared else "setup"
            begun = clock.spent(part)
            with clock.charge(part):
                job.extract[lower] = engines.checked(
                    engine_name, lower, VIEWS[view](first), cores()
                )
            job.prepared.setdefault(lower, clock.spent(part) - begun)
        return features.Engine(
            lambda batch: job.extract[lower](VIEWS[view](batch)), job.prepared[lower]
        )

    before = clock.spent(step)
    with clock.charge(step):
        found = features.get(
            key,
            wanted,
            images,
            engine,
            lambda done, total: job.tell(Features(purpose, done, total)),
            _dtype(shape),
            job.run.since,
        )
    clock.save(step, found.cost - (clock.spent(step) - before))
    return found


def _part(job: Job, purpose: Purpose, images: np.ndarray) -> str:
    """Which images of a data set these are, in the cache, whose rows count from 0 in each part.

    Some of the test images are a part of their own, as their rows name other images than those
    of all; corrupted ones are told by what they look like, so that no feature of theirs is ever
    taken for one of the image as it is.
    """
    if purpose == "robustness":
        content = hashlib.blake2b(np.ascontiguousarray(images).data, digest_size=16)
        return f"corrupted {content.hexdigest()}"
    some = job.run.settings.test_on
    if purpose == "test":
        return "test" if some is None else f"test {some}"
    return "train"


def _dtype(shape: tuple[int, ...]) -> type[np.floating]:
    """Vectors are kept as float32, maps as float16, which halves what they take."""
    return np.float16 if len(shape) > 1 else np.float32


def load(asked: str, runtime: Runtime) -> None:
    """Import what the engine needs: no run is to be charged for that.

    Raises ComparisonError like `choose`.
    """
    if choose(asked, runtime) == "openvino":
        importlib.import_module("openvino")


def choose(asked: str, runtime: Runtime) -> str:
    """The engine to try first: the fastest that is installed, or the one asked for.

    Raises ComparisonError when the one asked for cannot run here.
    """
    if asked != "auto":
        if asked == "openvino" and importlib.util.find_spec("openvino") is None:
            raise ComparisonError("--engine openvino: install it with `pip install openvino`")
        if asked != "keras" and runtime.backend != "tensorflow":
            raise ComparisonError(f"--engine {asked} cannot run on the {runtime.backend} backend")
        return asked
    if runtime.kind != "cpu" or runtime.backend != "tensorflow":
        return "keras"
    return "openvino" if importlib.util.find_spec("openvino") else "tensorflow"
