"""Synthetic pictures of shapes, drawn with numpy: a data set for those without network or data.

There are twenty source classes to pretrain on and ten other target classes to adapt to. A class
is a silhouette and nothing else: place, size, rotation, colours, textures and clutter are drawn
from the same distribution for every class.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

SIDE = 32  # pixels
SIZES = {"target": (10_000, 2_000), "source": (40_000, 4_000)}  # images in (train, test)
SEEDS = {"target": (1, 2), "source": (3, 4)}  # of (train, test), added to the caller's

# How hard the task is. Lengths are in pixels, colours run from 0 to 1.
STRETCH = 0.15  # largest relative change of aspect, and largest shear
SOFTNESS = (1.0, 2.0)  # width of an edge
CONTRAST = 0.1  # least difference between shape and background in every colour channel
TEXTURE = 0.25  # largest deviation of a texture from its colour
PERIOD = (3.0, 32.0)  # of a texture
LINES = 3  # distractors in every picture; the last lies in front of the shape
LINE_LENGTH = (0.0, 16.0)  # the shortest are dots
LINE_WIDTH = (1.0, 3.0)


class Difficulty(NamedTuple):
    """What makes a picture hard to read, beyond the nuisances that all pictures share."""

    radius: tuple[float, float]  # of the circle around a shape, roughly, in pixels
    turn: float  # largest rotation either way, in full turns
    noise: float  # largest deviation of a pixel by noise


# The target's pictures are worse than those that a base is pretrained on, as a user's own
# photographs are worse than a collection's: 500 of them alone do not teach a network to look
# past noise and rotation.
DIFFICULTIES = {
    "source": Difficulty(radius=(8.0, 13.0), turn=0.1, noise=0.2),
    "target": Difficulty(radius=(7.0, 12.0), turn=0.15, noise=0.3),
}

# The same seed gives the same bytes on every processor. So per pixel there are only operations
# that IEEE 754 rounds exactly (+ - * / sqrt floor abs min max and comparisons), one numpy call
# each: sin, exp and their like differ between vector units, and matmul and einsum add in an
# order that depends on the machine. Sines and cosines, one per picture or corner, are rounded to
# a grid far coarser than their error. Textures are triangle waves.
GRID = 4096

Point = tuple[float, float]
Value = float | np.ndarray  # one, or one per picture
Heading = tuple[Value, Value, Value]  # cosine, sine and length of a way
Field = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Distance to a silhouette at (x, y), negative inside; its radius is about 1, and y points down."""


def ellipse(x: float, y: float, width: float, height: float) -> Field:
    """An ellipse around (x, y), by its half axes; the distance is rough away from its edge."""

    def field(px: np.ndarray, py: np.ndarray) -> np.ndarray:
        px, py = (px - x) * (1 / width), (py - y) * (1 / height)
        return (np.sqrt(px * px + py * py) - 1) * min(width, height)

    return field


def disc(x: float, y: float, radius: float) -> Field:
    """A circle and its inside."""
    return ellipse(x, y, radius, radius)


def box(x: float, y: float, half_width: float, half_height: float) -> Field:
    """An upright rectangle around (x, y)."""
    return lambda px, py: np.maximum(np.abs(px - x) - half_width, np.abs(py - y) - half_height)


def convex(*corners: Point) -> Field:
    """A convex polygon, its corners clockwise as seen: the farthest outside any of its edges."""
    return _fold(np.maximum, *(_half_plane(*edge) for edge in pairwise([*corners, corners[0]])))


def stroke(width: float, *points: Point) -> Field:
    """A line of a given width through the points, with round joints and ends."""
    return union(*(_segment(width, *ends) for ends in pairwise(points)))


def union(*parts: Field) -> Field:
    """What lies in any part. Parts should overlap: where they only touch, a seam shows."""
    return _fold(np.minimum, *parts)


def without(whole: Field, hole: Field) -> Field:
    """What lies in the whole but not in the hole."""
    return lambda px, py: np.maximum(whole(px, py), -hole(px, py))


def polar(radius: float, turns: float) -> Point:
    """The point at a distance and an angle, clockwise from the right."""
    x, y = math.cos(math.tau * turns), math.sin(math.tau * turns)
    return radius * round(x * GRID) / GRID, radius * round(y * GRID) / GRID


def regular(corners: int, radius: float) -> list[Point]:
    """The corners of a regular polygon, clockwise from the top."""
    return [polar(radius, i / corners - 0.25) for i in range(corners)]


