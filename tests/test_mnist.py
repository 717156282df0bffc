"""The door of digits: what it compares when nothing is said, and its perceptron."""

from __future__ import annotations

import numpy as np
import pytest

from comparisons import mnist
from comparisons.core.errors import ComparisonError
from models import adapt, catalog


@pytest.fixture
def digits(tmp_path):
    """Forty grey images of 28 pixels a side, of ten classes."""
    labels = np.arange(40) % 10
    images = np.zeros((40, 28, 28, 1), np.uint8)
    images[range(40), 2 * labels] = 255  # a line, where the label says
    file = tmp_path / "digits.npz"
    np.savez(file, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return file


def test_the_plan_has_a_perceptron_a_cnn_and_photographs_with_three_seeds(digits, capsys):
    assert mnist.main(["--data", str(digits), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert all(arm in shown for arm in ("mlp:scratch", "cnn:scratch", "mobilenet@0.25x160:frozen"))
    assert "9 runs" in shown


def test_the_perceptron_is_the_classic_one():
    network = adapt.build(catalog.MODELS["mlp"], (28, 28, 1), 10).whole
    weights = [w.shape for w in network.trainable_weights if len(w.shape) == 2]
    assert weights == [(784, 128), (128, 64), (64, 10)]
    black = network.predict(np.zeros((1, 28, 28, 1), np.uint8), verbose=0)
    assert np.abs(black).max() > 0, "pixels go from -1 to 1, so that black is no zero"


def test_it_compares_in_python(digits):
    (record,) = mnist.compare("mlp:scratch", data=str(digits), train_size=20, seeds=0, epochs=9)
    assert (record.status, record.arm) == ("ok", "mlp:scratch")
    assert not any("flip" in phase.augment for phase in record.phases)


def test_what_it_cannot_do_is_said_as_everywhere(digits):
    with pytest.raises(ComparisonError, match="unknown model 'mpl'"):
        mnist.compare("mpl:scratch", data=str(digits))
