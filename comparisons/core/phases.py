"""A phase: what trains, for how many epochs, and by which recipe, settled to the last number."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

# What trains in a phase (see models.adapt.set_trainable). Where the first blocks stay frozen,
# their output is computed once and kept: "head", "last" and "new" train on that.
Part = Literal["all", "head", "last", "adapters", "new"]

LBFGS = "lbfgs"  # the optimizer of linear probes, which looks at all examples in each step
SOURCE = "source"  # the name of the phase that trains a base on its source data set


def _always(value: Any) -> Any:
    """A default that is written like any other value: the IDs of runs hold it."""
    return msgspec.field(default_factory=lambda: value)


class Training(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a network is trained, whatever of it trains.

    What few phases have, and what the knobs turn, is left out of records where it is as usual,
    so that a new field gives no other ID to a run that does not use it.
    """

    optimizer: Annotated[
        str,
        Meta(
            description="a row of comparisons.training.optimizers; `lbfgs`: a linear probe's "
            "(comparisons.training.linear_probe), whose iterations are the epochs"
        ),
    ]
    learning_rate: Annotated[float, Meta(description="the highest of its schedule")]
    batch_size: Annotated[int, Meta(description="images in a step")]
    epochs: Annotated[int, Meta(description="passes over the training images")]
    schedule: Annotated[
        str,
        Meta(description="`constant`, or `warmup-cosine`: up for a fifth of the steps, then down"),
    ] = _always("constant")
    weight_decay: Annotated[
        float,
        Meta(description="per step, apart from the gradient (arXiv:1711.05101)"),
    ] = _always(0.0)
    label_smoothing: Annotated[
        float, Meta(description="share of a target that is spread over all classes")
    ] = _always(0.0)
    augment: Annotated[
        tuple[str, ...],
        Meta(description="what is drawn for each image, rows of comparisons.training.augment"),
    ] = _always(())
    views: Annotated[
        tuple[str, ...],
        Meta(
            description="rows of comparisons.data.views whose features are kept where a part "
            "stays frozen; one of them is drawn for each image and epoch"
        ),
    ] = ("original",)
    views_at_test: Annotated[
        tuple[str, ...],
        Meta(
            description="those of a test image whose logits are averaged: one, unless a preset has "
            "a goal of its own or a knob asks what more bring"
        ),
    ] = ("original",)
    windowed: Annotated[
        float,
        Meta(
            description="the share of the epochs, from the first on, that see windows of the "
            "images (progressive resizing by cropping)"
        ),
    ] = 0.0
    rate_decay: Annotated[
        float,
        Meta(
            description="multiplies the rate of a block for every block between it and the head "
            "(Howard & Ruder 2018, arXiv:1801.06146, section 3.2)"
        ),
    ] = 1.0
    init: Annotated[
        str | None,
        Meta(description="the row of models.kernels.INITS that all kernels are drawn by"),
    ] = None
    dropout: Annotated[
        float, Meta(description="share of features withheld from the head in each step")
    ] = 0.0
    l1: Annotated[float, Meta(description="weighs sum |w| of all kernels in the loss")] = 0.0
    l2: Annotated[float, Meta(description="weighs sum w² of all kernels in the loss")] = 0.0
    class_weights: Annotated[
        bool,
        Meta(
            description="whether an image of class c weighs n / (k n_c) in the loss, of n images "
            "in k classes, n_c of them in that one: rare classes count like others"
        ),
    ] = False
    patience: Annotated[
        int,
        Meta(
            description="epochs without a lower validation loss after which training stops and "
            "goes back; 0: never"
        ),
    ] = 0
    found_rate: Annotated[
        bool,
        Meta(description="the rate is a multiple of the one that a range test finds"),
    ] = False

    @property
    def windowed_epochs(self) -> int:
        """How many epochs, from the first on, see windows of the images."""
        return round(self.windowed * self.epochs)


class Phase(Training, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of training: which variables move, and how."""

    name: Annotated[str, Meta(description="its name on pages; `source` comes before all others")]
    trainable: Annotated[
        Part,
        Meta(
            description="what moves: `all`, the `head`, the `last` blocks and the head, "
            "`adapters` and the head, or `new` blocks and the head"
        ),
    ]
    blocks: Annotated[int, Meta(description="how many of the last blocks train")] = 0
