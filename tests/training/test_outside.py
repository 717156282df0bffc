"""Against an outside reference, on real images and the published weights."""

from __future__ import annotations

import factory
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from comparisons.core.records import Record
from comparisons.data import prepare, split
from comparisons.plan import arms
from comparisons.training import device, extraction
from comparisons.training import run as training
from comparisons.training.building import change_of
from comparisons.training.fitting import choosing
from models import adapt, catalog, engines

SEEDS = (0, 1, 2)
GRID = 10.0 ** np.arange(-0.5, 5.5, 0.5)  # over the number of images: C


def ran(arm: str, size: int, seed: int) -> Record:
    dataset = prepare("cifar10", None)
    run = factory.planned(
        arm, size, data="cifar10", fingerprint=dataset.fingerprint, seed=seed, device="cpu"
    )
    record, _ = training.run(run, dataset, device.start("cpu", seed, False))
    assert record.status == "ok"
    return record


def by_scikit_learn(base: str, size: int, seed: int) -> float:
    """Its logistic regression on the same features and images, C by the same few labels."""
    dataset = prepare("cifar10", None)
    arm = arms.parse(f"{base}:probe")
    weights = catalog.weights_file(arm.model)
    network = adapt.build(arm.model, (32, 32, 3), 10, weights, change_of(arm))
    found = device.start("cpu", seed, False)
    extract = engines.checked(
        extraction.choose("auto", found), network.backbone, dataset.x_train[:32], 2
    )
    rows = split(dataset.y_train, seed, size)
    few = rows.validation[: choosing(size, len(rows.validation))]
    known, held, asked = (
        extract(images) for images in (dataset.x_train[rows.train], dataset.x_train[few],
                                       dataset.x_test)
    )  # fmt: skip
    size_of = np.sqrt((known.astype(float) ** 2).mean())
    labels = dataset.y_train[rows.train]
    # Each begins where the one with a larger penalty ended: the same minimum, sooner.
    model = LogisticRegression(max_iter=2000, warm_start=True)
    losses, shares = [], []
    for strength in GRID:
        model.set_params(C=strength / size).fit(known / size_of, labels)
        odds = model.predict_log_proba(held / size_of)
        losses.append(-odds[np.arange(len(few)), dataset.y_train[few]].mean())
        shares.append((model.predict(asked / size_of) == dataset.sealed_test_labels).mean())
    return float(shares[int(np.argmin(losses))])


@pytest.mark.slow
@pytest.mark.parametrize("size", [500, 2000])
@pytest.mark.parametrize("base", ["mobilenet@0.25x64", "vgg16@32"])
def test_a_probe_is_as_good_as_scikit_learn_and_a_head_hardly_worse(real_data, base, size):
    if not catalog.weights_file(arms.parse(f"{base}:probe").model).is_file():
        pytest.skip("the weights are not here")
    probe, head = (
        [ran(f"{base}:{way}", size, seed).test.accuracy for seed in SEEDS]
        for way in ("probe", "frozen")
    )
    reference = np.mean([by_scikit_learn(base, size, seed) for seed in SEEDS])
    print(base, size, np.mean(probe), np.mean(head), reference)
    assert abs(np.mean(probe) - reference) < 0.01
    assert np.mean(head) >= np.mean(probe) - 0.005
