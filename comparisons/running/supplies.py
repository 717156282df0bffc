"""Data and weights: had here, fetched, replaced or refused, before any training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlparse

import numpy as np

from comparisons.core.balance import uneven
from comparisons.core.errors import ComparisonError, unknown
from comparisons.core.events import Error, Event, Stage
from comparisons.data import (
    DATASETS,
    REAL,
    available,
    catalog,
    folder,
    listing,
    prepare,
    splits,
)
from comparisons.data.dataset import Dataset, validation_size
from comparisons.plan import arms
from comparisons.plan.arms import Arm
from comparisons.plan.request import Known
from comparisons.running import internet, process, tasks
from models.catalog import weights_address, weights_file

SUBSTITUTE = "tiny:frozen"
# Who watches over a process that fetches or decodes, and may end it: it gives the same events.
Over = Callable[[process.Worker], Iterable[Event]]


def usual(asked: str) -> str:
    """The data set that is meant, `auto` being CIFAR-10 as long as that can be had."""
    return "cifar10" if asked == "auto" else asked


def dataset(
    asked: str,
    data_dir: Path | None,
    say: Callable[[str], None],
    image_size: int | None = None,
    over: Over | None = None,
) -> tuple[str, Dataset, list[str]]:
    """The data set to use, loaded whole, and the notices that this choice owes to the reader.

    Pictures of a folder are made `image_size` pixels a side. With `over` nothing that takes long is
    done in this process.

    `auto` is CIFAR-10, or `shapes` where that can neither be found nor fetched. A named data
    set never falls back. Raises ComparisonError.
    """
    catalog.must_be_known(asked, "auto")
    name = usual(asked)
    notices = []

    def prepared_apart() -> str | None:
        return _fetch(tasks.Prepare(name, _text(data_dir), image_size), say, over)

    if not available(name, data_dir):
        host = DATASETS[name].host
        problem = None if internet.reachable(host) else f"{host} cannot be reached"
        problem = problem or prepared_apart()
        if problem and asked != "auto":
            raise ComparisonError(
                f"{name} is not here and {problem}: put a TFDS copy under "
                f"{catalog.data_root(data_dir) / name}, or name its folder by --data-dir or "
                "TFDS_DATA_DIR"
            )
        if problem:
            notices.append(
                f"CIFAR-10 is not here and {problem}: this comparison ran on `shapes`, drawn "
                "images, instead; its figures say nothing of photographs"
            )
            name = "shapes"
    # Reading a real one needs a framework; a process of its own leaves this one light.
    apart = (name in REAL or over) and not catalog.is_decoded(name, data_dir, image_size)
    if apart and (problem := prepared_apart()):
        raise ComparisonError(problem)
    loaded = prepare(name, data_dir, say, image_size)
    if loaded.note:
        notices.append(loaded.note)
    return name, loaded, notices


def source(
    asked: str,
    target: str,
    data: Dataset,
    data_dir: Path | None,
    say: Callable[[str], None],
    over: Over | None = None,
) -> Known:
    """What `complete` trains its base on before `target`, fetched if need be.

    `auto` is the usual source of that target; none ever falls back. Raises ComparisonError.
    """
    name = source_name(asked, target)
    _, loaded, _ = dataset(name, data_dir, say, over=over)
    if loaded.image_shape[-1] != data.image_shape[-1]:
        raise ComparisonError(
            f"--source {name}: its images have {loaded.image_shape[-1]} channels, those of "
            f"{data.name} {data.image_shape[-1]}"
        )
    return known(name, loaded)


def source_name(asked: str, target: str) -> str:
    """The name of the source data set. Raises ComparisonError for one that cannot be."""
    name = catalog.USUAL_SOURCE.get(target, catalog.OTHER_SOURCE) if asked == "auto" else asked
    if name not in DATASETS:
        raise unknown("source data set", name, ["auto", *DATASETS])
    if name == target:
        raise ComparisonError(
            f"--source {name} is the target itself: a base must come from other images, such as "
            f"{catalog.USUAL_SOURCE.get(target, catalog.OTHER_SOURCE)}"
        )
    return name


def known(
    name: str,
    data: Dataset,
    classes: Sequence[str] = (),
    tested: Mapping[int, Sequence[int]] = MappingProxyType({}),
) -> Known:
    """What planning knows of a data set that is loaded, of which only `classes` are used.

    `tested` are the rows that each seed tests on, where these differ: then so many images can be
    trained on as are left with every seed.
    """
    most = max(map(len, tested.values()), default=0)
    tests = min(map(len, tested.values()), default=len(data.x_test))
    images = len(data.y_train) - most
    found = _known(name, data.fingerprint, images, tests, classes, data.validation)
    size = data.image_shape[0] if catalog.is_folder(name) else None
    rare = uneven(np.unique_counts(data.y_train).counts)
    return replace(
        found, tested=tested, image_size=size, uneven=rare, class_count=len(data.classes)
    )


def image_size(name: str, wanted: Sequence[Arm] = ()) -> int | None:
    """The pixels a side that pictures of a folder are resized to; None for any other data set.

    The most that a base of these arms takes, but no more than most pictures have.
    """
    if not catalog.is_folder(name):
        return None
    there = folder.usual_side(listing.listing(Path(name)))
    taken = [int(size) for arm in wanted if (size := arm.model.option("size"))]
    most = max(taken, default=folder.USUAL_SIDE)
    return max(folder.SMALLEST_SIDE, min(most, there or most))


def _known(
    name: str,
    fingerprint: str,
    images: int,
    tests: int,
    classes: Sequence[str] = (),
    validation: int = 0,
) -> Known:
    mirrors = DATASETS[name].mirrors if name in DATASETS else True
    most = images - (validation or validation_size(images))
    return Known(name, fingerprint, images, most, tests, mirrors, tuple(classes))


def described(name: str, data_dir: Path | None, classes: Sequence[str] = ()) -> Known:
    """The same by what is known without fetching anything, or reading unless by `classes`.

    Of a data set that was never used its classes are taken to be of one size.
    """
    about = catalog.describe(name, data_dir)
    if about and classes:
        loaded = prepare(name, data_dir).only(classes)
        return known(name, loaded, loaded.classes)
    count, tests = (about.train, about.test) if about else DATASETS[name].sizes
    if not tests:  # each seed will draw some
        tests = count // splits.SHARES
        count -= tests
    if classes:
        some, all_of_them = len(set(classes)), DATASETS[name].classes
        count, tests = count * some // all_of_them, tests * some // all_of_them
    validation = about.validation if about else 0
    found = _known(name, about.fingerprint if about else "", count, tests, classes, validation)
    kinds = len(set(classes)) or len(about.classes if about else ()) or DATASETS[name].classes
    return replace(found, uneven=bool(about and about.uneven), class_count=kinds)


def weights(
    wanted: list[Arm],
    named_by_user: bool,
    say: Callable[[str], None],
    over: Over | None = None,
) -> tuple[list[Arm], list[str]]:
    """The arms whose weights are here or could be fetched, and the notices that this owes.

    Arms of a preset without weights are replaced by `tiny:frozen`; one named by the user never
    is. Raises ComparisonError.
    """
    kept: list[Arm] = []
    notices = []
    for arm in wanted:
        problem = _without_weights(arm, say, over)
        if problem is None:
            kept.append(arm)
        elif named_by_user:
            raise ComparisonError(f"{arm.name} needs {_where_to_put(arm, problem)}")
        else:
            notices.append(
                f"{arm.name} is left out, its weights are not here and {problem}: "
                f"{SUBSTITUTE} stands in for it"
            )
            substitute = arms.parse(SUBSTITUTE)
            if substitute not in kept and substitute not in wanted:
                kept.append(substitute)
    return kept, notices


def base(model: str, say: Callable[[str], None] = print) -> str:
    """The model, or `tiny` where its weights can be neither found nor fetched, which is said."""
    (arm,), notices = weights([arms.parse(f"{model}:frozen")], False, say)
    for notice in notices:
        say(notice)
    return arm.model_name


def _without_weights(arm: Arm, say: Callable[[str], None], over: Over | None) -> str | None:
    """Why an arm's weights cannot be had; None when they can, after fetching them if need be."""
    if not arm.strategy.pretrained or weights_file(arm.model).exists():
        return None
    if arm.model.builder == "tiny":
        return "it belongs to this package"
    host = urlparse(weights_address(arm.model) or "").hostname or ""
    if not internet.reachable(host):
        return f"{host} cannot be reached"
    say(f"downloading the weights of {arm.model_name}")
    return _fetch(tasks.Fetch(arm.written), say, over)


def _where_to_put(arm: Arm, problem: str) -> str:
    """What is missing, why it cannot be fetched, and where a user can put it."""
    if arm.model.builder == "hub":
        return (
            f"{arm.model.place}, which is not here, and {problem}: unpack it on this machine and "
            "name its folder, hub:PATH"
        )
    file = weights_file(arm.model)
    return (
        f"{file.name}, which is not here, and {problem}: fetch {weights_address(arm.model)} "
        f"elsewhere and put it, by that name, into {file.parent} (KERAS_HOME names the folder "
        "above it)"
    )


def _fetch(task: tasks.Task, say: Callable[[str], None], over: Over | None) -> str | None:
    """Let another process fetch something; why it failed, or None."""
    problem = None
    with process.Worker(task) as worker:
        for event in over(worker) if over else worker:
            if isinstance(event, Stage):
                say(event.text)
            elif isinstance(event, Error):
                problem = event.text
    return problem


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
