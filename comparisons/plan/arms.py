"""An arm: one side of a comparison, written MODEL:STRATEGY."""

from __future__ import annotations

from dataclasses import dataclass, replace

from comparisons.core.errors import ComparisonError, unknown
from comparisons.plan import bases
from comparisons.plan.strategies import STRATEGIES, Strategy
from models.catalog import MODELS, OWN, SIZES, Model, has_builder, with_options


@dataclass(frozen=True)
class Arm:
    """A model with its options, and a strategy with its one.

    `value` is the strategy's option (blocks or rank), None where it has none.
    """

    model: Model
    strategy: Strategy
    value: int | None = None

    @property
    def model_name(self) -> str:
        """The model with its options: `mobilenet@0.25x160`."""
        return self.model.full_name

    @property
    def strategy_name(self) -> str:
        """The strategy with its option: `partial@2`."""
        return self.strategy.name + (f"@{self.value}" if self.value is not None else "")

    @property
    def name(self) -> str:
        """The resolved name: `mobilenet@0.25x160:partial@2`."""
        return f"{self.model_name}:{self.strategy_name}"

    @property
    def written(self) -> str:
        """What `parse` reads back: the name, but with the place of a base that has one."""
        if self.model.place is None:
            return self.name
        kind = self.model.name.partition(":")[0]
        return f"{kind}:{self.model.place}:{self.strategy_name}"


def parse(text: str) -> Arm:
    """Read an arm, split at the last colon. Raises ComparisonError, naming the nearest names."""
    model_text, colon, strategy_text = text.rpartition(":")
    if not colon:
        raise ComparisonError(
            f"'{text}' is not an arm: write MODEL:STRATEGY, such as cnn:scratch "
            f"(models: {', '.join(OWN)} and those of --list; strategies: {', '.join(STRATEGIES)})"
        )
    strategy_name, at, value_text = strategy_text.partition("@")
    if strategy_name not in STRATEGIES:
        raise unknown("strategy", strategy_name, STRATEGIES)
    strategy = STRATEGIES[strategy_name]
    model = bases.by_place(model_text) or named(model_text)
    _must_suit(model, strategy)
    value = _option(strategy, value_text) if at else (strategy.option or (None, None))[1]
    return Arm(model, strategy, value)


def at_size(arm: Arm, size: int) -> Arm:
    """The arm with a base that takes images of so many pixels a side, where it can."""
    options = dict(arm.model.options)
    if "size" not in options or not arm.model.smallest_size <= size < SIZES.stop:
        return arm
    options["size"] = size
    return replace(arm, model=replace(arm.model, options=tuple(options.items())))


def named(text: str) -> Model:
    """A model of the table with the options asked for. Raises ComparisonError."""
    name, _, options = text.partition("@")
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    try:
        return with_options(MODELS[name], options)
    except ValueError as error:
        raise ComparisonError(str(error)) from None


def _must_suit(model: Model, strategy: Strategy) -> None:
    """Raise ComparisonError where a model cannot be trained in this way."""
    if not has_builder(model):
        raise ComparisonError(
            f"{model.name} is to be built by '{model.builder}', a function that is neither in "
            "models/scratch.py nor in models/backbones.py: add it, or mend models/catalog.py"
        )
    if strategy.pretrained and not model.pretrained:
        bases_here = ", ".join(f"{m.name}:{strategy.name}" for m in OWN.values() if m.pretrained)
        raise ComparisonError(
            f"{model.name} has no pretrained weights, so '{model.name}:{strategy.name}' cannot "
            f"be: use {model.name}:scratch, or one of {bases_here}; --list has more"
        )
    if model.builder == "hub" and strategy.name not in bases.HUB_STRATEGIES:
        raise ComparisonError(
            f"{model.name} is a SavedModel, which stays as it is: use it with "
            f"{', '.join(bases.HUB_STRATEGIES)}, not {strategy.name}"
        )
    if model.place and not strategy.pretrained:
        raise ComparisonError(
            f"{model.name}:{strategy.name} would not use that file: write the model's own name"
        )


def _option(strategy: Strategy, text: str) -> int:
    if strategy.option is None:
        raise ComparisonError(f"{strategy.name} takes no option, but got '@{text}'")
    name, default = strategy.option
    if not text.isdecimal() or len(text) > 4 or int(text) < 1:
        raise ComparisonError(
            f"'{strategy.name}@{text}': {name} must be a number from 1 to 9999, "
            f"such as {strategy.name}@{default}"
        )
    return int(text)
