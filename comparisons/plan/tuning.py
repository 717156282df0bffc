"""The recipes that tuning tries: the same few for every arm, around the one that it has.

They are judged by validation images alone, by successive halving (Jamieson & Talwalkar 2016,
arXiv:1502.07943): all for a quarter of the epochs, the better half for half of them, the best for
all. The recipe of the table goes all the way, and once more with twice the epochs, which tells
whether its epochs stop it early.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from comparisons.core.errors import ComparisonError, unknown
from comparisons.core.phases import LBFGS, Phase
from comparisons.core.records import full_name
from comparisons.plan.arms import Arm
from comparisons.plan.recipes import RECIPES
from comparisons.plan.runs import Run, run_id

KNOB = "tuning"
RUNGS = (0.25, 0.5, 1.0)  # of the epochs
MORE_DECAY, SOME_DECAY = 4.0, 0.3  # times what there is, and where there is none


@dataclass(frozen=True)
class Try:
    """A recipe beside the table's: what multiplies rate and epochs, and whether weights decay more.

    Of an arm with several phases the last is changed; the first, of the head, is tuned as the
    recipe of `frozen`.
    """

    rate: float = 1.0
    decay: bool = False
    epochs: float = 1.0

    def of(self, phases: list[Phase], share: float) -> list[Phase]:
        """An arm's phases by this recipe, for a share of its epochs."""
        *before, last = phases
        decay = last.weight_decay * MORE_DECAY or SOME_DECAY
        changed = replace(
            last,
            learning_rate=last.learning_rate * self.rate,
            weight_decay=decay if self.decay else last.weight_decay,
        )
        times = share * self.epochs
        return [replace(p, epochs=max(1, round(p.epochs * times))) for p in (*before, changed)]


AS_IT_IS, DOUBLED = "as it is", "twice the epochs"
TRIES = {
    AS_IT_IS: Try(),
    "a third of the rate": Try(rate=1 / 3),
    "three times the rate": Try(rate=3.0),
    "more decay": Try(decay=True),
    "a third of the rate, more decay": Try(rate=1 / 3, decay=True),
    "three times the rate, more decay": Try(rate=3.0, decay=True),
    DOUBLED: Try(epochs=2.0),
}


def must_be_tunable(arm: Arm) -> None:
    """Raise ComparisonError for an arm whose recipe leaves nothing to tune."""
    names = [phase.recipe or arm.model.recipe for phase in arm.strategy.phases]
    if RECIPES[names[-1]].optimizer == LBFGS:
        raise ComparisonError(
            f"{arm.name}: a linear probe's penalty is chosen by validation in every run, and "
            "nothing else of it can be tuned"
        )


def tried(run: Run, name: str, share: float, fingerprint: str) -> Run:
    """A run by one of TRIES, for a share of its epochs, which opens no test label."""
    phases = TRIES[name].of(run.phases, share)
    variant = name if share == 1.0 else f"{name}, {share:.0%} of the epochs"
    settings = replace(run.settings, knob=KNOB, variant=variant, test_on=0)
    return replace(
        run,
        id=run_id(
            full_name(run.arm, variant), run.train_size, run.seed, settings, phases, fingerprint
        ),
        phases=phases,
        settings=settings,
    )


def chosen(names: Iterable[str] | None) -> list[str]:
    """Of TRIES those that are named, or all, with the table's. Raises ComparisonError."""
    wanted = set(TRIES if names is None else names) | {AS_IT_IS}
    for name in sorted(wanted):
        if name not in TRIES:
            raise unknown("recipe to try", name, TRIES)
    return [name for name in TRIES if name in wanted]


def rungs(names: Sequence[str]) -> tuple[float, ...]:
    """The shares of the epochs that these run for: all at once where there is no choice."""
    return RUNGS if set(names) - {AS_IT_IS, DOUBLED} else RUNGS[-1:]


def rung(share: float, left: Iterable[str]) -> list[str]:
    """Who runs for a share of the epochs, of those that are left: the best first.

    Half of them from rung to rung; what the table has goes all the way, and there twice as far.
    """
    left = list(left)
    names = [name for name in left if name != DOUBLED]
    place = RUNGS.index(share)
    kept = names[: max(1, len(names) // 2)] if place else names
    if AS_IT_IS not in kept:
        kept.append(AS_IT_IS)
    return [*kept, DOUBLED] if share == RUNGS[-1] and DOUBLED in left else kept