def spike(turns: float) -> Field:
    """A triangle from the centre outwards: five of them make a star."""
    return convex(polar(1, turns), polar(0.325, turns + 0.25), polar(0.325, turns - 0.25))


def _fold(combine: np.ufunc, *parts: Field) -> Field:
    def field(px: np.ndarray, py: np.ndarray) -> np.ndarray:
        total = parts[0](px, py)
        for part in parts[1:]:
            combine(total, part(px, py), out=total)
        return total

    return field


def _half_plane(start: Point, end: Point) -> Field:
    (x, y), (cosine, sine, _) = start, _heading(start, end)
    return lambda px, py: (px - x) * sine - (py - y) * cosine


def _segment(width: float, start: Point, end: Point) -> Field:
    (x, y), heading = start, _heading(start, end)
    return lambda px, py: _line(px - x, py - y, heading, width)


def _heading(start: Point, end: Point) -> Heading:
    x, y = end[0] - start[0], end[1] - start[1]
    length = math.sqrt(x * x + y * y)
    return x / length, y / length, length


def _line(x: np.ndarray, y: np.ndarray, heading: Heading, width: Value) -> np.ndarray:
    """Distance to a line with round ends that starts at the origin."""
    cosine, sine, length = heading
    along = np.minimum(np.maximum(x * cosine + y * sine, 0), length)
    x, y = x - along * cosine, y - along * sine
    return np.sqrt(x * x + y * y) - width / 2


DOME = without(disc(0, 0.45, 1), box(0, 1.45, 1.5, 1))

SOURCE: dict[str, Field] = {
    "circle": disc(0, 0, 0.85),
    "square": box(0, 0, 0.75, 0.75),
    "triangle": convex(*regular(3, 1)),
    "hash": union(
        *(box(x, 0, 0.15, 0.9) for x in (-0.38, 0.38)),
        *(box(0, y, 0.9, 0.15) for y in (-0.38, 0.38)),
    ),
    "ellipse": ellipse(0, 0, 1, 0.5),
    "rectangle": box(0, 0, 0.95, 0.45),
    "rhombus": convex((-0.6, 0), (0, -1), (0.6, 0), (0, 1)),
    "dome": DOME,
    "pie": without(disc(0, 0, 1), convex((0, 0), (1.5, -1.3), (1.5, 1.3))),
    "ring": without(disc(0, 0, 0.95), disc(0, 0, 0.55)),
    "crescent": without(disc(0, 0, 1), disc(0.5, 0, 0.8)),
    "cross": union(box(0, 0, 1, 0.27), box(0, 0, 0.27, 1)),
    "star": union(*(spike(0.2 * i - 0.25) for i in range(5))),
    "arrow": union(box(-0.35, 0, 0.65, 0.2), convex((0.1, -0.65), (1, 0), (0.1, 0.65))),
    "corner": stroke(0.45, (-0.5, -0.8), (-0.5, 0.6), (0.6, 0.6)),
    "cup": stroke(0.4, (-0.6, -0.7), (-0.6, 0.65), (0.6, 0.65), (0.6, -0.7)),
    "zigzag": stroke(0.36, (-0.6, -0.75), (0.6, -0.75), (-0.6, 0.75), (0.6, 0.75)),
    "fork": union(stroke(0.4, (-0.65, -0.75), (0, 0), (0.65, -0.75)), box(0, 0.45, 0.2, 0.5)),
    "spiral": stroke(0.26, *(polar(0.1 + 0.07 * i, i / 8) for i in range(13))),
    "drop": union(disc(0, 0.35, 0.6), convex((0, -1), (0.53, 0.08), (-0.53, 0.08))),
}

