"""A base made here: its weights without the head, and the card that says how."""

from __future__ import annotations

from pathlib import Path

import msgspec

from comparisons.core.errors import ComparisonError
from comparisons.core.files import cannot_write, write_text
from comparisons.core.records import Record
from comparisons.plan import arms
from comparisons.plan.request import Request
from comparisons.running.session import run_session
from models.cards import Card, CardData, CardSizes, read_card


def pretrain(
    data: str,
    model: str,
    out: Path,
    *,
    epochs: int | None = None,
    seed: int = 0,
    deterministic: bool = False,
    data_dir: Path | None = None,
    command: str = "comparisons.running.pretraining.pretrain",
) -> Card:
    """Train `model` from random weights on `data` and write its base and card under `out`.

    Writes MODEL.weights.h5 (the base without its head) and MODEL.json (the card), and returns
    the card. Raises ComparisonError.
    """
    arm = arms.parse(f"{model}:scratch")
    weights = out / f"{arm.model_name}.weights.h5"
    request = Request(
        arms=(arm.name,),
        data=data,
        seeds=(seed,),
        epochs=epochs,
        data_dir=data_dir,
        deterministic=deterministic,
        save_base=weights,
        command=command,
    )
    (record,) = run_session(request).records
    if record.status != "ok":
        raise ComparisonError(f"{record.status}: {record.error}", exit_code=1)
    card = card_of(record, weights.name)
    try:
        text = msgspec.json.format(msgspec.json.encode(card), indent=1).decode() + "\n"
        write_text(out / f"{arm.model_name}.json", text)
        return read_card(out / f"{arm.model_name}.json")
    except OSError as error:
        raise cannot_write(out, error) from None


def card_of(record: Record, file: str) -> Card:
    """What a reader needs to judge a base, and to make it again."""
    assert record.test is not None
    sizes = record.data.sizes
    return Card(
        file=file,
        weights_digest=record.base_digest or "",
        model=record.model,
        command=record.environment.command,
        data=CardData(
            name=record.data.name,
            fingerprint=record.data.fingerprint,
            classes=record.data.classes,
            sizes=CardSizes(sizes.train or 0, sizes.validation or 0, sizes.test or 0),
        ),
        seed=record.seed,
        deterministic=record.settings.deterministic,
        epochs=sum(phase.epochs for phase in record.phases),
        phases=msgspec.to_builtins(record.phases),
        test_accuracy=record.test.accuracy,
        images_seen=record.images_seen,
        seconds=record.seconds.learning_cold,
        flops=record.flops.total,
        made=record.started,
        environment=msgspec.to_builtins(record.environment),
    )
