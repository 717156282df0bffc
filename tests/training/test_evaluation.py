"""Test metrics against independent formulas; the test labels are opened once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from scipy.special import log_softmax

from comparisons.core.machine import ROOT
from comparisons.data import Dataset
from comparisons.training import evaluation

matrices = some.integers(1, 6).flatmap(
    lambda n: arrays.arrays(np.int64, (n, n), elements=some.integers(0, 50))
)
finite = some.floats(-1e4, 1e4, width=32)


@some.composite
def answers(draw: some.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Logits [n, classes] and labels [n]."""
    n, classes = draw(some.integers(1, 20)), draw(some.integers(2, 6))
    logits = draw(arrays.arrays(np.float32, (n, classes), elements=finite))
    labels = draw(arrays.arrays(np.int64, n, elements=some.integers(0, classes - 1)))
    return logits, labels


def dataset(labels: np.ndarray, classes: int) -> Dataset:
    images = np.zeros((len(labels), 8, 8, 1), np.uint8)
    names = tuple(map(str, range(classes)))
    return Dataset("some", names, images, labels, images, labels)


@given(matrices)
def test_macro_f1_is_the_mean_harmonic_mean_of_precision_and_recall(confusion):
    scores = []
    for k in range(len(confusion)):
        hits, named, present = confusion[k, k], confusion[:, k].sum(), confusion[k].sum()
        precision = hits / named if named else 0.0
        recall = hits / present if present else 0.0
        both = precision + recall
        scores.append(2 * precision * recall / both if both else 0.0)
    assert evaluation.macro_f1(confusion) == pytest.approx(sum(scores) / len(scores))


def test_macro_f1_of_a_worked_example():
    # Class 0: precision 3/4, recall 3/5, F1 2/3. Class 1: 4/6, 4/5, 8/11.
    assert evaluation.macro_f1(np.array([[3, 2], [1, 4]])) == pytest.approx((2 / 3 + 8 / 11) / 2)


@given(answers())
def test_cross_entropy_is_that_of_scipy(answer):
    logits, labels = answer
    wanted = -log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels].mean()
    assert evaluation.cross_entropy(logits, labels) == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_cross_entropy_of_known_odds():
    logits = np.log(np.array([[1, 3], [1, 1]], np.float32))
    wanted = (math.log(4 / 3) + math.log(2)) / 2
    assert evaluation.cross_entropy(logits, np.array([1, 0])) == pytest.approx(wanted)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_is_none(bad):
    logits = np.array([[0, 1], [bad, 0]], np.float32)
    assert evaluation.cross_entropy(logits, np.array([0, 0])) is None


@given(answers())
def test_metrics_agree_with_each_other(answer):
    logits, labels = answer
    classes = logits.shape[1]
    data = dataset(labels, classes)
    metrics = evaluation.test_metrics(logits, data)
    confusion = np.array(metrics.confusion)
    assert confusion.shape == (classes, classes)
    assert confusion.sum() == len(labels)
    assert (confusion.sum(axis=1) == np.bincount(labels, minlength=classes)).all()
    assert (confusion.sum(axis=0) == np.bincount(logits.argmax(1), minlength=classes)).all()
    assert metrics.accuracy == pytest.approx(np.trace(confusion) / len(labels))
    assert metrics.macro_f1 == pytest.approx(evaluation.macro_f1(confusion))
    assert metrics.loss == pytest.approx(evaluation.cross_entropy(logits, labels))


def test_the_test_labels_are_opened_once():
    data = dataset(np.array([0, 1]), 2)
    logits = np.eye(2, dtype=np.float32)
    assert not data.test_was_read
    assert evaluation.test_metrics(logits, data).accuracy == 1
    assert data.test_was_read
    with pytest.raises(RuntimeError, match="once"):
        evaluation.test_metrics(logits, data)


def test_a_source_is_tested_on_its_first_images_as_often_as_a_base_moves():
    source = dataset(np.array([0, 1, 0, 1]), 2)
    assert evaluation.source_accuracy(np.array([0, 1, 1]), source) == pytest.approx(2 / 3)
    assert evaluation.source_accuracy(np.array([0, 1, 0, 1]), source) == 1
    assert evaluation.source_accuracy(np.array([-1, -1]), source) == 0
    assert not source.test_was_read


def test_no_other_file_opens_test_labels():
    opens = [
        path.relative_to(ROOT / "comparisons").as_posix()
        for path in (ROOT / "comparisons").rglob("*.py")
        if any(word in path.read_text() for word in ("open_test_labels", "sealed_test_labels"))
    ]
    # A session shows ten test images once all its runs have ended (core/samples.py).
    # The manifest of a folder says of every file what class it is in, and nothing of any result.
    known = [
        "data/dataset.py", "data/kept.py", "data/splits.py", "running/session.py",
        "training/evaluation.py",
    ]  # fmt: skip
    assert sorted(opens) == known
