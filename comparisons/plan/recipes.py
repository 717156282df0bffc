"""The table of recipes: optimizer, rates, batches, epochs and augmentation of a phase."""

from __future__ import annotations

import math

from msgspec.structs import asdict, replace

from comparisons.core.errors import ComparisonError
from comparisons.core.phases import LBFGS, SOURCE, Part, Phase, Training
from comparisons.plan.arms import Arm

REFERENCE_SIZE = 45_000
# The budget, one rule for all arms: none is shown more than MOST_EPOCHS * sqrt(45,000 * n) images.
MOST_EPOCHS = 18
FEWEST_STEPS, SMALLEST_BATCH = 16, 32


class Recipe(Training, frozen=True, kw_only=True):
    """How a phase is trained, stated for 45,000 images.

    On n images `epochs` grow by (45,000 / n) ** `growth`: fewer images need more passes, though
    fewer steps in all; a head on fixed features less so. `batch_size` shrinks so that an epoch
    keeps at least 16 steps, down to 32 images. `weight_decay` grows by (45,000 / n) **
    `decay_growth`, up to `most_decay`: few images are the sooner learnt by heart. `learning_rate`
    falls by (n / 45,000) ** `rate_growth`, for smaller batches are noisier.
    """

    growth: float = 0.5
    decay_growth: float = 0.0
    most_decay: float = math.inf
    rate_growth: float = 0.0


HEAD = Recipe(
    optimizer="adamw",
    learning_rate=2e-3,
    batch_size=256,
    epochs=12,
    schedule="warmup-cosine",
    weight_decay=0.05,
    growth=0.25,
    decay_growth=1.0,
)
# How a base moves; what moves more than `full` differs from it in the rate.
LOW = Recipe(
    optimizer="adamw",
    learning_rate=3e-4,
    batch_size=64,
    epochs=3,
    schedule="warmup-cosine",
    weight_decay=0.3,
    augment=("flip", "crop"),
)

CNN = Recipe(
    optimizer="sgd",
    learning_rate=0.15,
    batch_size=128,
    epochs=8,
    schedule="warmup-cosine",
    weight_decay=5e-3,
    decay_growth=0.9,
    most_decay=0.2,
    rate_growth=0.25,
    label_smoothing=0.1,
    augment=("flip", "crop"),
)

RECIPES = {
    # https://www.tensorflow.org/tutorials/images/cnn: Adam at its default rate, ten epochs.
    "tutorial-cnn": Recipe(
        optimizer="adam", learning_rate=1e-3, batch_size=32, epochs=10, growth=0.0
    ),
    "cnn": CNN,
    "cnn-medium": replace(CNN, epochs=6),
    "cnn-large": replace(
        CNN, optimizer="muon", learning_rate=0.2, batch_size=256, epochs=12, windowed=1 / 3
    ),
    "mlp": Recipe(optimizer="adam", learning_rate=1e-3, batch_size=64, epochs=10, growth=0.0),
    "plain-cnn": Recipe(
        optimizer="adam",
        learning_rate=5e-4,
        batch_size=32,
        epochs=8,
        growth=0.0,
    ),
    "base": Recipe(
        optimizer="adamw",
        learning_rate=6e-3,
        batch_size=64,
        epochs=16,
        schedule="warmup-cosine",
        weight_decay=0.3,
        label_smoothing=0.1,
        augment=("flip", "crop"),
    ),
    "head": HEAD,
    # As its text has it: RMSprop at its default rate, 50 epochs of 2,000 images.
    "classic": Recipe(optimizer="rmsprop", learning_rate=1e-3, batch_size=16, epochs=10),
    # Its epochs are iterations of L-BFGS over all examples at once (training.linear_probe).
    "probe": Recipe(
        optimizer=LBFGS,
        learning_rate=1.0,
        batch_size=REFERENCE_SIZE,
        epochs=100,
        growth=0.0,
    ),
    "head-views": replace(HEAD, views=("original", "mirror", "left", "right")),
    # Not augmented, so that the frozen blocks' output can be kept.
    "last": Recipe(
        optimizer="adam", learning_rate=6e-4, batch_size=64, epochs=6, schedule="warmup-cosine"
    ),
    "new": Recipe(
        optimizer="adam", learning_rate=1e-3, batch_size=64, epochs=6, schedule="warmup-cosine"
    ),
    "low": LOW,
    # The rate of "base": the mistake is the rate alone.
    "hot": replace(LOW, learning_rate=6e-3),
    "complete": replace(LOW, learning_rate=5e-4),
    "discriminative": replace(LOW, learning_rate=3e-4, rate_decay=0.7),
    "adapters": replace(LOW, learning_rate=1e-3),
}