TARGET: dict[str, Field] = {
    "heart": union(
        disc(-0.42, -0.3, 0.48),
        disc(0.42, -0.3, 0.48),
        convex((-0.84, -0.06), (0.84, -0.06), (0, 0.95)),
    ),
    "tee": union(box(0, -0.65, 0.85, 0.22), box(0, 0.1, 0.22, 0.85)),
    "frame": without(box(0, 0, 0.8, 0.8), box(0, 0, 0.42, 0.42)),
    "hourglass": union(
        convex((-0.7, -0.85), (0.7, -0.85), (0, 0.15)),
        convex((0, -0.15), (0.7, 0.85), (-0.7, 0.85)),
    ),
    "key": union(
        without(disc(0, -0.5, 0.48), disc(0, -0.5, 0.2)),
        *(box(0, 0.43, 0.15, 0.55), box(0.25, 0.83, 0.25, 0.15), box(0.25, 0.38, 0.25, 0.13)),
    ),
    "clover": union(*(disc(x, y, 0.5) for x, y in regular(3, 0.5))),
    "house": convex((-0.7, 0.8), (-0.7, -0.15), (0, -0.95), (0.7, -0.15), (0.7, 0.8)),
    "comb": union(box(-0.5, 0, 0.2, 0.9), *(box(0.05, y, 0.7, 0.17) for y in (-0.73, 0, 0.73))),
    "eight": without(
        union(disc(0, -0.45, 0.55), disc(0, 0.45, 0.55)),
        union(disc(0, -0.45, 0.24), disc(0, 0.45, 0.24)),
    ),
    "mushroom": union(DOME, box(0, 0.65, 0.28, 0.4)),
}

SHAPES = SOURCE | TARGET
SOURCE_CLASSES: tuple[str, ...] = tuple(SOURCE)
TARGET_CLASSES: tuple[str, ...] = tuple(TARGET)

# A texture weighs two crossing triangle waves and their product.
TEXTURES = np.array([(1, 0, 0), (0.5, 0.5, 0), (0, 0, 1)])  # stripes, blobs, checks

CHUNK = 128  # pictures drawn at once: few enough for the processor's cache
ROLLS = 64  # random numbers set aside for each picture, besides its noise: 58 are used

COLUMNS = np.arange(SIDE, dtype=np.float32)[None, :] - (SIDE - 1) / 2  # pixels from the centre
ROWS = COLUMNS.T


def make(
    part: Literal["target", "source"], seed: int = 0
) -> dict[str, np.ndarray | tuple[str, ...]]:
    """One whole data set: x_train, y_train, x_test and y_test as `draw` gives them, and classes."""
    classes = {"target": TARGET_CLASSES, "source": SOURCE_CLASSES}[part]
    made: dict[str, np.ndarray | tuple[str, ...]] = {"classes": classes}
    for split, count, offset in zip(("train", "test"), SIZES[part], SEEDS[part], strict=True):
        made[f"x_{split}"], made[f"y_{split}"] = draw(
            classes, count, 10 * seed + offset, DIFFICULTIES[part]
        )
    return made


