"""`python -m comparisons.pretrain`: train a base on a source data set and keep its weights.

The bundled `tiny` was made by this command; its card beside the weights says how. With
`--deterministic` the same machine and versions give the same weights again, bit for bit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comparisons.core import files
from comparisons.core.errors import ComparisonError
from comparisons.core.files import must_be_writable, write_text
from comparisons.core.records import Data, Record
from comparisons.data.dataset import validation_size
from comparisons.plan import arms
from comparisons.plan import runs as plan
from comparisons.running import runner, supplies
from comparisons.running.terminal import Display, plain_console

EXAMPLE = """example, which made the bundled base:
  python -m comparisons.pretrain --data shapes-source --model tiny --deterministic \\
      --out models/weights
"""


def pretrain(
    data: str,
    model: str,
    out: Path,
    *,
    epochs: int | None = None,
    seed: int = 0,
    deterministic: bool = False,
    data_dir: Path | None = None,
    command: str = "comparisons.pretrain.pretrain",
) -> dict[str, Any]:
    """Train `model` from random weights on `data` and write its base and card under `out`.

    Writes MODEL.weights.h5 (the base without its head) and MODEL.json (the card), and returns
    the card. Raises ComparisonError.
    """
    arm = arms.parse(f"{model}:scratch")
    console = plain_console()
    name, dataset, _ = supplies.dataset(data, data_dir, console.print)
    must_be_writable(out)
    weights = out / f"{arm.model_name}.weights.h5"
    size = len(dataset.y_train) - validation_size(len(dataset.y_train))
    settings = plan.Settings(name, data_dir, epochs=epochs, deterministic=deterministic)
    run = plan.runs([arm], [seed], [size], settings, dataset.fingerprint, [], command)[0]
    run.save_base = str(weights)
    with Display([run], console) as display:
        record = runner.run_all([run], dataset.described(), None, True, display.tell)[0]
    if record.status != "ok":
        raise ComparisonError(f"{record.status}: {record.error}", exit_code=1)
    card = card_of(record, weights.name)
    try:
        write_text(out / f"{arm.model_name}.json", json.dumps(card, indent=1) + "\n")
    except OSError as error:
        raise files.cannot_write(out, error) from None
    return card


def card_of(record: Record, file: str) -> dict[str, Any]:
    """What a reader needs to judge a base, and to make it again."""
    assert record.test is not None
    source: Data = record.data
    return {
        "file": file,
        "weights_digest": record.base_digest,
        "model": record.model,
        "command": record.environment["command"],
        "data": {
            "name": source.name,
            "fingerprint": source.fingerprint,
            "classes": source.classes,
            "sizes": source.sizes,
        },
        "seed": record.seed,
        "deterministic": record.settings["deterministic"],
        "phases": record.phases,
        "test_accuracy": record.test.accuracy,
        "images_seen": record.images_seen,
        "seconds": record.seconds.total,
        "flops": record.flops.total,
        "made": record.started,
        "environment": {
            key: record.environment[key]
            for key in ("versions", "system", "device", "cores", "precision", "commit", "clean")
        },
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m comparisons.pretrain",
        description="Train a base on a source data set and keep its weights with a card.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--data", default="shapes-source", help="what to train on")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where TFDS data lies")
    parser.add_argument("--model", default="tiny", help="tiny, cnn, mobilenet@…, resnet50@…")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the data")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--deterministic", action="store_true", help="the same bits again")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        card = pretrain(
            options.data,
            options.model,
            options.out,
            epochs=options.epochs,
            seed=options.seed,
            deterministic=options.deterministic,
            data_dir=options.data_dir,
            command=plan.command_line("comparisons.pretrain", arguments),
        )
    except ComparisonError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    print(f"{card['file']}: {card['test_accuracy']:.1%} on the test images of {options.data}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
