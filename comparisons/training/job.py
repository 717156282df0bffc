"""What the steps of one run share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
from filelock import FileLock

from comparisons.core.clock import Clock, Cost
from comparisons.core.control import Control
from comparisons.core.events import Tell
from comparisons.core.phases import Phase
from comparisons.core.records import Costs, RangeTest, Source, Start
from comparisons.data import Dataset, Subset
from comparisons.plan.arms import Arm
from comparisons.plan.runs import Run
from comparisons.training.checkpoint import Checkpoint
from comparisons.training.device import Runtime
from comparisons.training.fitting import Fit
from models.adapt import Network
from models.engines import Extract


@dataclass(frozen=True)
class Trained:
    """A phase as it was trained: the part of the network that stayed as it was, and the rest.

    `lower`, images -> features, is None where nothing stayed frozen; `upper` gives the logits.
    `held_out` are the inputs of `upper` of as many validation images as may choose something.
    """

    phase: Phase
    lower: keras.Model | None
    upper: keras.Model
    held_out: np.ndarray


@dataclass
class Job:
    """One run while it runs: what it was given, and what has come of it so far.

    `weights` is the file that the base was read from; `last` is what was trained
    last. `extract` is the engine over a frozen part, by that part itself: an id would be given to
    another once a part is gone; `prepared` what it cost, once for each, and `prepared_before` what
    it did in phases before the one that a checkpoint was kept in. `kept_costs` says when the costs
    of what was found ready were measured. `held` keeps a base that lies in the cache from being
    pruned.
    """

    run: Run
    arm: Arm
    dataset: Dataset
    rows: Subset
    network: Network
    runtime: Runtime
    tell: Tell
    control: Control
    clock: Clock
    weights: Path | None = None
    source: Source | None = None
    range_test: RangeTest | None = None
    at_start: list[Start] = field(default_factory=list)
    result: Fit = field(default_factory=Fit)
    notices: list[str] = field(default_factory=list)
    flops: int = 0
    engine: str | None = None
    extract: dict[keras.Model, Extract] = field(default_factory=dict)
    prepared: dict[keras.Model, Cost] = field(default_factory=dict)
    prepared_before: Cost = field(default_factory=Cost)
    kept_costs: Costs | None = None
    scaled: bool = False
    penalty: float | None = None
    chosen_on: int = 0
    held: FileLock | None = None
    last: Trained | None = None
    checkpoint: Checkpoint = field(default_factory=Checkpoint)

    @property
    def data_dir(self) -> Path | None:
        """Where TFDS data lies, if a folder was named."""
        return Path(self.run.data_dir) if self.run.data_dir else None
