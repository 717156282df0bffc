"""The bill of a run: where its seconds went, by one rule for all, and who else was at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from comparisons.core.parts import Duration, Share


class Seconds(msgspec.Struct):
    """Where the time of a run went: every second of it is charged to exactly one part.

    Learning is what somebody pays for the trained network; measuring what we pay to know how good
    it is; watching and checkpoints are neither. What a cache can save is here twice: as spent in
    this run, and `_cold`, as it costs where the cache is empty, whatever this run found in it.
    """

    read: Annotated[
        Duration, Meta(description="learning: reading the kept copy of the data set")
    ] = 0.0
    setup: Annotated[
        Duration,
        Meta(
            description="learning: building the network, loading weights, splitting, whitening, a "
            "range test, preparing the engine over what stays frozen"
        ),
    ] = 0.0
    source: Annotated[
        Duration,
        Meta(
            description="learning: the source phase under `complete`; hardly anything where its "
            "base was found ready"
        ),
    ] = 0.0
    compile: Annotated[
        Duration,
        Meta(description="learning: a first step of training in each phase, taken back afterwards"),
    ] = 0.0
    extract_train: Annotated[
        Duration,
        Meta(description="learning: passing the training images through what stays frozen"),
    ] = 0.0
    train: Annotated[Duration, Meta(description="learning: the epochs, validation apart")] = 0.0
    extract_validation: Annotated[
        Duration,
        Meta(description="measuring: passing validation images through what stays frozen"),
    ] = 0.0
    extract_test: Annotated[
        Duration, Meta(description="measuring: passing test images through what stays frozen")
    ] = 0.0
    validate: Annotated[
        Duration, Meta(description="measuring: loss and accuracy of validation images")
    ] = 0.0
    test: Annotated[Duration, Meta(description="measuring: logits and metrics of test images")] = (
        0.0
    )
    robustness: Annotated[
        Duration,
        Meta(
            description="measuring: corrupting test images, passing them through what stays "
            "frozen, their logits; by `--robustness` alone"
        ),
    ] = 0.0
    watch: Annotated[
        Duration,
        Meta(
            description="neither: what a base forgets, how far it moves, how good a base trained "
            "here is on its source, signals before training"
        ),
    ] = 0.0
    checkpoint: Annotated[
        Duration,
        Meta(
            description="neither: keeping checkpoints of a long run, and doing again what had been "
            "done before one that the run continued from"
        ),
    ] = 0.0
    setup_cold: Annotated[
        Duration, Meta(description="`setup` with the engine prepared in this run")
    ] = 0.0
    source_cold: Annotated[
        Duration, Meta(description="`source` with the base trained in this run")
    ] = 0.0
    extract_train_cold: Annotated[
        Duration, Meta(description="`extract_train` with every feature made in this run")
    ] = 0.0
    extract_validation_cold: Annotated[
        Duration, Meta(description="`extract_validation` with every feature made in this run")
    ] = 0.0
    extract_test_cold: Annotated[
        Duration, Meta(description="`extract_test` with every feature made in this run")
    ] = 0.0
    robustness_cold: Annotated[
        Duration, Meta(description="`robustness` with every feature made in this run")
    ] = 0.0
    engine_cold: Annotated[
        Duration, Meta(description="the part of `setup_cold` in which the engine is prepared")
    ] = 0.0
    learning: Annotated[
        Duration, Meta(description="read, setup, source, compile, extract_train and train")
    ] = 0.0
    learning_cold: Annotated[Duration, Meta(description="the same with an empty cache")] = 0.0
    measuring: Annotated[
        Duration,
        Meta(description="extract_validation, extract_test, validate, test and robustness"),
    ] = 0.0
    measuring_cold: Annotated[Duration, Meta(description="the same with an empty cache")] = 0.0
    total: Annotated[Duration, Meta(description="learning and measuring")] = 0.0
    total_cold: Annotated[Duration, Meta(description="the same with an empty cache")] = 0.0

    @property
    def in_all(self) -> float:
        """All that the run spent: learning, measuring, watching and keeping checkpoints."""
        return self.total + self.watch + self.checkpoint


LEARNING = ("read", "setup", "source", "compile", "extract_train", "train")
MEASURING = ("extract_validation", "extract_test", "validate", "test", "robustness")
NEITHER = ("watch", "checkpoint")
COLD = "_cold"  # ends the name of a part as it costs where the cache is empty


def summed(spent: Mapping[str, float], saved: Mapping[str, float], engine: float = 0.0) -> Seconds:
    """The one rule of every run's bill.

    `spent` are the seconds of each part in this run, `saved` those that each would have cost more
    with an empty cache (less, where negative); what is not named is 0. `engine` is the part of
    setup that prepares the engine, with an empty cache.
    """
    parts = {name: max(spent.get(name, 0.0), 0.0) for name in (*LEARNING, *MEASURING, *NEITHER)}
    cold = {name: max(parts[name] + saved.get(name, 0.0), 0.0) for name in parts}
    twins = {
        name: cold[name.removesuffix(COLD)]
        for name in Seconds.__struct_fields__
        if name.endswith(COLD) and name.removesuffix(COLD) in parts
    }
    sums: dict[str, float] = {}
    for ending, each in (("", parts), (COLD, cold)):
        learning, measuring = (sum(each[name] for name in names) for names in (LEARNING, MEASURING))
        sums |= {
            f"learning{ending}": learning,
            f"measuring{ending}": measuring,
            f"total{ending}": learning + measuring,
        }
    return Seconds(**parts, **twins, engine_cold=engine, **sums)


class Neighbours(msgspec.Struct):
    """What else kept the processors busy while a run computed."""

    others: Annotated[
        Share,
        Meta(description="share of the processors that others used, by the system's own count"),
    ] = 0.0
    throttled: Annotated[
        Share,
        Meta(
            description="where a control group limits the processors: share of the time in which "
            "it held the run back"
        ),
    ] = 0.0
    runs: Annotated[
        int,
        Meta(ge=0, description="other runs of its plan on the same machine at once, at the most"),
    ] = 0

    @property
    def share(self) -> float:
        """The larger of the two."""
        return max(self.others, self.throttled)

    def joined(self, other: Neighbours) -> Neighbours:
        """The busier of both, share by share."""
        return Neighbours(max(self.others, other.others), max(self.throttled, other.throttled))


class Costs(msgspec.Struct):
    """When the costs of what a cache had ready were measured, the oldest, and how busy it was then.

    The share of the processors is weighed by seconds: a tenth of a second beside the end of
    another process is no busy moment of what took ten.
    """

    measured: Annotated[str, Meta(description="date and time, UTC, of the oldest")]
    others: Annotated[
        Share, Meta(description="share of the processors that others used meanwhile")
    ] = 0.0
    seconds: Annotated[float, Meta(ge=0, description="what all of it took, by the wall")] = 0.0

    def joined(self, other: Costs) -> Costs:
        """Both together."""
        seconds = self.seconds + other.seconds
        weight = self.seconds / seconds if seconds else 0.5
        others = weight * self.others + (1 - weight) * other.others
        return Costs(min(self.measured, other.measured), round(others, 4), seconds)
