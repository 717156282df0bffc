"""Records for other tools: `python -m comparisons.export tensorboard DIR`, or `mlflow`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from comparisons.core.errors import exit_code
from comparisons.core.parser import Parser, folder
from comparisons.core.records import load_some

EXAMPLES = """examples:
  python -m comparisons.export tensorboard results/cifar10
  tensorboard --logdir results/cifar10/tensorboard
  python -m comparisons.export mlflow results/cifar10
  mlflow ui --backend-store-uri sqlite:///results/cifar10/mlflow/mlflow.db

reads DIR/runs/*.json; what was exported of a run before is replaced
"""
TOOLS = ("tensorboard", "mlflow")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = Parser(
        "comparisons.export",
        "Records as other tools read them: curves for TensorBoard, runs for MLflow.",
        EXAMPLES,
    )
    add = parser.add_argument
    add("tool", choices=TOOLS, help="whose files to write")
    add("folder", type=folder, metavar="DIR", help="a folder that has runs/*.json")
    add("--out", type=folder, metavar="DIR", help="where they go (default: DIR/TOOL)")
    options = parser.parse_args(arguments)
    return exit_code(lambda: _export(options.tool, options.folder, options.out))


def _export(tool: str, source: Path, out: Path | None) -> int:
    from comparisons.report import mlflow, tensorboard

    records = load_some(source)
    target = out or source / tool
    if tool == "mlflow":
        store = mlflow.export(records, target)
        print(f"{len(records)} runs: mlflow ui --backend-store-uri sqlite:///{store}")
    else:
        tensorboard.export(records, target)
        print(f"{len(records)} runs: tensorboard --logdir {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
