"""The table of strategies: how a model is trained, one row each, readable as a lesson."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What trains in a phase (see models.adapt.set_trainable). Where the first blocks stay frozen,
# their output is computed once and kept: "head", "last" and "new" train on that.
Part = Literal["all", "head", "last", "adapters", "new"]
# What a strategy begins with: random weights, a pretrained base, or a base that it first
# trains itself on a source data set.
Start = Literal["random", "pretrained", "source"]


@dataclass(frozen=True)
class Phase:
    """A stretch of training: which variables move, and by which recipe.

    `recipe` names a row of comparisons.plan.recipes; None means the model's
    own.
    """

    name: str
    trainable: Part
    recipe: str | None = None


@dataclass(frozen=True)
class Strategy:
    """A row of the table: the question that it answers, its start and its phases.

    `option` names what may follow the strategy's name after `@`, with its default: `blocks`, how
    many of the last ones train or are replaced, or the `rank` of adapters. `bits` hold a weight
    under adapters; `linear` makes the head a single layer.
    """

    name: str
    question: str
    start: Start
    phases: tuple[Phase, ...]
    option: tuple[str, int] | None = None
    bits: int = 32
    linear: bool = False

    @property
    def pretrained(self) -> bool:
        """Whether published or given weights are needed."""
        return self.start == "pretrained"

    @property
    def moves_base(self) -> bool:
        """Whether a base that was trained before changes: only then can it forget."""
        moving = ("all", "last", "adapters")
        return self.start != "random" and any(phase.trainable in moving for phase in self.phases)


HEAD = Phase("head", "head", recipe="head")
ADAPTERS = Phase("adapters", "adapters", recipe="adapters")

STRATEGIES = {
    row.name: row
    for row in (
        Strategy(
            "scratch",
            "What do I reach from random weights, with my own images alone?",
            start="random",
            phases=(Phase("train", "all"),),
        ),
        Strategy(
            "complete",
            "What if I first train the whole network on a large data set myself, and pay for it?",
            start="source",
            phases=(HEAD, Phase("all", "all", recipe="complete")),
        ),
        Strategy(
            "probe",
            "How much do the base's features say already, read by a single linear layer?",
            start="pretrained",
            phases=(HEAD,),
            linear=True,
        ),
        Strategy(
            "frozen",
            "What do I reach if I only train a new head on a pretrained base?",
            start="pretrained",
            phases=(HEAD,),
        ),
        Strategy(
            "frozen-views",
            "Does a frozen base gain from mirrored and shifted images, at cached speed?",
            start="pretrained",
            phases=(Phase("head", "head", recipe="head-views"),),
        ),
        Strategy(
            "partial",
            "What do I gain if the last blocks of the base adapt as well?",
            start="pretrained",
            phases=(HEAD, Phase("last blocks", "last", recipe="last")),
            option=("blocks", 2),
        ),
        Strategy(
            "full",
            "What do I gain if the whole base adapts, slowly, once the head has settled?",
            start="pretrained",
            phases=(HEAD, Phase("all", "all", recipe="low")),
        ),
        Strategy(
            "full-hot",
            "What is lost if the whole base trains at the rate of training from scratch?",
            start="pretrained",
            phases=(HEAD, Phase("all", "all", recipe="hot")),
        ),
        Strategy(
            "discriminative",
            "Does it help if every block has its own rate, lower towards the input?",
            start="pretrained",
            phases=(HEAD, Phase("all", "all", recipe="discriminative")),
        ),
        Strategy(
            "lora",
            "What do I reach with small adapters beside the frozen weights?",
            start="pretrained",
            phases=(ADAPTERS,),
            option=("rank", 8),
        ),
        Strategy(
            "qlora",
            "And if the frozen weights are held in 8 bits under the adapters?",
            start="pretrained",
            phases=(ADAPTERS,),
            option=("rank", 8),
            bits=8,
        ),
        Strategy(
            "qlora4",
            "And in 4 bits?",
            start="pretrained",
            phases=(ADAPTERS,),
            option=("rank", 8),
            bits=4,
        ),
        Strategy(
            "hybrid",
            "What if new blocks of my own take the place of the base's last ones?",
            start="pretrained",
            phases=(Phase("new blocks", "new", recipe="new"),),
            option=("blocks", 3),
        ),
    )
}
