"""The table of strategies: how a model is trained, one row each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """A stretch of training: which variables move, and by which recipe.

    `trainable` is "all" or "head". `recipe` names a row of comparisons.recipes; None means
    the recipe that belongs to the model.
    """

    name: str
    trainable: str
    recipe: str | None = None


@dataclass(frozen=True)
class Strategy:
    """A row of the table: the question that it answers, its start and its phases."""

    name: str
    question: str
    pretrained: bool
    phases: tuple[Phase, ...]


STRATEGIES = {
    row.name: row
    for row in (
        Strategy(
            "scratch",
            "What do I reach from random weights, with my own images alone?",
            pretrained=False,
            phases=(Phase("train", "all"),),
        ),
        Strategy(
            "frozen",
            "What do I reach if I only train a new head on a pretrained base?",
            pretrained=True,
            phases=(Phase("head", "head", recipe="head"),),
        ),
    )
}
