"""Reading a folder of photographs, beside bare Pillow on every core and Keras's own reader."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result, warmed
from comparisons.core.machine import cores
from comparisons.data import pictures, shapes

ROUNDS = 5
PICTURES, WIDTH, HEIGHT, SIDE = 1000, 500, 375, 160
QUALITY = 90
GRAIN = 12  # of 255, without which a JPEG of something drawn has less to decode than a photograph
HERE, PILLOW, KERAS = "comparisons.images", "Pillow with draft", "Keras's reader"


def run(rounds: int) -> Result:
    """As many pictures of a camera's proportions, made one size by each reader in turn."""
    with tempfile.TemporaryDirectory() as folder:
        paths = drawn(Path(folder), PICTURES)
        readers = {
            HERE: partial(here, paths, Path(folder) / "x.npy"),
            PILLOW: partial(bare, paths),
            KERAS: partial(by_keras, Path(folder) / "pictures"),
        }
        taken = alternate({name: warmed(read) for name, read in readers.items()}, rounds)
    sides = [Side(name, taken[name], PICTURES, "picture") for name in readers]
    ours, pillow, keras = sides
    question = f"How fast is a folder of {WIDTH} x {HEIGHT} JPEGs read, at {SIDE} pixels?"
    return result("folder", question, sides, [ratio(pillow, ours), ratio(keras, ours)])


def drawn(folder: Path, count: int) -> list[str]:
    """Paths of JPEGs of shapes with a camera's grain, under `folder`/pictures, in two classes."""
    draw = np.random.default_rng(0)
    paths = []
    images, _ = shapes.draw(shapes.TARGET_CLASSES, count, seed=0)
    for number, small in enumerate(images):
        image = Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        grain = draw.normal(0, GRAIN, (HEIGHT, WIDTH, 3))
        path = folder / "pictures" / str(number % 2) / f"{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path, quality=QUALITY)
        paths.append(str(path))
    return paths


def here(paths: Sequence[str], into: Path) -> None:
    """As `comparisons.images` reads: with a look at each picture, into a file."""
    with into.open("wb") as file:
        pictures.read(paths, SIDE, file, lambda done, total: None)


def bare(paths: Sequence[str]) -> None:
    """Pillow alone on every core: a draft of the JPEG, its middle square, one size."""

    def one(path: str) -> Image.Image:
        with Image.open(path) as image:
            image.draft(None, (SIDE, SIDE))
            crop = min(image.size)
            left, top = (image.width - crop) / 2, (image.height - crop) / 2
            box = (left, top, left + crop, top + crop)
            size, bilinear = (SIDE, SIDE), Image.Resampling.BILINEAR
            return image.convert("RGB").resize(size, bilinear, box, reducing_gap=2.0)

    with ThreadPoolExecutor(cores()) as threads:
        for _ in threads.map(one, paths):
            pass


def by_keras(folder: Path) -> None:
    """`image_dataset_from_directory`, cropped to the middle square as well."""
    import keras

    for _ in keras.utils.image_dataset_from_directory(
        folder, image_size=(SIDE, SIDE), crop_to_aspect_ratio=True, shuffle=False, verbose=False
    ):
        pass
