"""Augmentation: a fresh view of every training image in every epoch, drawn per image.

Each function takes images uint8 [n, h, w, c], a generator and the epoch's number from 0, and
returns new images of the same shape and type. They work on plain arrays, so that every backend
sees the same views for the same seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SHIFT = 2
CHUNK = 4096
STRENGTH = 0.3  # how far brightness, contrast and saturation are turned each way
HOLE = 0.5  # the side of cutout's square, as a share of the image's shorter side
GREY = 128
ALPHA = 0.4  # of the Beta distribution that mixup draws shares from
LUMA = (0.299, 0.587, 0.114)  # red, green, blue in grey: ITU-R BT.601


def flip(images: np.ndarray, generator: np.random.Generator, epoch: int) -> np.ndarray:
    """Mirror every image in every other epoch, half of them first.

    Alternating instead of drawing anew shows each image both ways in every two epochs
    (Keller Jordan, arXiv:2404.00498, section 3.6). The generator is the run's, so the first
    half is drawn once.
    """
    mirrored = (generator.random(len(images)) < 0.5) ^ bool(epoch % 2)
    return np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)


def crop(images: np.ndarray, generator: np.random.Generator, epoch: int) -> np.ndarray:
    """Shift every image by up to two pixels each way, borders filled by reflection."""
    offsets = _anew(generator, epoch).integers(2 * SHIFT + 1, size=(2, len(images)))
    height, width = images.shape[1:3]
    shifted = np.empty_like(images)
    margins = ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0))
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        padded = np.pad(images[part], margins, mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
        rows = np.arange(len(padded))
        chosen = windows[rows, offsets[0, part], offsets[1, part]]
        shifted[part] = chosen.transpose(0, 2, 3, 1)
    return shifted


def colour(images: np.ndarray, generator: np.random.Generator, epoch: int) -> np.ndarray:
    """Turn every image's brightness, contrast and saturation, each by up to `STRENGTH`.

    In this order, factors drawn evenly from 1 - STRENGTH to 1 + STRENGTH: brightness multiplies
    every value, contrast the distance from the image's mean grey, saturation that from the
    pixel's own grey (a grey image has none). The colour jitter of Chen et al. 2020 (SimCLR,
    arXiv:2002.05709, appendix A), weaker and without hue.
    """
    drawn = _anew(generator, epoch, "colour").uniform(
        1 - STRENGTH, 1 + STRENGTH, size=(3, len(images), 1, 1, 1)
    )
    luma = np.asarray(LUMA if images.shape[-1] == 3 else [1.0], np.float32)
    turned = np.empty_like(images)
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        brightness, contrast, saturation = drawn[:, part].astype(np.float32)
        x = images[part] * brightness
        mean = (x @ luma).mean(axis=(1, 2))[:, None, None, None]
        x = mean + (x - mean) * contrast
        grey = (x @ luma)[..., None]
        turned[part] = _pixels(grey + (x - grey) * saturation)
    return turned


def cutout(images: np.ndarray, generator: np.random.Generator, epoch: int) -> np.ndarray:
    """Cover a square of every image with grey, its centre anywhere: it may reach over the edge.

    DeVries & Taylor 2017, arXiv:1708.04552, section 3: for CIFAR-10 a square of 16 pixels, half
    a side.
    """
    count, height, width = images.shape[:3]
    side = max(1, round(HOLE * min(height, width)))
    drawn = _anew(generator, epoch, "cutout")
    top = drawn.integers(height, size=count) - side // 2
    left = drawn.integers(width, size=count) - side // 2
    rows, columns = (
        (first[:, None] <= np.arange(length)) & (np.arange(length) < first[:, None] + side)
        for first, length in ((top, height), (left, width))
    )
    hole = rows[:, :, None] & columns[:, None, :]
    return np.where(hole[..., None], np.uint8(GREY), images)


def mixup(images: np.ndarray, generator: np.random.Generator, epoch: int) -> np.ndarray:
    """Lay another image over every image, each with its share; `mixed` does so to the targets.

    Zhang et al. 2018, arXiv:1710.09412, equation 1.
    """
    partners, shares = _mixing(len(images), generator, epoch)
    views = np.empty_like(images)
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        share = shares[part, None, None, None].astype(np.float32)
        views[part] = _pixels(share * images[part] + (1 - share) * images[partners[part]])
    return views


def _mixing(
    count: int, generator: np.random.Generator, epoch: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each of `count` images its partner int [n], and its own share float [n] in 0..1."""
    drawn = _anew(generator, epoch, "mixup")
    return drawn.permutation(count), drawn.beta(ALPHA, ALPHA, count)


def _anew(generator: np.random.Generator, epoch: int, name: str = "") -> np.random.Generator:
    """A generator for one epoch; `name` keeps augmentations of the same images apart."""
    return np.random.default_rng([*generator.integers(2**32, size=2), epoch, *name.encode()])


def _pixels(values: np.ndarray) -> np.ndarray:
    return values.round().clip(0, 255).astype(np.uint8)


AUGMENTATIONS: dict[str, Callable[[np.ndarray, np.random.Generator, int], np.ndarray]] = {
    "flip": flip,
    "crop": crop,
    "colour": colour,
    "cutout": cutout,
    "mixup": mixup,
}


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Every image moved by the same number of pixels, borders filled by reflection."""
    margins = ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0))
    height, width = images.shape[1:3]
    top, left = SHIFT - down, SHIFT - right
    padded = np.pad(images, margins, mode="reflect")
    return padded[:, top : top + height, left : left + width]


# Views that are the same in every epoch, so that their features can be kept.
VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "original": lambda images: images,
    "mirror": lambda images: np.ascontiguousarray(images[:, :, ::-1]),
    "left": lambda images: shifted(images, 0, -SHIFT),
    "right": lambda images: shifted(images, 0, SHIFT),
    "up": lambda images: shifted(images, -SHIFT, 0),
    "down": lambda images: shifted(images, SHIFT, 0),
}


def augment(names: list[str], images: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """Apply the named augmentations in turn; the same seed and epoch give the same views."""
    for name in names:
        images = AUGMENTATIONS[name](images, _run_generator(seed), epoch)
    return images


def mixed(names: list[str], targets: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """The targets of the views that `augment` gives for the same arguments.

    `targets` float [n, classes], each row adding up to 1, in the order of the images; they
    change by mixup alone, with the same partners and shares as the images.
    """
    for _ in range(names.count("mixup")):
        partners, shares = _mixing(len(targets), _run_generator(seed), epoch)
        share = shares[:, None].astype(targets.dtype)
        targets = share * targets + (1 - share) * targets[partners]
    return targets


def _run_generator(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 2])
