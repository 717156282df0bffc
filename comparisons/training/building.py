"""Networks as runs have them, built from arms."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.phases import Phase
from comparisons.plan import arms
from comparisons.plan.arms import Arm
from models import adapt, backbones
from models.catalog import Model, weights_address, weights_file


def change_of(arm: Arm, phases: Sequence[Phase] = ()) -> adapt.Change:
    """What an arm's strategy and phases make of its base before it trains."""
    parts = {phase.trainable for phase in arm.strategy.phases}
    return adapt.Change(
        rank=arm.value or 0 if "adapters" in parts else 0,
        bits=arm.strategy.bits,
        replace=arm.value or 0 if "new" in parts else 0,
        head=arm.strategy.head,
        dropout=max((phase.dropout for phase in phases), default=0.0),
    )


def rehearse(written: Sequence[str], image_shape: tuple[int, int, int], classes: int) -> None:
    """Build each network as its run would. Raises ComparisonError, which names the arm."""
    for text in written:
        arm = arms.parse(text)
        try:
            _build(arm, image_shape, classes)
        except backbones.BadWeights as error:
            raise ComparisonError(f"{arm.name}: {error}; {_cure(arm.model)}") from None
        except (ImportError, OSError, ValueError) as error:
            raise ComparisonError(f"{arm.name}: {first_line(error)}") from None
        keras.backend.clear_session()


def _build(arm: Arm, image_shape: tuple[int, int, int], classes: int) -> None:
    weights = weights_file(arm.model) if arm.strategy.pretrained else None
    network = adapt.build(arm.model, image_shape, classes, weights, change_of(arm))
    for phase in arm.strategy.phases:
        count = arm.value or 0
        adapt.set_trainable(network, phase.trainable, count)
        adapt.halves(network, phase.trainable, count)


def _cure(model: Model) -> str:
    """What to do about a file that the weights of a model cannot be read from."""
    if model.place:
        return "name another base, or make this one again by comparisons.pretrain"
    if model.application is None:
        return "it belongs to this package: install it again"
    folder = weights_file(model).parent
    return f"remove it from {folder}, then {weights_address(model)} is fetched again"
