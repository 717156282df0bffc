"""Pictures of no class: what a network that knows other things had better not be sure of."""

from __future__ import annotations

import numpy as np
from PIL import Image

from comparisons.data import shapes

IMAGES = 500
SEED = 20  # no data set is drawn by it
NAME = "shapes"


def strangers(shape: tuple[int, int, int]) -> np.ndarray:
    """Drawn shapes as images of [h, w, 1 or 3], uint8 [n, h, w, c]; the same every time."""
    height, width, channels = shape
    drawn, _ = shapes.draw(shapes.TARGET_CLASSES, IMAGES, SEED)
    mode = "L" if channels == 1 else "RGB"
    pictures = (
        Image.fromarray(image).convert(mode).resize((width, height), Image.Resampling.BILINEAR)
        for image in drawn
    )
    return np.stack([np.asarray(picture).reshape(shape) for picture in pictures])
