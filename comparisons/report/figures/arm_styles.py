"""An arm's look as figures draw it: its colour, and a marker for its sign."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.colors import to_hex, to_rgb
from matplotlib.path import Path

from comparisons.findings.looks import Look, looks

Marker = str | tuple[int, int, int] | Path  # what matplotlib takes: a name, a star, an outline


def _outline(*corners: tuple[float, float]) -> Path:
    return Path([*corners, corners[0]], closed=True)


BOW_TIE = _outline((-1, 1), (-1, -1), (1, 1), (1, -1))


UPPER_LEFT = _outline((-1, 1), (1, 1), (-1, -1))


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


MARKERS: dict[str, Marker] = {
    "●": "o",
    "◆": "D",
    "■": "s",
    "⬟": "p",
    "▲": "^",
    "▼": "v",
    "⬢": "h",
    "✚": "P",
    "◀": "<",
    "◗": Path.wedge(-90, 90),
    "▶": ">",
    "★": "*",
    "⬆": ARROW,
    "✖": "X",
    "◣": LOWER_LEFT,
    "⧓": BOW_TIE,
    "◥": UPPER_RIGHT,
    "◤": UPPER_LEFT,
    "♦": "d",
    "✦": (4, 1, 0),
    "▬": LYING,
    "◖": Path.wedge(90, 270),
    "✶": (6, 1, 0),
    "⬣": "H",
    "◓": Path.wedge(0, 180),
    "◒": Path.wedge(180, 360),
    "▮": STANDING,
}


def luminance(colour: str) -> float:
    """Relative luminance of a colour, 0 black to 1 white (WCAG 2.1)."""
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def styles(labels: Iterable[str]) -> dict[str, Style]:
    """A style for each arm (see comparisons.findings.looks)."""
    return {label: style(look) for label, look in looks(labels).items()}


def style(look: Look) -> Style:
    """A look as figures draw it."""
    return Style(look.colour, MARKERS[look.glyph], look.glyph)