def phases(
    arm: Arm,
    train_size: int,
    epochs: int | None,
    batch_size: int | None,
    source_size: int | None = None,
) -> list[Phase]:
    """The arm's phases with every number settled, as they go into the record.

    `epochs` and `batch_size` override the recipes; epochs of several phases are scaled so that
    they add up to `epochs`, each at least one. An arm that begins with a source data set, of
    `source_size` training images, has the phase `source` before its others: what it is does not
    depend on the target's size, so that one source base serves every size. Raises
    ComparisonError for a model whose recipe is not there.
    """
    own, left = _own(arm), epochs
    first: list[Phase] = []
    if arm.strategy.start == "source":
        assert source_size is not None
        source = settle(own, source_size, SOURCE, "all", batch_size=batch_size)
        if epochs is not None:
            usual = phases(arm, REFERENCE_SIZE, None, batch_size, source_size)
            source = replace(source, epochs=spread(epochs, [p.epochs for p in usual])[0])
            left = epochs - source.epochs
        first = [source]
    target = [
        settle(
            RECIPES[phase.recipe] if phase.recipe else own,
            train_size,
            phase.name,
            phase.trainable,
            blocks=(arm.value or 0) if phase.trainable == "last" else 0,
            batch_size=batch_size,
        )
        for phase in arm.strategy.phases
    ]
    if left is not None:
        shares = spread(left, [phase.epochs for phase in target])
        target = [replace(p, epochs=share) for p, share in zip(target, shares, strict=True)]
    return [*first, *target]


def unmirrored(phase: Phase) -> Phase:
    """The phase without mirrored images, for what is not the same in a mirror, such as digits."""
    return replace(
        phase,
        augment=tuple(name for name in phase.augment if name != "flip"),
        views=tuple(name for name in phase.views if name != "mirror"),
        views_at_test=tuple(name for name in phase.views_at_test if name != "mirror"),
    )


def _own(arm: Arm) -> Recipe:
    """The recipe by which the whole of an arm's model trains."""
    if arm.model.recipe not in RECIPES:
        raise ComparisonError(
            f"{arm.model.name} is to train by the recipe '{arm.model.recipe}', which is not in "
            "comparisons/plan/recipes.py: add it there, or name another in models/catalog.py"
        )
    return RECIPES[arm.model.recipe]


def settle(
    recipe: Recipe,
    train_size: int,
    name: str,
    trainable: Part,
    *,
    blocks: int = 0,
    batch_size: int | None = None,
) -> Phase:
    """A phase by a recipe on `train_size` images, with every number settled."""
    values = asdict(recipe)
    growth, decay, slower = (
        (REFERENCE_SIZE / train_size) ** values.pop(name)
        for name in ("growth", "decay_growth", "rate_growth")
    )
    size = recipe.batch_size
    while size > SMALLEST_BATCH and train_size / size < FEWEST_STEPS:
        size //= 2
    values["epochs"] = max(1, round(recipe.epochs * growth))
    most = values.pop("most_decay")
    values["weight_decay"] = float(f"{min(recipe.weight_decay * decay, most):.2g}")
    values["learning_rate"] = float(f"{recipe.learning_rate / slower:.3g}")
    values["batch_size"] = min(batch_size or size, train_size)
    if recipe.optimizer == LBFGS:
        values["batch_size"] = train_size
    return Phase(name=name, trainable=trainable, blocks=blocks, **values)


def spread(total: int, parts: list[int]) -> list[int]:
    """Scale positive whole numbers so that they add up to `total`, each at least one.

    By largest remainders. With fewer than one for each, each is one all the same.
    """
    exact = [max(0, total - len(parts)) * part / sum(parts) for part in parts]
    shares = [1 + int(value) for value in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: int(exact[i]) - exact[i])
    for i in by_remainder[: max(0, total - sum(shares))]:
        shares[i] += 1
    return shares
