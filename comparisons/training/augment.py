"""Augmentation: a fresh view of every training image in every epoch, drawn per image.

What is drawn (a shift, a mirroring, a partner) are a few numbers for each image, by NumPy, so that
every backend sees the same views for the same seed. What is done with them is `keras.ops` on a
batch of images, so that it is compiled into the step that trains, on the device that trains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from comparisons.core.streams import Stream, generator
from comparisons.data.views import SHIFT

STRENGTH = 0.3  # how far brightness, contrast and saturation are turned each way
HOLE = 0.5  # the side of cutout's square, as a share of the image's shorter side
WINDOW = 3 / 4  # a window's side, as a share of the image's
LEAST = 16  # pixels of a window's side, or the whole image's
GREY = 128
ALPHA = 0.4  # of the Beta distribution that mixup draws shares from
LUMA = (0.299, 0.587, 0.114)  # red, green, blue in grey: ITU-R BT.601
CHUNK = 4096

Drawn = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Augmentation:
    """What is drawn for images, and what a batch of them becomes by it.

    `draw` takes the run's generator, the epoch from 0 on, and the shape [n, h, w, c]; it gives
    arrays [n, ...]. `apply` takes images uint8 [b, h, w, c] and the arrays' rows for them.
    """

    draw: Callable[[np.random.Generator, int, tuple[int, ...]], Drawn]
    apply: Callable[..., Any]


def _draw_flip(generator: np.random.Generator, epoch: int, shape: tuple[int, ...]) -> Drawn:
    # The generator is the run's, so the first half is drawn once.
    return ((generator.random(shape[0]) < 0.5) ^ bool(epoch % 2),)


def flip(images: Any, mirrored: Any) -> Any:
    """Mirror every image in every other epoch, half of them first.

    Alternating instead of drawing anew shows each image both ways in every two epochs
    (Keller Jordan, arXiv:2404.00498, section 3.6).
    """
    return ops.where(mirrored[:, None, None, None], ops.flip(images, axis=2), images)


def _draw_crop(generator: np.random.Generator, epoch: int, shape: tuple[int, ...]) -> Drawn:
    down, right = _anew(generator, epoch).integers(2 * SHIFT + 1, size=(2, shape[0]))
    return (down - SHIFT).astype(np.int32), (right - SHIFT).astype(np.int32)


def crop(images: Any, down: Any, right: Any) -> Any:
    """Shift every image by up to two pixels each way, borders filled by reflection."""
    height, width = images.shape[1:3]
    rows = _reflected(down[:, None] + ops.arange(height, dtype="int32"), height)
    columns = _reflected(right[:, None] + ops.arange(width, dtype="int32"), width)
    return _pixels_at(images, rows, columns)


def _pixels_at(images: Any, rows: Any, columns: Any) -> Any:
    """Of each image its pixels where rows int32 [b, r] and columns [b, s] meet: [b, r, s, c]."""
    height, width, channels = images.shape[1:]
    first = ops.arange(ops.shape(images)[0], dtype="int32") * (height * width)
    # One gather over all pixels of the batch.
    pixels = (first[:, None] + rows * width)[:, :, None] + columns[:, None, :]
    return ops.take(ops.reshape(images, (-1, channels)), pixels, axis=0)


def _reflected(places: Any, size: int) -> Any:
    """Places on a line of `size` pixels; beyond its ends it goes back, the end not repeated."""
    return (size - 1) - ops.abs((size - 1) - ops.abs(places))


def window_sides(height: int, width: int) -> tuple[int, int]:
    """The height and width of `window`'s part of images of a size, in pixels."""
    down, right = (min(side, max(LEAST, round(WINDOW * side))) for side in (height, width))
    return down, right


def _draw_window(generator: np.random.Generator, epoch: int, shape: tuple[int, ...]) -> Drawn:
    drawn = _anew(generator, epoch, "window")
    return tuple(
        drawn.integers(side - part + 1, size=shape[0]).astype(np.int32)
        for side, part in zip(shape[1:3], window_sides(*shape[1:3]), strict=True)
    )


def window(images: Any, down: Any, right: Any) -> Any:
    """Cut a window out of every image, anywhere in it: smaller, so cheaper to learn from."""
    height, width = window_sides(*images.shape[1:3])
    rows = down[:, None] + ops.arange(height, dtype="int32")
    columns = right[:, None] + ops.arange(width, dtype="int32")
    return _pixels_at(images, rows, columns)


def _draw_colour(generator: np.random.Generator, epoch: int, shape: tuple[int, ...]) -> Drawn:
    drawn = _anew(generator, epoch, "colour").uniform(
        1 - STRENGTH, 1 + STRENGTH, size=(3, shape[0], 1, 1, 1)
    )
    return tuple(drawn.astype(np.float32))


def colour(images: Any, brightness: Any, contrast: Any, saturation: Any) -> Any:
    """Turn every image's brightness, contrast and saturation, each by up to `STRENGTH`.

    In this order, factors drawn evenly from 1 - STRENGTH to 1 + STRENGTH: brightness multiplies
    every value, contrast the distance from the image's mean grey, saturation that from the
    pixel's own grey (a grey image has none). The colour jitter of Chen et al. 2020 (SimCLR,
    arXiv:2002.05709, appendix A), weaker and without hue.
    """
    x = ops.cast(images, "float32") * brightness
    mean = ops.mean(_grey(x), axis=(1, 2), keepdims=True)
    x = mean + (x - mean) * contrast
    grey = _grey(x)
    return _pixels(grey + (x - grey) * saturation)


