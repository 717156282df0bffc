"""The main job: `python -m comparisons.cifar` compares arms on CIFAR-10 or another data set."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from comparisons import command
from comparisons.command import compare

__all__ = ["compare", "main"]

EXAMPLES = """examples:
  python -m comparisons.cifar                         the main job
  python -m comparisons.cifar --preset demo           a short lesson
  python -m comparisons.cifar --arms cnn:scratch mobilenet@0.25x96:frozen \\
      --train-size 500 5000 --seeds 0 1 2             where do the two cross?
  python -m comparisons.cifar --data shapes           neither network nor data needed
  python -m comparisons.cifar --dry-run               show the plan, then stop

--list shows models, strategies, data sets and presets; results go to results/DATASET.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = command.comparing(
        "comparisons.cifar",
        "Train from scratch, or fine-tune a pretrained base? "
        "Runs both on the same images and shows what each costs and brings.",
        EXAMPLES,
    )
    return command.main(parser, arguments, command.show_tables, default_out=True)


if __name__ == "__main__":
    sys.exit(main())
