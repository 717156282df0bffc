"""An arm's colour and sign, the same in every figure, table and page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from comparisons.core.records import digest
from comparisons.plan.knobs import KNOBS


@dataclass(frozen=True)
class Look:
    """An arm's colour, and its sign as a character."""

    colour: str
    glyph: str


KNOWN = {
    "cnn:scratch": Look("#0072B2", "●"),
    "tutorial-cnn:scratch": Look("#56B4E9", "◆"),
    "mobilenet*:frozen": Look("#D55E00", "■"),
    "mobilenet*:scratch": Look("#CC79A7", "⬟"),
    "vgg16*:frozen": Look("#009E73", "▲"),
    "tiny*:frozen": Look("#E69F00", "▼"),
    # Every strategy on any base: together with mobilenet's two above, the colours were picked for
    # the largest least difference (CIELAB) to normal, deuteranopic, protanopic and tritanopic eyes.
    "*:scratch": Look("#7F7F7F", "⬢"),
    "*:complete": Look("#000000", "✚"),
    "*:probe": Look("#9C755F", "◀"),
    "*:classic": Look("#3C0096", "◤"),
    "*:frozen-views": Look("#661100", "◗"),
    "*:partial*": Look("#008DF9", "▶"),
    "*:full": Look("#01665E", "★"),
    "*:full-hot": Look("#E20134", "⬆"),
    "*:discriminative": Look("#7B3294", "✖"),
    "*:lora*": Look("#9400E6", "◣"),
    "*:qlora@*": Look("#FF6F91", "⧓"),
    "*:qlora4@*": Look("#DDCC11", "◥"),
    "*:hybrid*": Look("#9E0142", "♦"),
}


OTHERS = (
    Look("#8C510A", "✦"),
    Look("#5D3A9B", "▬"),
    Look("#A6761D", "◖"),
    Look("#882255", "✶"),
    Look("#117733", "⬣"),
    Look("#332288", "◓"),
    Look("#44AA99", "◒"),
    Look("#999933", "▮"),
)


# The variants of a knob by their place in its table: the same colour wherever one is shown.
PLACES = (
    Look("#0072B2", "●"),
    Look("#D55E00", "■"),
    Look("#009E73", "▲"),
    Look("#CC79A7", "⬟"),
    Look("#E69F00", "▼"),
    Look("#56B4E9", "◆"),
    Look("#7F7F7F", "⬢"),
    Look("#000000", "✚"),
)


# Classes of images by their place in their data set.
CLASSES = (*PLACES, Look("#882255", "✶"), Look("#999933", "▮"))


VARIANTS = {
    variant: look
    for knob in KNOBS.values()
    for variant, look in zip(knob.variants, PLACES, strict=False)
}


def looks(labels: Iterable[str]) -> dict[str, Look]:
    """A look for each arm: the known ones always the same, others by their name.

    Where two want the same one, the first in name order has it and the next takes a free one.
    """
    chosen: dict[str, Look] = {}
    waiting = []
    for label in sorted(set(labels)):
        arm, _, variant = label.partition(" (")
        wanted = VARIANTS.get(variant.partition(",")[0].removesuffix(")"))
        wanted = wanted or next((s for p, s in KNOWN.items() if fnmatchcase(arm, p)), None)
        if wanted is None or wanted in chosen.values():
            waiting.append(label)
        else:
            chosen[label] = wanted
    for label in waiting:
        first = int(digest(label), 16) % len(OTHERS)
        turns = [*OTHERS[first:], *OTHERS[:first], *KNOWN.values()]
        chosen[label] = next((s for s in turns if s not in chosen.values()), turns[0])
    return chosen
