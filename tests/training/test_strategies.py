"""Strategies: exactly what each phase may move moves, and everything else keeps every bit."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
from msgspec.structs import replace

from comparisons.core.clock import Clock
from comparisons.core.phases import LBFGS, SOURCE, Phase
from comparisons.plan import arms, recipes
from comparisons.plan.strategies import STRATEGIES
from comparisons.training import building
from comparisons.training.device import Runtime
from comparisons.training.fitting import Fit, fit
from comparisons.training.optimizers import at_rates, make_optimizer
from models import adapt
from models.catalog import MODELS, weights_file

CPU = Runtime("cpu", "a processor", 1, "float32", "tensorflow")
TINY = MODELS["tiny"]
CLASSES = 4

HEAD = r"(dense(_\d+)?|logits)/(kernel|bias)"
CONVOLUTIONS = r"block\d_(conv|depthwise|pointwise)/kernel"
# The variables that train in each phase, by the ends of their paths. Normalisation of a
# pretrained base trains in none; random weights train with theirs.
TRAINS = {
    "scratch": {"train": rf"{CONVOLUTIONS}|block\d_(\w+_)?norm/(gamma|beta)|{HEAD}"},
    "complete": {"head": HEAD, "all": rf"{CONVOLUTIONS}|{HEAD}"},
    "probe": {"head": r"logits/(kernel|bias)"},
    "frozen": {"head": HEAD},
    "classic": {"head": HEAD},
    "frozen-views": {"head": HEAD},
    "partial@2": {"head": HEAD, "last blocks": rf"block[67]_(depthwise|pointwise)/kernel|{HEAD}"},
    "full": {"head": HEAD, "all": rf"{CONVOLUTIONS}|{HEAD}"},
    "full-hot": {"head": HEAD, "all": rf"{CONVOLUTIONS}|{HEAD}"},
    "discriminative": {"head": HEAD, "all": rf"{CONVOLUTIONS}|{HEAD}"},
    "lora@8": {"adapters": rf"block\d_pointwise/lora_kernel_[ab]|{HEAD}"},
    "qlora@8": {"adapters": rf"block\d_pointwise/lora_kernel_[ab]|{HEAD}"},
    "qlora4@8": {"adapters": rf"block\d_pointwise/lora_kernel_[ab]|{HEAD}"},
    "hybrid@3": {
        "new blocks": rf"new\d_(depthwise|pointwise)/kernel"
        rf"|batch_normalization(_\d+)?/(gamma|beta)|{HEAD}"
    },
}
COUNTS = {"complete": 19, "full": 19, "partial@2": 8, "lora@8": 18, "hybrid@3": 16, "probe": 2}


def built(arm: arms.Arm) -> adapt.Network:
    keras.utils.set_random_seed(0)
    path = None if arm.strategy.start == "random" else weights_file(TINY)
    return adapt.build(TINY, (24, 24, 3), CLASSES, path, building.change_of(arm))


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 24, 24, 3), np.uint8)


def values(network: adapt.Network) -> dict[str, np.ndarray]:
    found = {variable.path: np.array(variable) for variable in network.whole.variables}
    assert len(found) == len(network.whole.variables)
    return found


def train(network: adapt.Network, phase: Phase) -> None:
    """Train a phase as a run does: on the output of what stays frozen, where there is any."""
    lower, upper = adapt.halves(network, phase.trainable, phase.blocks)
    images = noise(40)
    inputs = images if lower is None else lower.predict(images, verbose=0)
    labels = np.arange(len(images)) % CLASSES
    if phase.optimizer == LBFGS:
        phase = replace(phase, optimizer="adam", learning_rate=1e-3)  # what trains is the same
    fit(
        upper,
        phase,
        (inputs, labels),
        (inputs[:8], labels[:8]),
        CLASSES,
        seed=0,
        runtime=CPU,
        result=Fit(),
        clock=Clock(),
        tell=lambda epoch: None,
    )


def test_every_strategy_is_looked_at():
    named = {arms.parse(f"tiny:{name}").strategy_name for name in STRATEGIES}
    assert named == set(TRAINS)
    for name, expected in TRAINS.items():
        phases = STRATEGIES[name.partition("@")[0]].phases
        assert [phase.name for phase in phases] == list(expected)


@pytest.mark.parametrize("name", TRAINS)
def test_what_is_to_train_trains_and_all_else_keeps_every_bit(name):
    arm = arms.parse(f"tiny:{name}")
    network = built(arm)
    settled = recipes.phases(arm, 40, epochs=4, batch_size=20, source_size=40)
    for phase in (one for one in settled if one.name != SOURCE):
        adapt.set_trainable(network, phase.trainable, phase.blocks)
        pattern = re.compile(rf"(?:.*/)?(?:{TRAINS[name][phase.name]})")
        wanted = {path for path in values(network) if pattern.fullmatch(path)}
        moving = {variable.path for variable in network.whole.trainable_variables}
        assert moving == wanted
        before = values(network)
        train(network, phase)
        after = values(network)
        statistics = {p for p in before if "/moving_" in p}
        own = wanted | (statistics if name == "scratch" else set())
        own |= {path for path in statistics if "/batch_normalization" in f"/{path}"}
        states = {path for path in before if "seed_generator" in path}
        for path in before:
            if path in own:
                assert (before[path] != after[path]).any(), path
            elif path not in states:
                assert (before[path] == after[path]).all(), path
    if name in COUNTS:
        assert len(wanted) == COUNTS[name]


@pytest.mark.parametrize("name", ["frozen", "partial@1", "partial@4", "hybrid@3", "hybrid@6"])
def test_what_stays_frozen_and_what_trains_are_together_the_whole(name):
    arm = arms.parse(f"tiny:{name}")
    network = built(arm)
    last = recipes.phases(arm, 40, None, None)[-1]
    lower, upper = adapt.halves(network, last.trainable, last.blocks)
    images = noise(6)
    np.testing.assert_allclose(
        upper.predict(lower.predict(images, verbose=0), verbose=0),
        network.whole.predict(images, verbose=0),
        atol=1e-5,
    )


@pytest.mark.parametrize("count", [0, 8, 99])
def test_blocks_that_are_not_there_are_named_in_the_error(count):
    network = built(arms.parse("tiny:partial"))
    with pytest.raises(ValueError, match=r"block0, block1, .*block7"):
        adapt.set_trainable(network, "last", count)


def test_rates_fall_from_block_to_block_towards_the_input():
    network = built(arms.parse("tiny:discriminative"))
    adapt.set_trainable(network, "all")
    depths = adapt.depths(network)
    assert depths["block7_pointwise/kernel"] == 1
    assert depths["block0_conv/kernel"] == 8
    assert not {v.path for v in network.head.variables} & set(depths)


def test_the_first_step_of_a_variable_is_as_long_as_its_rate():
    first, second = (keras.Variable(np.ones(3, np.float32), name=n) for n in ("one", "two"))
    optimizer = keras.optimizers.Adam(0.1)
    at_rates(optimizer, {second.path: 0.25})
    optimizer.apply([np.full(3, 5.0, np.float32)] * 2, [first, second])
    # Adam's first step is as long as the learning rate, whatever the gradient.
    np.testing.assert_allclose(np.array(first), 0.9, atol=1e-5)
    np.testing.assert_allclose(np.array(second), 0.975, atol=1e-5)


@pytest.mark.parametrize("name", ["adam", "sgd", "rmsprop"])
def test_rates_of_their_own_leave_variables_the_optimizer_and_the_decay_of_their_phase(name):
    phase = recipes.phases(arms.parse("tiny:full"), 1000, None, None)[-1]
    phase = replace(phase, optimizer=name, weight_decay=0.01, schedule="constant")
    plain, rated = make_optimizer(phase, 10), make_optimizer(phase, 10, {"other": 0.5})
    assert type(rated) is type(plain) and rated.weight_decay == 0.01
    moved = []
    for optimizer in (plain, rated):
        variable = keras.Variable(np.ones(3, np.float32), name="own")
        for _ in range(3):
            optimizer.apply([np.full(3, 0.5, np.float32)], [variable])
        moved.append(np.array(variable))
    assert (moved[0] == moved[1]).all() and (moved[0] != 1).all()


def test_full_and_full_hot_differ_in_the_rate_alone():
    low, hot = (
        recipes.phases(arms.parse(f"tiny:{name}"), 1000, None, None)
        for name in ("full", "full-hot")
    )
    assert low[0] == hot[0]
    assert low[1] == replace(hot[1], learning_rate=low[1].learning_rate) != hot[1]
    assert 1e-5 <= low[1].learning_rate <= 3e-4
    base = recipes.RECIPES["base"]
    assert hot[1].learning_rate == base.learning_rate
