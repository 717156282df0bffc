"""An arm's colour and marker, the same in every figure, table and page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from matplotlib.colors import to_hex, to_rgb
from matplotlib.path import Path

from comparisons.core.records import digest
from comparisons.plan.knobs import KNOBS

Marker = str | tuple[int, int, int] | Path  # what matplotlib takes: a name, a star, an outline


def _outline(*corners: tuple[float, float]) -> Path:
    return Path([*corners, corners[0]], closed=True)


BOW_TIE = _outline((-1, 1), (-1, -1), (1, 1), (1, -1))


ARROW = _outline((-0.4, -1), (0.4, -1), (0.4, 0), (1, 0), (0, 1), (-1, 0), (-0.4, 0))


LYING = _outline((-1, -0.4), (1, -0.4), (1, 0.4), (-1, 0.4))


STANDING = _outline((-0.4, -1), (0.4, -1), (0.4, 1), (-0.4, 1))


LOWER_LEFT = _outline((-1, -1), (1, -1), (-1, 1))


UPPER_RIGHT = _outline((1, 1), (-1, 1), (1, -1))


@dataclass(frozen=True)
class Style:
    """An arm's colour and marker, and the marker as a character for tables."""

    colour: str
    marker: Marker
    glyph: str

    @property
    def ink(self) -> str:
        """The colour, dark enough for text on white (contrast 4.5, WCAG 2.1)."""
        red, green, blue = to_rgb(self.colour)
        while 1.05 / (luminance(to_hex((red, green, blue))) + 0.05) < 4.5:
            red, green, blue = 0.95 * red, 0.95 * green, 0.95 * blue
        return to_hex((red, green, blue))


KNOWN = {
    "cnn:scratch": Style("#0072B2", "o", "●"),
    "tutorial-cnn:scratch": Style("#56B4E9", "D", "◆"),
    "mobilenet*:frozen": Style("#D55E00", "s", "■"),
    "mobilenet*:scratch": Style("#CC79A7", "p", "⬟"),
    "vgg16*:frozen": Style("#009E73", "^", "▲"),
    "tiny*:frozen": Style("#E69F00", "v", "▼"),
    # Every strategy on any base: together with mobilenet's two above, the colours were picked for
    # the largest least difference (CIELAB) to normal, deuteranopic, protanopic and tritanopic eyes.
    "*:scratch": Style("#7F7F7F", "h", "⬢"),
    "*:complete": Style("#000000", "P", "✚"),
    "*:probe": Style("#9C755F", "<", "◀"),
    "*:frozen-views": Style("#661100", Path.wedge(-90, 90), "◗"),
    "*:partial*": Style("#008DF9", ">", "▶"),
    "*:full": Style("#01665E", "*", "★"),
    "*:full-hot": Style("#E20134", ARROW, "⬆"),
    "*:discriminative": Style("#7B3294", "X", "✖"),
    "*:lora*": Style("#9400E6", LOWER_LEFT, "◣"),
    "*:qlora@*": Style("#FF6F91", BOW_TIE, "⧓"),
    "*:qlora4@*": Style("#DDCC11", UPPER_RIGHT, "◥"),
    "*:hybrid*": Style("#9E0142", "d", "♦"),
}


OTHERS = (
    Style("#8C510A", (4, 1, 0), "✦"),
    Style("#5D3A9B", LYING, "▬"),
    Style("#A6761D", Path.wedge(90, 270), "◖"),
    Style("#882255", (6, 1, 0), "✶"),
    Style("#117733", "H", "⬣"),
    Style("#332288", Path.wedge(0, 180), "◓"),
    Style("#44AA99", Path.wedge(180, 360), "◒"),
    Style("#999933", STANDING, "▮"),
)


# The variants of a knob by their place in its table: the same colour wherever one is shown.
PLACES = (
    Style("#0072B2", "o", "●"),
    Style("#D55E00", "s", "■"),
    Style("#009E73", "^", "▲"),
    Style("#CC79A7", "p", "⬟"),
    Style("#E69F00", "v", "▼"),
    Style("#56B4E9", "D", "◆"),
    Style("#7F7F7F", "h", "⬢"),
    Style("#000000", "P", "✚"),
)


VARIANTS = {
    variant: style
    for knob in KNOBS.values()
    for variant, style in zip(knob.variants, PLACES, strict=False)
}


def luminance(colour: str) -> float:
    """Relative luminance of a colour, 0 black to 1 white (WCAG 2.1)."""
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def styles(labels: Iterable[str]) -> dict[str, Style]:
    """A style for each arm: the known ones always the same, others by their name.

    Where two want the same style, the first in name order has it and the next takes a free one.
    """
    chosen: dict[str, Style] = {}
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
