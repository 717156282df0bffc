"""The table of recipes: optimizer, rates, batches, epochs and augmentation of a phase."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from comparisons.arms import Arm

REFERENCE_SIZE = 45_000


@dataclass(frozen=True)
class Recipe:
    """How a phase is trained, stated for 45,000 images.

    On n images `epochs` grow by (45,000 / n) ** `growth`: fewer images need more passes, though
    fewer steps in all; a head on fixed features less so. `batch_size` shrinks so that an
    epoch keeps at least 16 steps, down to 32 images. `augment` names functions of
    comparisons.augment. `flip_at_test` averages the logits of an image and its mirror image.
    """

    optimizer: str
    learning_rate: float
    batch_size: int
    epochs: int
    schedule: str = "constant"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    augment: tuple[str, ...] = ()
    flip_at_test: bool = False
    growth: float = 0.5


RECIPES = {
    # https://www.tensorflow.org/tutorials/images/cnn: Adam at its default rate, ten epochs.
    "tutorial-cnn": Recipe("adam", 1e-3, batch_size=32, epochs=10, growth=0.0),
    "cnn": Recipe(
        "sgd",
        0.25,
        batch_size=256,
        epochs=8,
        schedule="warmup-cosine",
        weight_decay=2e-3,
        label_smoothing=0.1,
        augment=("flip", "crop"),
        flip_at_test=True,
    ),
    "base": Recipe(
        "adam",
        2e-3,
        batch_size=64,
        epochs=4,
        schedule="warmup-cosine",
        label_smoothing=0.1,
        augment=("flip", "crop"),
    ),
    "head": Recipe("adam", 2e-3, batch_size=256, epochs=12, schedule="warmup-cosine", growth=0.25),
}


def phases(
    arm: Arm, train_size: int, epochs: int | None, batch_size: int | None
) -> list[dict[str, Any]]:
    """The arm's phases with every number settled, as they go into the record.

    `epochs` and `batch_size` override the recipes; epochs of several phases are scaled so that
    they add up to `epochs`, each at least one.
    """
    settled = []
    for phase in arm.strategy.phases:
        own = arm.model.name if arm.model.name in RECIPES else "base"
        recipe = RECIPES[phase.recipe or own]
        settled.append(
            {"name": phase.name, "trainable": phase.trainable} | settle(recipe, train_size)
        )
    if epochs is not None:
        shares = spread(epochs, [values["epochs"] for values in settled])
        for values, share in zip(settled, shares, strict=True):
            values["epochs"] = share
    if batch_size is not None:
        for values in settled:
            values["batch_size"] = min(batch_size, train_size)
    return settled


def settle(recipe: Recipe, train_size: int) -> dict[str, Any]:
    """A recipe's numbers for a training set of `train_size` images."""
    values = asdict(recipe)
    values["augment"] = list(recipe.augment)
    growth = (REFERENCE_SIZE / train_size) ** values.pop("growth")
    values["epochs"] = max(1, round(recipe.epochs * growth))
    while values["batch_size"] > 32 and train_size / values["batch_size"] < 16:
        values["batch_size"] //= 2
    values["batch_size"] = min(values["batch_size"], train_size)
    return values


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
