import hashlib
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comparisons.data import shapes
from comparisons.data.shapes import SHAPES, SOURCE_CLASSES, TARGET_CLASSES, draw

FINGERPRINT = "ce81c1816c06f1c6"


def silhouette(name: str) -> np.ndarray:
    """Where a shape is, on a fine grid that reaches 1.3 times its radius."""
    axis = np.linspace(-1.3, 1.3, 105, dtype=np.float32)
    return SHAPES[name](*np.meshgrid(axis, axis)) < 0


def overlap(first: str, second: str) -> float:
    a, b = silhouette(first), silhouette(second)
    return (a & b).sum() / (a | b).sum()


def test_bytes_are_pinned():
    digest = hashlib.blake2b(digest_size=8)
    for array in draw(SOURCE_CLASSES + TARGET_CLASSES, 150, 0):
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    assert digest.hexdigest() == FINGERPRINT


def test_seed_decides():
    (images, labels), (again, _), (other, other_labels) = (
        draw(TARGET_CLASSES, 100, seed) for seed in (5, 5, 6)
    )
    assert (images == again).all()
    assert (images != other).any(axis=(1, 2, 3)).all()
    assert (labels != other_labels).any()


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=30, unique=True),
    st.integers(1, 70),
    st.integers(0, 2**63),
)
def test_shape_type_and_balance(classes, count, seed):
    images, labels = draw(classes, count, seed)
    assert images.shape == (count, 32, 32, 3)
    assert images.dtype == np.uint8
    assert labels.shape == (count,)
    assert labels.dtype == np.int64
    each = np.bincount(labels, minlength=len(classes))
    assert len(each) == len(classes)
    assert set(each) <= {count // len(classes), count // len(classes) + 1}


def test_order_is_shuffled():
    _, labels = draw(TARGET_CLASSES, 1000, 0)
    for position in range(10):
        assert len(set(labels[position::10])) == 10


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_chunk_size_does_not_matter(chunk, monkeypatch):
    images, labels = draw(SOURCE_CLASSES, 150, 3)
    monkeypatch.setattr(shapes, "CHUNK", chunk)
    images_again, labels_again = draw(SOURCE_CLASSES, 150, 3)
    assert (images == images_again).all()
    assert (labels == labels_again).all()


def test_small_draw_begins_large_draw():
    images, labels = draw(TARGET_CLASSES, 300, 3)
    for count in (1, 33, 128, 129):
        few_images, few_labels = draw(TARGET_CLASSES, count, 3)
        assert (images[:count] == few_images).all()
        assert (labels[:count] == few_labels).all()


def test_classes_are_disjoint():
    assert (len(SOURCE_CLASSES), len(TARGET_CLASSES)) == (20, 10)
    assert len(set(SOURCE_CLASSES + TARGET_CLASSES)) == 30


@pytest.mark.parametrize("name", SHAPES)
def test_silhouette_fills_its_frame(name):
    inside = silhouette(name)
    rows, columns = inside.any(axis=1).nonzero()[0], inside.any(axis=0).nonzero()[0]
    assert 0.1 < inside.mean() < 0.5
    assert max(np.ptp(rows), np.ptp(columns)) > 55  # of 105 points
    rim = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    assert not rim.any()


def test_silhouettes_differ():
    assert max(overlap(*pair) for pair in combinations(SHAPES, 2)) < 0.85


@pytest.mark.parametrize("name", SHAPES)
def test_shape_is_visible(name):
    """The same seed gives the same surroundings: what differs from a circle's is the shape."""
    images, _ = draw([name], 64, 9)
    other, _ = draw(["circle" if name != "circle" else "ring"], 64, 9)
    assert (images.std(axis=(1, 2)).max(axis=1) > 3).all()
    changed = (np.abs(images.astype(int) - other).max(axis=-1) > 20).sum(axis=(1, 2))
    assert (changed > 15).all()  # pixels


def test_colour_says_nothing():
    def features(count, seed):
        images, labels = draw(TARGET_CLASSES, count, seed)
        pixels = images.reshape(count, -1, 3).astype(np.float64)
        values = np.concatenate([pixels.mean(axis=1), pixels.std(axis=1)], axis=1)
        return values, labels

    values, labels = features(4000, 1)
    test_values, test_labels = features(2000, 2)
    scale = values.std(axis=0)
    centroids = np.stack([values[labels == label].mean(axis=0) for label in range(10)])
    distances = np.abs((test_values[:, None] - centroids) / scale).sum(axis=-1)
    assert (distances.argmin(axis=1) == test_labels).mean() < 0.145  # chance is 0.1


@pytest.mark.parametrize(
    ("classes", "count", "message"),
    [
        (["circle", "blob"], 5, "cannot draw blob: choose from circle"),
        ([], 5, "cannot draw nothing: choose from circle"),
        (["circle"], 0, "count must be at least 1, not 0"),
        (["circle"], -3, "count must be at least 1, not -3"),
    ],
)
def test_mistakes_are_one_clear_line(classes, count, message):
    with pytest.raises(ValueError, match=message) as caught:
        draw(classes, count, 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "classes"), [("target", TARGET_CLASSES), ("source", SOURCE_CLASSES)]
)
def test_make_puts_a_data_set_together(part, classes, monkeypatch):
    monkeypatch.setattr(shapes, "SIZES", {"target": (40, 20), "source": (40, 20)})
    made = shapes.make(part)
    assert made["classes"] == classes
    assert [len(made[key]) for key in ("x_train", "y_train", "x_test", "y_test")] == [
        40,
        40,
        20,
        20,
    ]
    assert (made["x_train"][:20] != made["x_test"]).any()
    assert (made["x_train"] != shapes.make(part, seed=1)["x_train"]).any()
