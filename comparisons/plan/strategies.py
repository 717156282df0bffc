"""The table of strategies: how a model is trained, one row each, readable as a lesson."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from comparisons.core.phases import Part
from models.catalog import Head

# What a strategy begins with: random weights, a pretrained base, or a base that it first
# trains itself on a source data set.
Start = Literal["random", "pretrained", "source"]


@dataclass(frozen=True)
class Outline:
    """A phase in outline: what trains, and by which recipe.

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
    under adapters; `head` is a row of models.adapt.HEADS that takes the place of the model's own.
    """

    name: str
    question: str
    start: Start
    phases: tuple[Outline, ...]
    option: tuple[str, int] | None = None
    bits: int = 32
    head: Head | None = None

    @property
    def pretrained(self) -> bool:
        """Whether published or given weights are needed."""
        return self.start == "pretrained"

    @property
    def moves_base(self) -> bool:
        """Whether a base that was trained before changes: only then can it forget."""
        moving = ("all", "last", "adapters")
        return self.start != "random" and any(phase.trainable in moving for phase in self.phases)


HEAD = Outline("head", "head", recipe="head")
ADAPTERS = Outline("adapters", "adapters", recipe="adapters")

STRATEGIES = {
    row.name: row
    for row in (
        Strategy(
            "scratch",
            "What do I reach from random weights, with my own images alone?",
            start="random",
            phases=(Outline("train", "all"),),
        ),
        Strategy(
            "complete",
            "What if I first train the whole network on a large data set myself, and pay for it?",
            start="source",
            phases=(HEAD, Outline("all", "all", recipe="complete")),
        ),
        Strategy(
            "probe",
            "How much do the base's features say already, read by a single linear layer?",
            start="pretrained",
            phases=(Outline("head", "head", recipe="probe"),),
            head="linear",
        ),
        Strategy(
            "frozen",
            "What do I reach if I only train a new head on a pretrained base?",
            start="pretrained",
            phases=(HEAD,),
        ),
        # Two mistakes of its texts are mended: comparisons/README.md names them.
        Strategy(
            "classic",
            "What does the tutorial's head reach, which reads the base's last maps one by one?",
            start="pretrained",
            phases=(Outline("head", "head", recipe="classic"),),
            head="classic",
        ),
        Strategy(
            "frozen-views",
            "Does a frozen base gain from mirrored and shifted images, at cached speed?",
            start="pretrained",
            phases=(Outline("head", "head", recipe="head-views"),),
        ),
        Strategy(
            "partial",
            "What do I gain if the last blocks of the base adapt as well?",
            start="pretrained",
            phases=(HEAD, Outline("last blocks", "last", recipe="last")),
            option=("blocks", 2),
        ),
        Strategy(
            "full",
            "What do I gain if the whole base adapts, slowly, once the head has settled?",
            start="pretrained",
            phases=(HEAD, Outline("all", "all", recipe="low")),
        ),
        Strategy(
            "full-hot",
            "What is lost if the whole base trains at the rate of training from scratch?",
            start="pretrained",
            phases=(HEAD, Outline("all", "all", recipe="hot")),
        ),
        Strategy(
            "discriminative",
            "Does it help if every block has its own rate, lower towards the input?",
            start="pretrained",
            phases=(HEAD, Outline("all", "all", recipe="discriminative")),
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
            phases=(Outline("new blocks", "new", recipe="new"),),
            option=("blocks", 3),
        ),
    )
}
