"""Networks as runs have them, built from arms."""

from __future__ import annotations

from typing import Any

from comparisons.core.errors import ComparisonError
from comparisons.plan import arms
from comparisons.plan.arms import Arm
from models import adapt
from models.catalog import weights_file


def change_of(arm: arms.Arm, phases: list[dict[str, Any]]) -> adapt.Change:
    """What an arm's strategy and phases make of its base before it trains."""
    parts = {phase.trainable for phase in arm.strategy.phases}
    return adapt.Change(
        rank=arm.value or 0 if "adapters" in parts else 0,
        bits=arm.strategy.bits,
        replace=arm.value or 0 if "new" in parts else 0,
        linear=arm.strategy.linear,
        dropout=max((phase.get("dropout", 0.0) for phase in phases), default=0.0),
    )


def build(written: list[str], image_shape: list[int], classes: int) -> None:
    """Build each network as its run would. Raises ComparisonError, which names the arm."""
    from comparisons.training.device import start

    start("cpu", 0, False)
    import keras

    for text in written:
        arm = arms.parse(text)
        try:
            _build(arm, tuple(image_shape), classes)
        except (ImportError, OSError, ValueError) as error:
            raise ComparisonError(f"{arm.name}: {_first_line(error)}") from None
        keras.backend.clear_session()


def _build(arm: Arm, image_shape: Any, classes: int) -> None:
    from comparisons.training.building import change_of
    from models import adapt

    options = dict(arm.options)
    weights = weights_file(arm.model, options) if arm.strategy.pretrained else None
    network = adapt.build(arm.model, options, image_shape, classes, weights, change_of(arm, []))
    for phase in arm.strategy.phases:
        count = arm.value or 0
        adapt.set_trainable(network, phase.trainable, count)
        adapt.halves(network, phase.trainable, count)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]
