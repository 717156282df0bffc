"""A base's card: what a reader needs to judge a base pretrained here, and to make it again.

Written beside the weights by `python -m comparisons.pretrain`. Imports no framework.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class Upstream(msgspec.Struct, frozen=True, omit_defaults=True):
    """What pretraining a base cost, as published or measured; None where nobody says."""

    dataset: str | None = None
    images: int | None = None
    epochs: int | None = None
    flops: int | None = None
    source: str | None = None


class CardSizes(msgspec.Struct):
    """How many images the base was trained, validated and tested on."""

    train: int
    validation: int
    test: int


class CardData(msgspec.Struct):
    """The data set that a base was pretrained on."""

    name: str
    fingerprint: str
    classes: list[str]
    sizes: CardSizes


class Card(msgspec.Struct, kw_only=True):
    """What the card of a base says; `command` made it, on the machine of `environment`."""

    file: str
    weights_digest: str
    model: str
    command: str
    data: CardData
    seed: int
    deterministic: bool
    epochs: int | None = None
    phases: list[Any]
    test_accuracy: float
    images_seen: int
    seconds: float
    flops: int
    made: str
    environment: dict[str, Any]

    def upstream(self, source: str) -> Upstream:
        """What the pretraining cost; `source` says where that is read."""
        return Upstream(
            dataset=self.data.name,
            images=self.data.sizes.train,
            epochs=self.epochs,
            flops=self.flops,
            source=source,
        )


def read_card(path: Path) -> Card:
    """Read a card. Raises OSError, or msgspec.MsgspecError for what is no card."""
    return msgspec.json.decode(path.read_bytes(), type=Card)
