"""Which arms their recipe's epochs stop early, as tuning measured it.

An arm is stopped early where twice the epochs of its recipe gain a point or more on validation
images (`python -m comparisons.tune ARM --tries "twice the epochs"`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from comparisons.core.errors import ComparisonError
from comparisons.core.phases import Phase
from comparisons.plan import arms, recipes

A_POINT = 0.01
STOPPED_EARLY = "stopped early by its epochs"
DATA = "cifar10"  # what it was measured on
# Of each arm that was tried the sizes at which it was, and those at which it is stopped early. A
# test holds them to results/evidence/tuning.
SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "cnn:scratch": ((500, 2_000, 5_000, 10_000, 45_000), (10_000, 45_000)),
    "mobilenet@0.25x160:frozen": ((5_000, 45_000), (45_000,)),
    "mobilenet@0.25x64:frozen": ((500, 2_000, 5_000, 10_000, 45_000), ()),
    "mobilenet@0.25x64:full": ((500, 2_000, 5_000, 10_000), ()),
    "mobilenet@0.25x64:scratch": ((500, 2_000), (2_000,)),
}


def stopped_early(arm: str, train_size: int, phases: Sequence[Phase]) -> bool:
    """Whether an arm that trained by its own recipe was stopped early, at the nearest size tried.

    False for what was not tried, and for what trained for more or fewer epochs than its recipe.
    """
    if arm not in SIZES or not by_recipe(arm, train_size, phases):
        return False
    tried, early = SIZES[arm]
    # Of two as near as each other the larger: more images leave more to learn.
    nearest = min(tried, key=lambda size: (round(abs(math.log(size / train_size)), 6), -size))
    return nearest in early


def by_recipe(arm: str, train_size: int, phases: Sequence[Phase]) -> bool:
    """Whether an arm trained on its target by its own recipe's epochs, in batches of its size.

    True for what is no arm here, whose recipe nobody knows.
    """
    try:
        usual = recipes.phases(arms.parse(arm), train_size, None, None, recipes.REFERENCE_SIZE)
    except ComparisonError:
        return True
    return _of_target(usual) == _of_target(phases)


def _of_target(phases: Sequence[Phase]) -> list[tuple[int, int]]:
    return [(p.epochs, p.batch_size) for p in phases if p.name != recipes.SOURCE]
