"""Bases that this project trains itself, and the bundled one against its card."""

import json

import pytest

from comparisons import cifar
from comparisons.core.errors import ComparisonError
from comparisons.data import prepare
from comparisons.data.dataset import Arrays, fingerprint
from comparisons.data.shapes import make
from comparisons.running.pretraining import pretrain
from comparisons.training.extraction import weights_digest
from models import adapt
from models.cards import read_card
from models.catalog import BUNDLED, MODELS

CARD = BUNDLED / "tiny.json"
WEIGHTS = BUNDLED / "tiny.weights.h5"


@pytest.mark.slow
def test_deterministic_pretraining_gives_the_same_bits_and_a_true_card(tmp_path, tiny_npz):
    cards = [
        pretrain(str(tiny_npz), "tiny", tmp_path / name, epochs=1, seed=3, deterministic=True)
        for name in ("a", "b")
    ]
    assert cards[0].weights_digest == cards[1].weights_digest
    network = adapt.build(MODELS["tiny"], (16, 16, 3), 3, tmp_path / "a" / "tiny.weights.h5")
    assert weights_digest(network.backbone) == cards[0].weights_digest
    assert read_card(tmp_path / "a" / "tiny.json") == cards[0]
    assert cards[0].data.fingerprint == prepare(str(tiny_npz), None).fingerprint
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "tiny.json",
        "tiny.weights.h5",
    ]


def test_the_bundled_base_is_the_one_on_its_card():
    card = json.loads(CARD.read_text())
    network = adapt.build(MODELS["tiny"], (32, 32, 3), 10, WEIGHTS)
    assert weights_digest(network.backbone) == card["weights_digest"]
    assert WEIGHTS.stat().st_size < 2_000_000
    assert card["deterministic"] is True and card["environment"]["commit"]
    assert card["command"].startswith("python -m comparisons.pretrain")


def test_the_card_names_the_data_that_this_version_draws():
    drawn = make("source")
    card = json.loads(CARD.read_text())
    assert fingerprint(Arrays(**drawn)) == card["data"]["fingerprint"]
    assert card["data"]["classes"] == list(drawn["classes"])


@pytest.mark.slow
def test_the_bundled_base_beats_scratch_by_ten_points_on_500_images():
    records = cifar.compare(["cnn:scratch", "tiny:frozen"], "shapes", 500, 0)
    by_arm = {record.arm: record.test.accuracy for record in records}
    assert 0.40 <= by_arm["cnn:scratch"] <= 0.75
    assert by_arm["tiny:frozen"] >= by_arm["cnn:scratch"] + 0.10


@pytest.mark.slow
def test_the_card_s_command_gives_the_base_back(tmp_path):
    card = json.loads(CARD.read_text())
    epochs = card["phases"][0]["epochs"]
    again = pretrain("shapes-source", "tiny", tmp_path, epochs=epochs, seed=card["seed"])
    assert abs(again.test_accuracy - card["test_accuracy"]) < 0.01


@pytest.mark.parametrize("model", ["tini", "hub:nowhere", "file:nowhere.json"])
def test_what_is_no_base_is_refused(tmp_path, model):
    with pytest.raises(ComparisonError):
        pretrain("shapes", model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_of_another_network_are_refused(tmp_path, tiny_npz):
    other = tmp_path / "other.weights.h5"
    network = adapt.build(MODELS["cnn"], (16, 16, 3), 3)
    network.whole.save_weights(other)
    with pytest.raises(ValueError, match="another network"):
        adapt.build(MODELS["tiny"], (16, 16, 3), 3, other)
