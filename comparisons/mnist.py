"""Digits, where photographs are the wrong school: `python -m comparisons.mnist`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from comparisons import command

if TYPE_CHECKING:
    from comparisons.core.records import Record

EXAMPLES = """examples:
  python -m comparisons.mnist                         60,000 digits, three seeds
  python -m comparisons.mnist --train-size 500        with few of them
  python -m comparisons.mnist --arms mlp:scratch      the classic perceptron alone

--list shows models, strategies, data sets and presets; results go to results/mnist.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = command.comparing(
        "comparisons.mnist",
        "Does a base that learnt from photographs help to read digits? Runs a perceptron, a CNN "
        "and a frozen base on the same digits, none of them mirrored.",
        EXAMPLES,
        data="mnist",
        preset="mnist",
    )
    return command.main(parser, arguments, command.show_tables, default_out=True)


def compare(
    arms: str | Sequence[str] | None = None,
    train_size: int | Sequence[int] | None = None,
    seeds: int | Sequence[int] | None = None,
    **more: Any,
) -> list[Record]:
    """Compare arms on MNIST, by default those of the preset `mnist`, and return the records.

    The other arguments, the records and the errors are those of `comparisons.cifar.compare`.
    """
    usual = {"data": "mnist", "preset": "mnist", "command": "comparisons.mnist.compare"}
    return command.compare(arms, train_size=train_size, seeds=seeds, **{**usual, **more})


if __name__ == "__main__":
    sys.exit(main())
