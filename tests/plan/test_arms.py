"""Arms, models, strategies, recipes and presets: names, options, errors and settled phases."""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import get_args

import factory
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from comparisons.core.errors import ComparisonError
from comparisons.core.phases import LBFGS, SOURCE, Part, Phase, Training
from comparisons.plan import arms, recipes
from comparisons.plan.presets import PRESETS
from comparisons.plan.strategies import STRATEGIES, Outline
from models import catalog

ALL = [
    f"{model.name}:{strategy.name}"
    for model in catalog.MODELS.values()
    for strategy in STRATEGIES.values()
    if model.pretrained or not strategy.pretrained
]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cnn:scratch", "cnn:scratch"),
        ("mobilenet:frozen", "mobilenet@0.25x160:frozen"),
        ("mobilenet@0.5x96:scratch", "mobilenet@0.5x96:scratch"),
        ("mobilenet@1x224:frozen", "mobilenet@1.0x224:frozen"),
        ("mobilenet@1.00x224:frozen", "mobilenet@1.0x224:frozen"),
        ("vgg16:frozen", "vgg16@64:frozen"),
        ("vgg16@32:frozen", "vgg16@32:frozen"),
        ("tiny:frozen", "tiny:frozen"),
    ],
)
def test_names_are_resolved(text, name):
    arm = arms.parse(text)
    assert arm.name == name
    assert arm == arms.parse(name)
    assert arm.model_name == name.rpartition(":")[0]


@pytest.mark.parametrize("text", ALL)
def test_every_model_and_strategy_is_an_arm_whose_name_reads_back(text):
    arm = arms.parse(text)
    assert arms.parse(arm.name) == arm
    assert hash(arms.parse(arm.name)) == hash(arm)


@given(some.sampled_from(catalog.MOBILENET_ALPHAS), some.sampled_from(catalog.SIZES))
def test_options_of_mobilenet_read_back(alpha, size):
    arm = arms.parse(f"mobilenet@{alpha}x{size}:frozen")
    assert dict(arm.model.options) == {"alpha": alpha, "size": size}
    assert arms.parse(arm.name) == arm


def test_the_last_colon_splits():
    with pytest.raises(ComparisonError, match=r"unknown model 'https://x\.org/y'"):
        arms.parse("https://x.org/y:frozen")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cnn", "MODEL:STRATEGY"),
        ("", "MODEL:STRATEGY"),
        ("mobilnet:frozen", "did you mean mobilenet"),
        ("vgg:frozen", "did you mean vgg19 or vgg16"),
        ("cnn:scrach", "did you mean scratch"),
        ("cnn:", "unknown strategy"),
        (":scratch", "unknown model"),
        ("CNN:scratch", "unknown model"),
        ("cnn:frozen", "use cnn:scratch, or one of vgg16:frozen, mobilenet:frozen, tiny:frozen"),
        ("cnn@32:scratch", "takes no options"),
        ("mobilenet@0.25:frozen", "write it as mobilenet@ALPHAxSIZE"),
        ("mobilenet@0.25x96x3:frozen", "write it as mobilenet@ALPHAxSIZE"),
        ("mobilenet@0.3x96:frozen", "alpha must be one of 0.25, 0.5, 0.75, 1.0"),
        ("mobilenet@nanx96:frozen", "alpha must be one of"),
        ("mobilenet@0.25x31:frozen", "32 to 512 pixels"),
        ("mobilenet@0.25x513:frozen", "32 to 512 pixels"),
        ("mobilenet@0.25x0:frozen", "32 to 512 pixels"),
        ("mobilenet@0.25x-96:frozen", "32 to 512 pixels"),
        ("mobilenet@0.25x96.5:frozen", "size must be a number"),
        ("mobilenet@bigx96:frozen", "alpha must be a number"),
        ("vgg16@x:frozen", "VGG16|vgg16@SIZE"),
    ],
)
def test_errors_are_one_line_that_helps(text, words):
    with pytest.raises(ComparisonError, match=words) as error:
        arms.parse(text)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


