"""The linear probe: the minimum that scikit-learn finds, its penalty by few labels."""

from __future__ import annotations

import factory
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import replace
from sklearn.linear_model import LogisticRegression

from comparisons.core import balance
from comparisons.core.clock import Clock
from comparisons.data import prepare
from comparisons.plan import recipes
from comparisons.training import device, linear_probe
from comparisons.training import run as training
from comparisons.training.fitting import Fit, choosing
from comparisons.training.linear_probe import PENALTIES, Examples, fit_probe, minimise


def problem(count: int, seed: int = 0, classes: int = 4, width: int = 12) -> Examples:
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=count)
    centres = np.random.default_rng(99).normal(size=(classes, width))
    features = (centres[labels] + 1.5 * generator.normal(size=(count, width))).astype(np.float32)
    return Examples(features, labels, classes)


@pytest.mark.parametrize("penalty", [0.3, 1e-2, 1e-4])
def test_the_minimum_is_that_of_scikit_learn(penalty):
    train = problem(300)
    ours, _ = minimise(train, penalty, 1000)
    theirs = LogisticRegression(C=1 / (penalty * 300), max_iter=5000, tol=1e-8)
    theirs.fit(train.features, train.labels)
    logits = train.logits(ours)
    # Weights are told apart up to what softmax does not see.
    expected = theirs.decision_function(train.features)
    centred = logits - logits.mean(axis=1, keepdims=True)
    expected = expected - expected.mean(axis=1, keepdims=True)
    assert np.abs(centred - expected).max() < 0.05 * np.abs(expected).max()


@pytest.mark.parametrize("penalty", [0.3, 1e-2])
def test_with_class_weights_it_is_that_of_balanced_classes(penalty):
    whole = problem(300)
    kept = (whole.labels != 0) | (np.arange(300) % 10 == 0)  # of class 0 a tenth
    x, y = whole.features[kept], whole.labels[kept]
    ours, _ = minimise(Examples(x, y, 4, balance.weights(y, 4)), penalty, 1000)
    n = len(y)
    theirs = LogisticRegression(
        C=1 / (penalty * n), max_iter=5000, tol=1e-8, class_weight="balanced"
    ).fit(x, y)
    logits, expected = whole.logits(ours), theirs.decision_function(whole.features)
    logits, expected = (v - v.mean(axis=1, keepdims=True) for v in (logits, expected))
    assert np.abs(logits - expected).max() < 0.05 * np.abs(expected).max()
    # What is reported counts every image alike.
    plain, weighed = (Examples(x, y, 4, w).scores(ours) for w in (None, balance.weights(y, 4)))
    assert plain == weighed


@given(some.integers(0, 1000), some.sampled_from(PENALTIES))
@settings(max_examples=20, deadline=None)
def test_the_gradient_is_that_of_what_is_made_small(seed, penalty):
    train = problem(40, seed)
    weights = np.random.default_rng(seed).normal(size=(13, 4))
    way = np.random.default_rng(seed + 1).normal(size=weights.shape)
    _, gradient = train.slope(weights, penalty)
    step = 1e-3
    after, before = (train.slope(weights + s * step * way, penalty)[0] for s in (1, -1))
    assert (gradient * way).sum() == pytest.approx(
        (after - before) / (2 * step), rel=0.02, abs=1e-2
    )


def probed(
    train: Examples, validation: Examples, epochs: int = 100
) -> tuple[np.ndarray, float, Fit]:
    result = Fit()
    phase = replace(recipes.settle(recipes.RECIPES["probe"], len(train.labels), "head", "head"),
                    epochs=epochs)  # fmt: skip
    weights, penalty = fit_probe(train, validation, phase, result, Clock(), lambda epoch: None)
    return weights, penalty, result


def test_its_operations_are_counted():
    """At least what its iterations cost, each with a slope; of twice the examples twice as much."""
    train = problem(300)
    _, _, result = probed(train, problem(60, 1))
    assert train.operations == 4 * 300 * 12 * 4
    assert result.flops > len(result.epochs) * train.operations
    counts = [entry.flops for entry in result.epochs]
    assert counts == sorted(counts) and counts[0] > train.operations
    assert counts[-1] == result.learnt == result.flops
    _, slopes = minimise(train, 1e-2, 1000)
    assert slopes > 1


def test_few_examples_ask_for_a_larger_penalty_than_many():
    few, many = (probed(problem(n), problem(400, 1))[1] for n in (60, 20_000))
    assert few > many


def test_no_more_labels_choose_than_a_ninth_of_those_trained_on(monkeypatch):
    seen = []
    honest = linear_probe._best_penalty

    def spy(train, chosen_by):
        seen.append(len(chosen_by.labels))
        return honest(train, chosen_by)

    monkeypatch.setattr(linear_probe, "_best_penalty", spy)
    probed(problem(90), problem(400, 1))
    assert seen == [choosing(90, 400)] == [10]


def test_each_iteration_is_an_epoch_and_epochs_cap_them():
    train, validation = problem(300), problem(100, 1)
    weights, _, result = probed(train, validation)
    history = result.epochs
    assert [e.epoch for e in history] == list(range(1, len(history) + 1))
    losses = [e.train_loss for e in history]
    assert losses[-1] < losses[0]
    last = history[-1]
    assert (last.val_loss, last.val_accuracy) == pytest.approx(validation.scores(weights))
    assert [e.elapsed for e in history] == sorted(e.elapsed for e in history)
    assert len(probed(train, validation, epochs=3)[2].epochs) == 3


def test_a_run_of_a_probe_records_its_penalty_and_what_it_was_chosen_on(tiny_npz):
    dataset = prepare(str(tiny_npz), None)
    run = factory.planned("tiny:probe", 180, data=str(tiny_npz), fingerprint=dataset.fingerprint,
                          device="cpu")  # fmt: skip
    record, logits = training.run(run, dataset, device.start("cpu", 0, False))
    assert record.status == "ok"
    assert record.penalty in PENALTIES
    assert record.chosen_on == 20
    assert record.phases[0].optimizer == "lbfgs"
    assert record.parameters.trainable == 256 * 3 + 3
    assert record.test.accuracy == (logits.argmax(1) == dataset.sealed_test_labels).mean()
    # What was tested is what the last iteration found.
    assert record.history[-1].val_accuracy > 0.5
