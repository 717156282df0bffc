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
    offsets = np.random.default_rng([*generator.integers(2**32, size=2), epoch]).integers(
        2 * SHIFT + 1, size=(2, len(images))
    )
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


AUGMENTATIONS: dict[str, Callable[[np.ndarray, np.random.Generator, int], np.ndarray]] = {
    "flip": flip,
    "crop": crop,
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
        images = AUGMENTATIONS[name](images, np.random.default_rng([seed, 2]), epoch)
    return images
