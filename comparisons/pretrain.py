"""`python -m comparisons.pretrain`: train a base on a source data set and keep its weights.

The bundled `tiny` was made by this command; its card beside the weights says how. With
`--deterministic` the same machine and versions give the same weights again, bit for bit.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from comparisons.core.errors import exit_code
from comparisons.core.parser import Parser, folder
from comparisons.plan.runs import command_line

EXAMPLES = """example, which made the bundled base:
  python -m comparisons.pretrain --data shapes-source --model tiny --epochs 10 --deterministic \\
      --out models/weights
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = Parser(
        "comparisons.pretrain",
        "Train a base on a source data set and keep its weights with a card.",
        EXAMPLES,
    )
    add = parser.add_argument
    add("--data", default="shapes-source", metavar="NAME", help="what to train on")
    add("--data-dir", type=folder, metavar="DIR", help="where TFDS data lies")
    add("--model", default="tiny", metavar="M", help="tiny, cnn, mobilenet@…, resnet50@…")
    add("--epochs", type=int, metavar="N", help="passes over the data")
    add("--seed", type=int, default=0, metavar="S", help="decides all that is drawn")
    add("--deterministic", action="store_true", help="the same bits again; slower")
    add(
        "--out",
        type=folder,
        required=True,
        metavar="DIR",
        help="where the base and its card go",
    )
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = vars(parser.parse_args(given))

    def run() -> int:
        from comparisons.running.pretraining import pretrain

        card = pretrain(**options, command=command_line("comparisons.pretrain", given))
        print(
            f"{card.file}: {100 * card.test_accuracy:.1f} % on the test images of {card.data.name}"
        )
        return 0

    return exit_code(run)


if __name__ == "__main__":
    sys.exit(main())
