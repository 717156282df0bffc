"""Real data sets through TensorFlow Datasets, where local copies are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from own import same

from comparisons import data
from comparisons.core.errors import ComparisonError
from comparisons.data import catalog

CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
REAL = {
    "cifar10": ((32, 32, 3), 50_000, 10_000, 10),
    "mnist": ((28, 28, 1), 60_000, 10_000, 10),
    "cifar100": ((32, 32, 3), None, None, 100),
}


@pytest.mark.parametrize("name", REAL)
def test_real_data(real_data, no_network, name):
    if catalog.local_copy(name, real_data) is None:
        pytest.skip(f"{name} is not under TFDS_DATA_DIR")
    shape, train, test, classes = REAL[name]
    found = data.prepare(name, real_data)
    assert found.image_shape == shape
    assert found.x_train.dtype == found.x_test.dtype == np.uint8
    assert found.y_train.dtype == np.int64
    labels = found.open_test_labels()
    assert len(found.x_train) == len(found.y_train)
    assert len(found.x_test) == len(labels)
    assert len(found.classes) == len(set(found.classes)) == classes
    assert set(found.y_train) == set(labels) == set(range(classes))
    assert (found.name, found.synthetic) == (name, False)
    published = catalog.DATASETS[name].sizes
    assert found.complete == ((len(found.y_train), len(labels)) == published)
    assert bool(found.note) != found.complete
    if train:
        assert (len(found.y_train), len(labels)) == (train, test)
        assert found.complete
    assert 30 < found.x_train.mean() < 220
    again = data.prepare(name, real_data)
    assert again.fingerprint == found.fingerprint
    about = data.describe(name, real_data)
    assert about is not None
    assert (about.fingerprint, about.train) == (found.fingerprint, len(found.y_train))


def test_names_of_cifar10_are_in_the_order_of_its_labels(real_data, no_network):
    found = data.prepare("cifar10", real_data)
    assert found.classes == CIFAR10
    # Ships and airplanes are mostly before blue, frogs and deer are not.
    blue = [
        float(found.x_train[found.y_train == k][..., 2].mean())
        - float(found.x_train[found.y_train == k][..., 0].mean())
        for k in range(10)
    ]
    order = [CIFAR10[k] for k in np.argsort(blue)]
    assert set(order[-2:]) == {"airplane", "ship"}


def test_a_part_of_a_data_set_says_so(real_data, no_network):
    found = data.prepare("cifar100", real_data)
    if found.complete:
        pytest.skip("the local cifar100 is whole")
    assert "cifar100 here is not whole" in found.note
    assert "of 50,000" in found.note
    assert "\n" not in found.note


def test_a_fingerprint_is_of_the_images_and_not_of_this_decoding(
    real_data, no_network, tmp_path, monkeypatch
):
    first = data.prepare("cifar100", real_data)
    monkeypatch.setenv("COMPARISONS_CACHE", str(tmp_path))
    said: list[str] = []
    again = data.prepare("cifar100", real_data, said.append)
    assert said
    assert again.fingerprint == first.fingerprint
    assert same(again, {"x_train": first.x_train, "y_train": first.y_train})


def test_a_damaged_local_copy_is_one_line(real_data, cache, tmp_path):
    found = catalog.local_copy("cifar100", real_data)
    assert found is not None
    copy = tmp_path / "cifar100" / found.name
    copy.mkdir(parents=True)
    for path in found.iterdir():
        target = copy / path.name
        if "tfrecord" in path.name:
            target.write_bytes(path.read_bytes()[:100_000])
        else:
            target.write_bytes(path.read_bytes())
    with pytest.raises(ComparisonError, match="delete that folder to fetch it again") as error:
        data.prepare("cifar100", tmp_path)
    assert "\n" not in str(error.value)


def test_the_newest_local_version_is_used(tmp_path):
    for version in ("3.0.2", "3.0.10", "2.9.9"):
        folder = tmp_path / "cifar10" / version
        folder.mkdir(parents=True)
        (folder / "dataset_info.json").write_text(json.dumps({}))
    found = catalog.local_copy("cifar10", tmp_path)
    assert found is not None
    assert found.name == "3.0.10"
    assert data.available("cifar10", tmp_path)
    assert not data.available("cifar10", tmp_path / "elsewhere")
    assert data.available("shapes", tmp_path / "elsewhere")
