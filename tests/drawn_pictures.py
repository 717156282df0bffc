"""Folders of pictures, drawn: what the tests of own pictures begin with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, label: int = 0, side: int = 48) -> Image.Image:
    """Stripes of one direction for each label, on blocks that are another for each seed."""
    generator = np.random.default_rng([seed, label])
    blocks = generator.integers(40, 200, (6, 6, 3)).repeat(side // 6, 0).repeat(side // 6, 1)
    wave = 40 * np.sin(np.arange(side) * 2 * np.pi * 5 / side)
    stripes = wave[None, :, None] if label else wave[:, None, None]
    return Image.fromarray((blocks + stripes).clip(0, 255).astype(np.uint8))


def folder(
    path: Path, each: int = 10, classes: tuple[str, ...] = ("ants", "bees"), first: int = 0
) -> Path:
    """So many pictures of each class, a sub-folder for each; others from another `first` on."""
    for label, name in enumerate(classes):
        (path / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + each):
            picture(number, label).save(path / name / f"{number:03}.png")
    return path


def bursts(path: Path, *takes: tuple[str, int, int]) -> Path:
    """For each take, of a class, so many pictures that are nearly the same as a scene's."""
    for label, scene, count in takes:
        (path / label).mkdir(parents=True, exist_ok=True)
        pixels = np.asarray(picture(scene, label == "bees"), np.int16)
        for number in range(count):
            image = Image.fromarray((pixels + number).clip(0, 255).astype(np.uint8))
            image.save(path / label / f"{scene}-{number}.png")
    return path
