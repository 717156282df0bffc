"""Views of images that are the same in every epoch, so that their features can be kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SHIFT = 2


def shifted(images: np.ndarray, right: int) -> np.ndarray:
    """Every image moved right by so many pixels, its border filled by reflection."""
    margins = ((0, 0), (0, 0), (SHIFT, SHIFT), (0, 0))
    first, width = SHIFT - right, images.shape[2]
    return np.pad(images, margins, mode="reflect")[:, :, first : first + width]


# Views that are the same in every epoch, so that their features can be kept.
VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "original": lambda images: images,
    "mirror": lambda images: np.ascontiguousarray(images[:, :, ::-1]),
    "left": lambda images: shifted(images, -SHIFT),
    "right": lambda images: shifted(images, SHIFT),
}
