"""The tutorial that everybody knows, as an arm: two classes, one unit, and all that follows."""

from __future__ import annotations

import factory
import networks
import numpy as np
import pytest
from msgspec.structs import replace

from comparisons import predict
from comparisons.core import card as cards
from comparisons.core.predictions import softmax
from comparisons.data import prepare
from comparisons.plan import arms, recipes
from comparisons.running import keeping
from comparisons.training import device, exports
from comparisons.training import run as training
from models.exporting import FORMATS

ARM = "tiny:classic"


@pytest.fixture(scope="module")
def done(tiny_npz, tmp_path_factory):
    """A run on two classes: its record, test logits, test images and kept model."""
    folder = tmp_path_factory.mktemp("classic")
    dataset = prepare(str(tiny_npz), None).only(["upright", "lying"])
    run = factory.planned(ARM, 150, epochs=4, engine="keras", data=str(tiny_npz))
    run = replace(run, keep=str(folder / "model"))
    record, logits = training.run(run, dataset, device.start("cpu", 0, False))
    wish = keeping.Keeping(folder / "model", [run], False, ())
    kept = keeping.keep(wish, [record], {run.id}, lambda run: record, print)
    assert kept.why_not is None
    return record, logits.astype(np.float32), dataset.x_test, kept.model


def test_two_classes_are_told_apart_by_one_unit(done):
    record, logits, images, _ = done
    assert record.status == "ok" and record.test.accuracy > 0.8
    assert np.shape(record.test.confusion) == (2, 2)
    assert logits.shape == (len(images), 2) and not logits[:, 0].any()


def test_the_kept_model_and_its_exports_answer_as_was_tested(done, tmp_path):
    pytest.importorskip("onnxruntime")
    _, logits, images, folder = done
    model = predict.load(folder)
    assert model.card.network.head == "classic"
    answers = networks.through(model.network, images)
    np.testing.assert_allclose(answers, softmax(logits / model.card.temperature), atol=1e-2)
    for chosen in FORMATS.values():
        found = exports.gate(model.network, answers, images, chosen, tmp_path)
        assert (found.agreement, found.file) == (1.0, chosen.file)
    assert cards.read(folder / cards.CARD).as_tested.agreement == 1


def test_it_trains_as_long_as_its_text_has_it():
    (phase,) = recipes.phases(arms.parse("vgg16@150:classic"), 2_000, None, None)
    assert (phase.optimizer, phase.batch_size, phase.trainable) == ("rmsprop", 16, "head")
    assert 45 <= phase.epochs <= 50