def _grey(x: Any) -> Any:
    luma = np.asarray(LUMA if x.shape[-1] == 3 else [1.0], np.float32)
    return ops.sum(x * luma, axis=-1, keepdims=True)


def _draw_cutout(generator: np.random.Generator, epoch: int, shape: tuple[int, ...]) -> Drawn:
    count, height, width = shape[:3]
    drawn = _anew(generator, epoch, "cutout")
    # The centre of the square.
    return (
        drawn.integers(height, size=count).astype(np.int32),
        drawn.integers(width, size=count).astype(np.int32),
    )


def cutout(images: Any, row: Any, column: Any) -> Any:
    """Cover a square of every image with grey, its centre anywhere: it may reach over the edge.

    DeVries & Taylor 2017, arXiv:1708.04552, section 3: for CIFAR-10 a square of 16 pixels, half
    a side.
    """
    height, width = images.shape[1:3]
    side = max(1, round(HOLE * min(height, width)))

    def covered(centre: Any, length: int) -> Any:
        first = centre[:, None] - side // 2
        places = ops.arange(length, dtype="int32")
        return ops.logical_and(first <= places, places < first + side)

    hole = ops.logical_and(covered(row, height)[:, :, None], covered(column, width)[:, None, :])
    return ops.where(hole[..., None], ops.cast(GREY, "uint8"), images)


def _draw_mixup(generator: np.random.Generator, epoch: int, shape: tuple[int, ...]) -> Drawn:
    drawn = _anew(generator, epoch, "mixup")
    partners = drawn.permutation(shape[0]).astype(np.int32)
    return partners, drawn.beta(ALPHA, ALPHA, shape[0]).astype(np.float32)


def mixup(images: Any, others: Any, share: Any) -> Any:
    """Lay another image over every image, each with its share; `views` does so to the targets.

    Zhang et al. 2018, arXiv:1710.09412, equation 1.
    """
    share = share[:, None, None, None]
    own, other = ops.cast(images, "float32"), ops.cast(others, "float32")
    return _pixels(share * own + (1 - share) * other)


def _anew(generator: np.random.Generator, epoch: int, name: str = "") -> np.random.Generator:
    """A generator for one epoch; `name` keeps augmentations of the same images apart."""
    return np.random.default_rng([*generator.integers(2**32, size=2), epoch, *name.encode()])


def _pixels(values: Any) -> Any:
    return ops.cast(ops.clip(ops.round(values), 0, 255), "uint8")


AUGMENTATIONS = {
    "flip": Augmentation(_draw_flip, flip),
    "crop": Augmentation(_draw_crop, crop),
    "window": Augmentation(_draw_window, window),
    "colour": Augmentation(_draw_colour, colour),
    "cutout": Augmentation(_draw_cutout, cutout),
    "mixup": Augmentation(_draw_mixup, mixup),
}


def draw(names: Sequence[str], shape: tuple[int, ...], seed: int, epoch: int) -> list[Drawn]:
    """What is drawn for images [n, h, w, c] in an epoch, for each name its arrays [n, ...].

    The same seed and epoch, from 0 on, draw the same.
    """
    return [
        AUGMENTATIONS[name].draw(generator(seed, Stream.AUGMENTATION), epoch, shape)
        for name in names
    ]


def views(
    names: Sequence[str], drawn: Sequence[Sequence[Any]], images: Any, targets: Any, rows: Any
) -> tuple[Any, Any]:
    """The views of `images[rows]` uint8 [b, h, w, c] by `names` in turn, and their targets.

    `drawn` is what `draw` gave for all the images; targets float [n, classes], whose rows add up
    to 1, change by mixup alone.
    """
    x, y = ops.take(images, rows, axis=0), ops.take(targets, rows, axis=0)
    for index, name in enumerate(names):
        chosen = [ops.take(values, rows, axis=0) for values in drawn[index]]
        if name == "mixup":
            partners, share = chosen
            before = names[:index]
            others, their_targets = views(before, drawn, images, targets, partners)
            x = mixup(x, others, share)
            own = ops.cast(share[:, None], y.dtype)
            y = own * y + (1 - own) * their_targets
        else:
            x = AUGMENTATIONS[name].apply(x, *chosen)
    return x, y


def augmented(
    names: Sequence[str], images: np.ndarray, targets: np.ndarray, seed: int, epoch: int
) -> tuple[np.ndarray, np.ndarray]:
    """The views of all images in an epoch, and their targets: as `views`, on plain arrays."""
    if not names:
        return images, targets
    drawn = draw(names, images.shape, seed, epoch)
    parts = [
        views(names, drawn, images, targets, rows)
        for rows in np.array_split(np.arange(len(images)), -(-len(images) // CHUNK))
    ]
    x, y = zip(*parts, strict=True)
    return np.concatenate([*map(np.asarray, x)]), np.concatenate([*map(np.asarray, y)])
