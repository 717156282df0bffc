"""The table of recipes: optimizer, rates, batches, epochs and augmentation of a phase."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from comparisons.plan.arms import Arm

REFERENCE_SIZE = 45_000
SOURCE = "source"
# What the knobs turn, and else but few phases have: left out of a settled phase where as usual.
TURNED = ("init", "dropout", "l1", "l2", "patience", "found_rate")
SELDOM = ("views", "views_at_test", "windowed", "rate_decay", *TURNED)


@dataclass(frozen=True)
class Recipe:
    """How a phase is trained, stated for 45,000 images.

    On n images `epochs` grow by (45,000 / n) ** `growth`: fewer images need more passes, though
    fewer steps in all; a head on fixed features less so. `batch_size` shrinks so that an epoch
    keeps at least 16 steps, down to 32 images. `augment` names functions of
    comparisons.training.augment; `views` those of comparisons.data.views whose features are
    computed and kept where a part stays frozen, one of them drawn for each image and epoch.
    `views_at_test` are those of a test image whose logits are averaged, where nothing is frozen.
    `windowed` is the share of the epochs, from the first on, that see windows of the images
    (progressive resizing by cropping:
    docs.mosaicml.com/projects/composer/en/latest/method_cards/progressive_resizing.html).
    `rate_decay` multiplies the rate of a block for every block between it and the head (Howard &
    Ruder 2018, arXiv:1801.06146, section 3.2).

    What the knobs turn: `init` names a row of models.kernels.INITS that all kernels are drawn by
    (None: as the layers have it); `dropout` is the share of features kept from the head in each
    step; `l1` and `l2` weigh sum |w| and sum w² of all kernels in the loss; `patience` counts the
    epochs without a lower validation loss after which training stops and goes back (0: never);
    with `found_rate`, `learning_rate` is a multiple of the rate that a range test finds.
    """

    optimizer: str
    learning_rate: float
    batch_size: int
    epochs: int
    schedule: str = "constant"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    augment: tuple[str, ...] = ()
    views: tuple[str, ...] = ("original",)
    views_at_test: tuple[str, ...] = ("original",)
    windowed: float = 0.0
    rate_decay: float = 1.0
    growth: float = 0.5
    init: str | None = None
    dropout: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    patience: int = 0
    found_rate: bool = False


HEAD = Recipe("adam", 2e-3, batch_size=256, epochs=12, schedule="warmup-cosine", growth=0.25)
# How a base moves; what moves more than `full` differs from it in the rate.
LOW = Recipe(
    "adam", 1e-4, batch_size=64, epochs=3, schedule="warmup-cosine", augment=("flip", "crop")
)

CNN = Recipe(
    "sgd",
    0.15,
    batch_size=128,
    epochs=8,
    schedule="warmup-cosine",
    weight_decay=5e-3,
    label_smoothing=0.1,
    augment=("flip", "crop"),
    views_at_test=("original", "mirror"),
)

RECIPES = {
    # https://www.tensorflow.org/tutorials/images/cnn: Adam at its default rate, ten epochs.
    "tutorial-cnn": Recipe("adam", 1e-3, batch_size=32, epochs=10, growth=0.0),
    "cnn": CNN,
    "cnn-medium": replace(CNN, epochs=6),
    "cnn-large": replace(
        CNN, optimizer="muon", learning_rate=0.2, batch_size=256, epochs=12, windowed=1 / 3
    ),
    "plain-cnn": Recipe("adam", 5e-4, batch_size=32, epochs=8, growth=0.0),
    "base": Recipe(
        "adam",
        2e-3,
        batch_size=64,
        epochs=4,
        schedule="warmup-cosine",
        label_smoothing=0.1,
        augment=("flip", "crop"),
    ),
    "head": HEAD,
    "head-views": replace(HEAD, views=("original", "mirror", "left", "right")),
    # Not augmented, so that the frozen blocks' output can be kept.
    "last": Recipe("adam", 2e-4, batch_size=64, epochs=6, schedule="warmup-cosine"),
    "new": Recipe("adam", 1e-3, batch_size=64, epochs=6, schedule="warmup-cosine"),
    "low": LOW,
    # The rate of "base": the mistake is the rate alone.
    "hot": replace(LOW, learning_rate=2e-3),
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
) -> list[dict[str, Any]]:
    """The arm's phases with every number settled, as they go into the record.

    `epochs` and `batch_size` override the recipes; epochs of several phases are scaled so that
    they add up to `epochs`, each at least one. An arm that begins with a source data set, of
    `source_size` training images, has the phase `source` before its others.
    """
    own = RECIPES[arm.model.name if arm.model.name in RECIPES else "base"]
    settled = []
    if arm.strategy.start == "source":
        assert source_size is not None
        settled.append({"name": SOURCE, "trainable": "all"} | settle(own, source_size))
    for phase in arm.strategy.phases:
        recipe = RECIPES[phase.recipe] if phase.recipe else own
        values = {"name": phase.name, "trainable": phase.trainable} | settle(recipe, train_size)
        if phase.trainable == "last":
            values["blocks"] = arm.value
        settled.append(values)
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
    for field in fields(recipe):
        if field.name in SELDOM and values[field.name] == field.default:
            del values[field.name]
        elif isinstance(values[field.name], tuple):
            values[field.name] = list(values[field.name])  # as a record has it
    growth = (REFERENCE_SIZE / train_size) ** values.pop("growth")
    values["epochs"] = max(1, round(recipe.epochs * growth))
    while values["batch_size"] > 32 and train_size / values["batch_size"] < 16:
        values["batch_size"] //= 2
    values["batch_size"] = min(values["batch_size"], train_size)
    return values


def windowed_epochs(phase: dict[str, Any]) -> int:
    """How many epochs of a settled phase, from the first on, see windows of the images."""
    return round(phase.get("windowed", 0.0) * phase["epochs"])


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