@given(some.text(max_size=40))
@example("mobilenet@²x96:frozen")
@example("mobilenet@infx96:frozen")
@example("mobilenet@1e999x96:frozen")
@example("vgg16@" + "9" * 5000 + ":frozen")
def test_no_text_is_anything_but_an_arm_or_one_error(text):
    for arm in (text, f"mobilenet@{text}:frozen", f"{text}:scratch"):
        try:
            arms.parse(arm)
        except ComparisonError as error:
            assert str(error)


@pytest.mark.parametrize("name", PRESETS)
def test_every_arm_of_a_preset_is_one(name):
    preset = PRESETS[name]
    assert preset.sentence
    for text in (*preset.arms, *preset.arms_on_accelerator):
        arms.parse(text)
    names = [arms.parse(text).name for text in preset.arms]
    assert len(set(names)) == len(names)


def test_the_presets_are_what_the_documentation_says():
    compared = {"demo", "standard", "full", "images"}
    assert set(PRESETS) == compared | {"curve", "mnist", "cnn-70", "cnn-80", "cnn-90", "cnn-93"}
    assert PRESETS["images"].shares == (1.0, 0.5, 0.25) and len(PRESETS["images"].seeds) == 3
    assert PRESETS["demo"].train_sizes == (2000,)
    assert PRESETS["standard"].train_sizes == PRESETS["full"].train_sizes == ()
    assert PRESETS["curve"].train_sizes == (100, 300, 1000, 3000)
    assert len(PRESETS["full"].seeds) == 3
    for name in compared:
        assert {"cnn:scratch", "mobilenet:frozen"} <= set(PRESETS[name].arms)
    for name in set(PRESETS) - compared - {"curve", "mnist"}:
        accuracy, seconds = PRESETS[name].goal
        assert name == f"cnn-{100 * accuracy:.0f}"
        assert 30 <= seconds <= 1800


def test_every_phase_names_a_recipe_that_is_there():
    for strategy in STRATEGIES.values():
        assert strategy.question.endswith("?")
        assert strategy.phases
        for phase in strategy.phases:
            assert phase.trainable in get_args(Part)
            assert phase.recipe is None or phase.recipe in recipes.RECIPES


parts = some.lists(some.integers(1, 500), min_size=1, max_size=6)


@given(parts.flatmap(lambda p: some.tuples(some.integers(len(p), 2000), some.just(p))))
@example((5, [100, 1, 1, 1, 1]))
def test_epochs_are_spread_so_that_they_add_up(case):
    total, wanted = case
    shares = recipes.spread(total, wanted)
    assert len(shares) == len(wanted)
    assert min(shares) >= 1
    assert sum(shares) == total


@given(some.integers(1, 20), parts)
def test_every_phase_keeps_an_epoch_when_there_are_too_few(total, wanted):
    assert min(recipes.spread(total, wanted)) >= 1


@given(some.integers(2, 100), some.integers(1, 60_000))
def test_epochs_asked_for_are_those_of_all_phases_together(epochs, size):
    scratch = arms.parse("cnn:scratch")
    both = dataclasses.replace(
        scratch.strategy,
        phases=(Outline("warm", "head", recipe="head"), Outline("train", "all")),
    )
    for arm in (scratch, dataclasses.replace(scratch, strategy=both)):
        settled = recipes.phases(arm, size, epochs, None)
        assert sum(phase.epochs for phase in settled) == epochs


@given(some.integers(2, 44_999))
def test_a_network_from_scratch_learns_slower_and_decays_more_on_fewer_images(size):
    fewer, more = (recipes.settle(recipes.CNN, n, "train", "all") for n in (size, size + 1))
    assert fewer.learning_rate <= more.learning_rate <= recipes.CNN.learning_rate
    assert more.weight_decay <= fewer.weight_decay <= recipes.CNN.most_decay


@given(some.sampled_from(sorted(recipes.RECIPES)), some.integers(1, 60_000))
def test_a_batch_shrinks_with_the_training_set(name, size):
    recipe = recipes.RECIPES[name]
    settled = recipes.settle(recipe, size, "train", "all")
    most = size if recipe.optimizer == LBFGS else recipe.batch_size
    assert 1 <= settled.batch_size <= min(size, most)
    assert settled.epochs >= 1
    steps = size / settled.batch_size
    assert steps >= 16 or settled.batch_size <= 32 or recipe.optimizer == LBFGS
    # Fewer images, never fewer passes.
    assert settled.epochs >= recipes.settle(recipe, size + 1, "train", "all").epochs
    if size >= 16 * recipe.batch_size and recipe.optimizer != LBFGS:
        assert settled.batch_size == recipe.batch_size