def draw(
    classes: Sequence[str],
    count: int,
    seed: int,
    difficulty: Difficulty = DIFFICULTIES["source"],
) -> tuple[np.ndarray, np.ndarray]:
    """Draw pictures: uint8 [count, 32, 32, 3] and int64 labels [count], indices into `classes`.

    Every run of len(classes) pictures has each class once, in random order. So any draw is
    balanced, and a small draw is exactly the beginning of a large one.
    """
    unknown = [name for name in classes if name not in SHAPES]
    if unknown or not classes:
        wrong = ", ".join(unknown) or "nothing"
        raise ValueError(f"cannot draw {wrong}: choose from {', '.join(SHAPES)}")
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    order, rolls, noise = (np.random.default_rng([seed, stream]) for stream in range(3))
    rounds = -(-count // len(classes))
    labels = order.random((rounds, len(classes))).argsort(axis=1, kind="stable").ravel()[:count]
    fields = [SHAPES[name] for name in classes]
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for first in range(0, count, CHUNK):
        chunk = slice(first, first + CHUNK)
        images[chunk] = _render(fields, labels[chunk], rolls, noise, difficulty)
    return images, labels.astype(np.int64)


class _Dice:
    """Random values, one per picture, shaped to meet planes [pictures, colours, rows, columns]."""

    def __init__(self, rng: np.random.Generator, pictures: int) -> None:
        self._columns = iter(rng.random((pictures, ROLLS)).T)

    def number(self, low: float, high: float) -> np.ndarray:
        values = low + (high - low) * next(self._columns)
        return values.astype(np.float32)[:, None, None, None]

    def colour(self, low: float, high: float) -> np.ndarray:
        return np.concatenate([self.number(low, high) for _ in range(3)], axis=1)

    def direction(self, turns: float) -> tuple[np.ndarray, np.ndarray]:
        """Cosine and sine of an angle of at most so many turns either way."""
        angle = math.tau * self.number(-turns, turns).astype(np.float64)
        waves = np.cos(angle), np.sin(angle)
        cosine, sine = ((np.round(wave * GRID) / GRID).astype(np.float32) for wave in waves)
        return cosine, sine

    def row(self, table: np.ndarray) -> np.ndarray:
        """A row of the table, as [columns, pictures, 1, 1, 1]."""
        index = np.floor(len(table) * next(self._columns)).astype(int)
        return table.T[:, index, None, None, None].astype(np.float32)


def _render(
    fields: list[Field],
    labels: np.ndarray,
    rolls: np.random.Generator,
    noise: np.random.Generator,
    difficulty: Difficulty,
) -> np.ndarray:
    """The pictures of one chunk, painted from back to front."""
    dice = _Dice(rolls, len(labels))
    softness = dice.number(*SOFTNESS)
    back = dice.colour(0, 1)
    # Moving each channel around the circle [0, 1) leaves the shape's colour as random as the
    # background's, but never close to it.
    fore = back + dice.colour(CONTRAST, 1 - CONTRAST)
    fore -= np.floor(fore)

    canvas = _textured(dice, back)
    for _ in range(LINES - 1):
        _paint(canvas, _distractor(dice), softness, dice.colour(0, 1))
    _paint(canvas, _shape(dice, fields, labels, difficulty), softness, _textured(dice, fore))
    _paint(canvas, _distractor(dice), softness, dice.colour(0, 1))

    grain = noise.integers(0, 256, canvas.shape, np.uint8).astype(np.float32)
    canvas += (grain - 127.5) * (dice.number(0, difficulty.noise) / 127.5)
    levels = np.minimum(np.maximum(canvas, 0), 1) * 255 + 0.5
    return levels.astype(np.uint8).transpose(0, 2, 3, 1)


def _shape(
    dice: _Dice, fields: list[Field], labels: np.ndarray, difficulty: Difficulty
) -> np.ndarray:
    """Distance in pixels to the silhouette of each picture's class."""
    radius = dice.number(*difficulty.radius)
    room = SIDE / 2 - radius
    x, y = COLUMNS - room * dice.number(-1, 1), ROWS - room * dice.number(-1, 1)
    cosine, sine = dice.direction(difficulty.turn)
    aspect, shear = 1 + dice.number(-STRETCH, STRETCH), dice.number(-STRETCH, STRETCH)
    u_x, u_y = cosine / radius * aspect, sine / radius * aspect
    v_x, v_y = -sine / radius / aspect, cosine / radius / aspect
    u = x * (u_x + shear * v_x) + y * (u_y + shear * v_y)
    v = x * v_x + y * v_y
    distance = np.empty_like(u)
    for label in np.unique(labels):
        mine = labels == label
        distance[mine] = fields[label](u[mine], v[mine])
    distance *= radius
    return distance


def _distractor(dice: _Dice) -> np.ndarray:
    """Distance in pixels to a random line."""
    x, y = (axis - dice.number(-SIDE / 2, SIDE / 2) for axis in (COLUMNS, ROWS))
    heading = *dice.direction(0.5), dice.number(*LINE_LENGTH)
    return _line(x, y, heading, dice.number(*LINE_WIDTH))


def _textured(dice: _Dice, colour: np.ndarray) -> np.ndarray:
    """Planes of a colour, lighter and darker in stripes, blobs or checks; very wide ones grade."""
    first, second, product = dice.row(TEXTURES) * dice.number(0, TEXTURE)
    cosine, sine = dice.direction(0.5)
    u = _triangle_wave(dice, cosine, sine)
    v = _triangle_wave(dice, -sine, cosine)
    shade = (first + product * v) * u + second * v
    planes = shade * dice.colour(-1, 1)
    planes += colour
    return planes


def _triangle_wave(dice: _Dice, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A wave of random period and phase that runs along the direction (x, y), from -1 to 1."""
    period, phase = dice.number(*PERIOD), dice.number(0, 1)
    wave = COLUMNS * (x / period) + (ROWS * (y / period) + phase)
    wave -= np.floor(wave) + 0.5
    return np.abs(wave) * 4 - 1


def _paint(
    canvas: np.ndarray, distance: np.ndarray, softness: np.ndarray, colour: np.ndarray
) -> None:
    """Paint where distance is negative, with edges `softness` pixels wide."""
    cover = np.minimum(np.maximum(0.5 - distance / softness, 0), 1)
    change = colour - canvas
    change *= cover
    canvas += change
