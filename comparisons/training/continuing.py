"""A phase that goes on where a checkpoint has it, and is kept in one as its epochs end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from comparisons.core import events
from comparisons.core.clock import CHECKPOINT, Cost
from comparisons.core.files import digest
from comparisons.core.phases import Phase
from comparisons.training.checkpoint import State
from comparisons.training.fitting import Best
from comparisons.training.job import Job

NETWORK, OPTIMIZER, BEST = "network", "optimizer", "best"


def phases_left(job: Job) -> list[Phase]:
    """The phases on the target's images, from the one on that a checkpoint was kept in."""
    phases, found = job.run.target_phases, job.checkpoint.found
    names = [phase.name for phase in phases]
    if found is None or found.phase not in names:
        return phases
    if found.weights != _weights(job):
        job.checkpoint.leave("began with another base")
        return phases
    return phases[names.index(found.phase) :]


@dataclass(frozen=True)
class Keeper:
    """Keeps one phase of a job; see comparisons.training.fitting.Keeper."""

    job: Job
    phase: Phase

    @property
    def found(self) -> State | None:
        """Where the phase is to go on; None where it begins."""
        found = self.job.checkpoint.found
        return found if found and found.phase == self.phase.name else None

    def restore_network(self) -> None:
        """Give the network what it had: before the features of what stays frozen are asked for."""
        if found := self.found:
            job = self.job
            _assign(job.network.whole.variables, job.checkpoint.arrays[NETWORK])
            job.engine, job.scaled, job.range_test = found.engine, found.scaled, found.range_test

    def begin(self, model: keras.Model, best: Best) -> int:
        """See the protocol. What was spent until here was spent before: the clock goes back too."""
        found, job = self.found, self.job
        if found is None:
            return 0
        arrays = job.checkpoint.arrays
        _assign(model.optimizer.variables, arrays[OPTIMIZER])
        best.epoch, best.weights = found.best_epoch, list(arrays.get(BEST, ()))
        best.loss = math.inf if found.best_loss is None else found.best_loss
        job.result.epochs[:] = found.result.epochs
        job.result.flops, job.result.learnt = found.result.flops, found.result.learnt
        job.result.best_epoch = found.result.best_epoch
        job.flops, job.notices, job.kept_costs = found.flops, found.notices, found.kept_costs
        job.chosen_on = found.chosen_on
        job.prepared = dict.fromkeys(job.prepared, found.prepared)
        job.prepared_before = found.prepared_before
        job.checkpoint.used()
        job.clock.go_on(found.account)
        job.tell(events.Continued(found.result.epochs))
        return found.epochs

    def ended(self, epoch: int, model: keras.Model, best: Best) -> None:
        """See the protocol."""
        job = self.job
        if not job.checkpoint.due:
            return
        with job.clock.charge(CHECKPOINT):
            arrays = {
                NETWORK: _values(job.network.whole.variables),
                OPTIMIZER: _values(model.optimizer.variables),
                BEST: best.weights,
            }
            job.checkpoint.keep(self._state(epoch, best), arrays)

    def _state(self, epoch: int, best: Best) -> State:
        job, checkpoint = self.job, self.job.checkpoint
        frozen = job.last.lower if job.last else None
        own = job.prepared[frozen] if frozen in job.prepared else Cost()
        others = sum(job.prepared.values(), job.prepared_before) - own
        return State(
            key=checkpoint.key,
            weights=_weights(job),
            phase=self.phase.name,
            epochs=epoch,
            best_epoch=best.epoch,
            best_loss=best.loss if math.isfinite(best.loss) else None,
            result=job.result,
            flops=job.flops,
            notices=job.notices,
            engine=job.engine,
            prepared=own,
            prepared_before=others,
            kept_costs=job.kept_costs,
            scaled=job.scaled,
            chosen_on=job.chosen_on,
            range_test=job.range_test,
            account=job.clock.account(),
            started=checkpoint.started,
            neighbours=checkpoint.neighbours(),
            peak_memory=checkpoint.peak_memory(),
            continued=checkpoint.continued,
        )


def _weights(job: Job) -> str | None:
    return digest(job.weights) if job.weights else None


def _values(variables: Sequence[Any]) -> list[np.ndarray]:
    return [np.array(variable) for variable in variables]


def _assign(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
