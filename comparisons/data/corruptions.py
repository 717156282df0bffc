"""Five corruptions of images, each at three severities, as in CIFAR-10-C.

Hendrycks & Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations" (arXiv:1903.12261). The amounts are those that CIFAR-10-C has for images of 32 pixels
a side at severities 1, 3 and 5 of 5; a blur grows with the images, all else is a matter of values.
The same images come out of it every time: every arm and seed meets the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from comparisons.core.streams import Stream, generator

IMAGES = 1_000  # test images that are corrupted, of a data set that has more
SEVERITIES = (1, 3, 5)
SIDE = 32  # pixels of the images that the amounts were chosen for


@dataclass(frozen=True)
class Corruption:
    """What is done to images uint8 [n, h, w, c], and by how much at each of SEVERITIES."""

    apply: Callable[[np.ndarray, float], np.ndarray]
    amounts: tuple[float, float, float]


def corrupted(images: np.ndarray, name: str, severity: int) -> np.ndarray:
    """Images uint8 [n, h, w, 1 or 3] after one of CORRUPTIONS at one of SEVERITIES."""
    row = CORRUPTIONS[name]
    return row.apply(images, row.amounts[SEVERITIES.index(severity)])


def noise(images: np.ndarray, spread: float) -> np.ndarray:
    """Gaussian noise on every value, `spread` its standard deviation as a share of all values."""
    found = np.empty_like(images)
    for i, image in enumerate(images):  # each by itself: a thousand photographs would fill memory
        drawn = generator(0, Stream.CORRUPTION, i).standard_normal(image.shape)
        found[i] = _whole(image + 255 * spread * drawn)
    return found


def blur(images: np.ndarray, sigma: float) -> np.ndarray:
    """Each image under a Gaussian of `sigma` pixels, for images of SIDE; in proportion for others.

    Beyond an edge its last pixels go on.
    """
    wide = sigma * min(images.shape[1:3]) / SIDE
    each = [gaussian_filter(x.astype(np.float32), (wide, wide, 0), mode="nearest") for x in images]
    return _whole(np.stack(each))


def brightness(images: np.ndarray, share: float) -> np.ndarray:
    """The value of every pixel raised by that share of all values; hue and saturation stay."""
    values = images.astype(np.float32)
    value = values.max(axis=-1, keepdims=True)
    raised = np.minimum(value + 255 * share, 255)
    # Black has neither hue nor saturation: it becomes grey.
    return _whole(np.where(value > 0, values * (raised / np.maximum(value, 1)), raised))


def contrast(images: np.ndarray, share: float) -> np.ndarray:
    """Every value `share` as far from the mean of its image and channel as it was."""
    means = images.mean(axis=(1, 2), keepdims=True, dtype=np.float32)
    return _whole((images - means) * np.float32(share) + means)


def jpeg(images: np.ndarray, quality: float) -> np.ndarray:
    """Each image as a JPEG of that quality (1 to 95) gives it back."""
    return np.stack([_through_jpeg(image, int(quality)) for image in images])


CORRUPTIONS: dict[str, Corruption] = {
    "noise": Corruption(noise, (0.04, 0.08, 0.10)),
    "blur": Corruption(blur, (0.4, 0.7, 1.0)),
    "brightness": Corruption(brightness, (0.05, 0.15, 0.3)),
    "contrast": Corruption(contrast, (0.75, 0.4, 0.15)),
    "JPEG": Corruption(jpeg, (80, 58, 40)),
}


def _through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image if image.shape[-1] == 3 else image[..., 0]).save(
        file, "jpeg", quality=quality
    )
    with Image.open(file) as read:
        return np.asarray(read).reshape(image.shape)


def _whole(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)