def test_a_recipe_is_stated_for_the_whole_of_cifar10():
    for recipe in recipes.RECIPES.values():
        settled = recipes.settle(recipe, recipes.REFERENCE_SIZE, "train", "all")
        for name in Training.__struct_fields__:
            assert getattr(settled, name) == getattr(recipe, name)


def test_the_tutorial_is_as_published():
    (phase,) = recipes.phases(arms.parse("tutorial-cnn:scratch"), 500, None, None)
    assert (phase.optimizer, phase.learning_rate) == ("adam", 1e-3)
    assert (phase.epochs, phase.batch_size) == (10, 32)
    assert (phase.schedule, phase.augment, phase.weight_decay) == ("constant", (), 0)


@given(some.integers(1, 60_000), some.integers(1, 1000))
def test_a_batch_size_asked_for_is_taken(size, batch):
    for text in ("cnn:scratch", "tutorial-cnn:scratch", "tiny:frozen"):
        for phase in recipes.phases(arms.parse(text), size, None, batch):
            assert phase.batch_size == min(size, batch)


@pytest.mark.parametrize("size", [10, 500, 45_000, 54_000])
def test_epochs_grow_as_the_recipe_says(size):
    for name, recipe in recipes.RECIPES.items():
        grown = recipe.epochs * (45_000 / size) ** recipe.growth
        assert recipes.settle(recipe, size, "train", "all").epochs == max(1, round(grown)), name
    cnn = recipes.RECIPES["cnn"]
    assert recipes.settle(cnn, 4500, "train", "all").epochs == round(cnn.epochs * 10**0.5)


@pytest.mark.parametrize("text", ALL)
def test_settled_phases_go_into_a_record(text):
    import msgspec

    settled = recipes.phases(arms.parse(text), 1000, None, None, source_size=45_000)
    assert msgspec.json.decode(msgspec.json.encode(settled), type=list[Phase]) == settled
    strategy = arms.parse(text).strategy
    first = ["source"] if strategy.start == "source" else []
    assert [p.name for p in settled] == [*first, *(p.name for p in strategy.phases)]


@pytest.mark.parametrize(
    ("change", "file"),
    [({"builder": "nobody"}, "models/scratch.py"), ({"recipe": "no"}, "comparisons/plan/recipes")],
)
def test_a_row_without_its_builder_or_recipe_is_told_before_any_training(monkeypatch, change, file):
    row = dataclasses.replace(catalog.MODELS["cnn"], **change)
    monkeypatch.setitem(catalog.MODELS, "cnn", row)
    with pytest.raises(ComparisonError, match=file) as told:
        factory.planned("cnn:scratch", 100)
    assert "\n" not in str(told.value) and "models/catalog.py" in str(told.value)


LIGHT = """
import sys
import comparisons.plan.request, comparisons.plan.recipes, comparisons.plan.presets
import comparisons.cifar, comparisons.knobs, comparisons.pretrain, models.catalog
heavy = {"keras", "tensorflow", "jax", "torch", "tensorflow_datasets", "openvino", "scipy"}
print(sorted(heavy & set(sys.modules)))
"""


def test_tables_and_the_command_line_load_no_framework(spawn):
    out, errors = spawn(LIGHT).communicate()
    assert out == "[]\n", errors
    assert sys.executable


@pytest.mark.parametrize("size", [2, 500, 2_000, 10_000, 45_000])
def test_no_arm_is_shown_more_images_than_the_budget_of_all(size):
    budget = recipes.MOST_EPOCHS * math.sqrt(recipes.REFERENCE_SIZE * size)
    written = [f"{m.name}:scratch" for m in catalog.OWN.values() if not m.pretrained]
    written += [f"tiny:{strategy}" for strategy in STRATEGIES]
    for text in written:
        phases = recipes.phases(arms.parse(text), size, None, None, 10_000)
        shown = sum(p.epochs for p in phases if p.name != SOURCE and p.optimizer != LBFGS) * size
        assert shown <= budget + size * len(phases), text  # an epoch may be rounded up
