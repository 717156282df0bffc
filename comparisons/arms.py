"""An arm: one side of a comparison, written MODEL:STRATEGY."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comparisons.errors import ComparisonError, unknown
from comparisons.strategies import STRATEGIES, Strategy
from models.catalog import MODELS, Model, parse_options, resolved_name


@dataclass(frozen=True)
class Arm:
    """A model with its options spelled out, and a strategy with its one.

    `value` is the strategy's option (blocks or rank), None where it has none.
    """

    model: Model
    options: tuple[tuple[str, Any], ...]
    strategy: Strategy
    value: int | None = None

    @property
    def model_name(self) -> str:
        """The model with its options: `mobilenet@0.25x160`."""
        return resolved_name(self.model, dict(self.options))

    @property
    def strategy_name(self) -> str:
        """The strategy with its option: `partial@2`."""
        return self.strategy.name + (f"@{self.value}" if self.value is not None else "")

    @property
    def name(self) -> str:
        """The resolved name: `mobilenet@0.25x160:partial@2`."""
        return f"{self.model_name}:{self.strategy_name}"


def parse(text: str) -> Arm:
    """Read an arm, split at the last colon. Raises ComparisonError, naming the nearest names."""
    model_text, colon, strategy_text = text.rpartition(":")
    if not colon:
        raise ComparisonError(
            f"'{text}' is not an arm: write MODEL:STRATEGY, such as cnn:scratch "
            f"(models: {', '.join(MODELS)}; strategies: {', '.join(STRATEGIES)})"
        )
    model_name, _, options_text = model_text.partition("@")
    strategy_name, at, value_text = strategy_text.partition("@")
    if model_name not in MODELS:
        raise unknown("model", model_name, MODELS)
    if strategy_name not in STRATEGIES:
        raise unknown("strategy", strategy_name, STRATEGIES)
    model, strategy = MODELS[model_name], STRATEGIES[strategy_name]
    if strategy.pretrained and not model.pretrained:
        raise ComparisonError(
            f"{model_name} has no pretrained weights, so '{text}' cannot be: "
            f"use {model_name}:scratch, or one of "
            f"{', '.join(f'{m.name}:{strategy.name}' for m in MODELS.values() if m.pretrained)}"
        )
    try:
        options = parse_options(model, options_text)
    except ValueError as error:
        raise ComparisonError(str(error)) from None
    value = _option(strategy, value_text) if at else (strategy.option or (None, None))[1]
    return Arm(model, tuple(options.items()), strategy, value)


def _option(strategy: Strategy, text: str) -> int:
    if strategy.option is None:
        raise ComparisonError(f"{strategy.name} takes no option, but got '@{text}'")
    name, default = strategy.option
    if not text.isdecimal() or int(text) < 1:
        raise ComparisonError(
            f"'{strategy.name}@{text}': {name} must be a number from 1 on, "
            f"such as {strategy.name}@{default}"
        )
    return int(text)
