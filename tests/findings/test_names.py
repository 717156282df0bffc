"""Names in words: what people read for an arm, and never the same for two."""

from __future__ import annotations

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons.findings import names
from comparisons.findings.text import SPACE
from comparisons.findings.view import view
from comparisons.plan.strategies import STRATEGIES
from models.catalog import MODELS


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("mobilenet@0.25x160:frozen", "MobileNet ¼, 160 px · frozen"),
        ("mobilenet@1.0x224:frozen", "MobileNet, 224 px · frozen"),
        ("cnn:scratch", "CNN · from scratch"),
        ("mlp:scratch", "MLP · from scratch"),
        ("tutorial-cnn:scratch (Adam, epochs 4)", "Tutorial CNN · from scratch (Adam, epochs 4)"),
        ("vgg16@64:partial@2", "VGG16, 64 px · last 2 blocks"),
        ("tiny:lora@8", "Tiny · LoRA, rank 8"),
        ("resnet50@160:probe", "ResNet50, 160 px · linear probe"),
    ],
)
def test_arms_have_names_in_words(label, said):
    assert names.arm_name(label).replace(SPACE, " ") == said


@pytest.mark.parametrize(
    "label",
    [
        "file:mine:frozen",
        "hub:google/bit/1:frozen",
        "somebody:gradual",
        "cnn:gradual",
        "mobilenet@0.30x160:frozen",
        "mobilenet@0.25:frozen",
        "vgg16@064:frozen",
        "vgg16@64:partial",
        "cnn:scratch@2",
        "cnn",
        "",
    ],
)
def test_what_is_not_known_keeps_its_exact_name(label):
    assert names.arm_name(label) == label


def test_every_strategy_has_a_name():
    assert names.STRATEGIES.keys() == STRATEGIES.keys()


models = some.sampled_from(sorted(MODELS)) | some.text(max_size=8)
options = some.sampled_from(["", "@0.25x160", "@0.5x160", "@160", "@0160", "@1.0x32"])
values = some.sampled_from(["", "@2", "@02", "@8"])
arms = some.builds(
    lambda m, o, s, v: f"{m}{o}:{s}{v}",
    models,
    options,
    some.sampled_from(sorted(STRATEGIES)) | some.text(max_size=8),
    values,
)


@given(arms, arms)
def test_two_arms_never_have_the_same_name(one, other):
    clean = names.shortened(one, 90), names.shortened(other, 90)
    if clean[0] != clean[1]:
        assert names.arm_name(one) != names.arm_name(other)


@given(some.text(max_size=400), some.integers(5, 90))
def test_no_name_is_longer_than_there_is_room(name, most):
    assert len(names.shortened(name, most)) <= most
    assert len(names.shortened(name * 500, most)) <= most


def test_what_all_arms_share_is_left_out():
    seen = view(factory.ways(seeds=1))
    assert seen.base == f"MobileNet ¼, 96{SPACE}px"
    assert seen.name("mobilenet@0.25x96:lora@8") == f"LoRA, rank{SPACE}8"
    assert view(factory.records(["file:mine:frozen", "file:mine:probe"])).name(
        "file:mine:probe"
    ) == ("probe")


def test_a_size_that_all_names_have_goes_first_where_room_is_short():
    one, other = (names.arm_name(f"mobilenet@0.25x{n}:frozen") for n in (160, 96))
    assert names.brief(f"{one} wins") == "MobileNet ¼ · frozen wins"
    assert names.brief(f"{one} beats {other}") == f"{one} beats {other}"
