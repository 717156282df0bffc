"""A kept model, and what it says of pictures."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from PIL import Image

from comparisons.core import card as cards
from comparisons.core.card import Card
from comparisons.core.console import silenced
from comparisons.core.errors import ComparisonError, first_line, printable, unknown
from comparisons.core.files import exists
from comparisons.core.machine import backend, before_loading, cores
from comparisons.data import pictures
from comparisons.data.pictures import NoPicture
from comparisons.plan.request import has_accelerator
from comparisons.predict import paths

if TYPE_CHECKING:
    import keras

CHUNK = 200  # pictures that are held at once
MANY = 200  # pictures that are worth compiling a program for


class Answer(msgspec.Struct, rename={"name": "class"}):
    """What a model says of one picture; the class is the likeliest, whether it is sure or not."""

    file: str
    name: str
    probability: float
    sure: bool
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Model:
    """A kept model: its card, and its network, uint8 images [n, h, w, c] -> probabilities."""

    card: Card
    network: keras.Model

    def answers(
        self,
        named: str | Path | Sequence[str | Path],
        unread: paths.Unread = paths.refuse,
    ) -> list[Answer]:
        """What it says of the pictures that files, folders and patterns name, in their order.

        `unread` hears of each file that is no picture and each folder that is closed, and why;
        without it the first of them raises ComparisonError, as does a path that names nothing.
        """
        files = paths.files([named] if isinstance(named, str | Path) else named, unread)
        found: list[Answer] = []
        compute: Callable[[np.ndarray], np.ndarray] | None = None
        for some, images in self._decoded(files, unread):
            compute = compute or self._computing(images, len(files))
            found += map(self._answer, some, compute(images))
        return found

    def looked(self, picture: str | Path, name: str | None = None) -> Image.Image:
        """Where it looked: the picture as it sees it, dark where nothing spoke for the class.

        That of its answer, or the one called `name`. Raises ComparisonError for a file that is no
        picture, a class that it does not know, and a network of which nobody can tell.
        """
        if name is not None and name not in self.card.classes:
            raise unknown("class", name, self.card.classes)
        image = self.image(picture)
        from models import gradcam
        from models.prediction import without_compiling

        if name is None:
            called = int(without_compiling(self.network, image[None]).argmax())
        else:
            called = self.card.classes.index(name)
        try:
            pixels = gradcam.lit(self.network.get_layer("whole"), image, called)
        except gradcam.NoMaps as why:
            raise ComparisonError(str(why)) from None
        return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])

    def image(self, picture: str | Path) -> np.ndarray:
        """A picture as it sees it, uint8 [h, w, c]. Raises ComparisonError for what is none."""
        try:
            return pictures.as_input(str(picture), self.card.network.input_shape)
        except NoPicture as why:
            raise ComparisonError(f"{picture}: {why}") from None

    def _decoded(
        self, files: Sequence[str], unread: paths.Unread
    ) -> Iterator[tuple[list[str], np.ndarray]]:
        """Pictures as the network takes them, some at a time, with the names of their files."""

        def one(path: str) -> np.ndarray | NoPicture:
            try:
                return pictures.as_input(path, self.card.network.input_shape)
            except NoPicture as why:
                return why

        for start in range(0, len(files), CHUNK):
            part = files[start : start + CHUNK]
            with pictures.quiet(), ThreadPoolExecutor(cores()) as threads:
                results = list(threads.map(one, part))
            good: list[tuple[str, np.ndarray]] = []
            for path, result in zip(part, results, strict=True):
                if isinstance(result, NoPicture):
                    unread(path, str(result))
                else:
                    good.append((path, result))
            if good:
                yield [path for path, _ in good], np.stack([image for _, image in good])

    def _computing(self, first: np.ndarray, count: int) -> Callable[[np.ndarray], np.ndarray]:
        """What computes the probabilities of images: for many of them, the fastest that agrees."""
        from models import engines, prediction

        if count < MANY:
            return partial(prediction.without_compiling, self.network)
        quick = backend() == "tensorflow" and not has_accelerator("auto")
        name = "openvino" if quick and importlib.util.find_spec("openvino") else "keras"
        try:
            return engines.checked(name, self.network, first[: engines.CHECKED], cores())
        except engines.EngineRefused:
            return engines.keras_steps(self.network)

    def _answer(self, file: str, chances: np.ndarray) -> Answer:
        best = int(chances.argmax())
        names = self.card.classes
        return Answer(
            file=printable(file),
            name=names[best],
            probability=float(chances[best]),
            sure=bool(chances[best] > self.card.sure.threshold),
            probabilities=dict(zip(names, map(float, chances), strict=True)),
        )


def load(path: str | Path) -> Model:
    """The model that a comparison kept: by its folder, its file, or the folder of results.

    Only what this project saved is read: the network is built from code by the model's card, and
    its weights must be those that the card has the hash of. Raises ComparisonError.
    """
    folder = _folder(Path(path))
    card = cards.read(folder / cards.CARD)
    file = cards.model_file(card, folder)
    before_loading()
    with silenced():
        from comparisons.training.keeping import network_of
        from models import kept

    built = network_of(card)
    try:
        return Model(card, kept.read(built, file))
    except Exception as error:  # whatever building what no run ever built may raise
        raise ComparisonError(f"{file} does not fit its card: {first_line(error)}") from None


def _folder(path: Path) -> Path:
    """The folder of a model, by any of the names that people have for it."""
    if not str(path) or not exists(path):
        raise ComparisonError(f"there is no model {path}: name the folder that --keep wrote")
    if not path.is_dir():
        if path.name not in (cards.MODEL, cards.CARD):
            raise ComparisonError(
                f"{path} is no model that this project kept: name the folder that --keep wrote, "
                f"with {cards.MODEL} and {cards.CARD}"
            )
        return path.parent
    inside = path / cards.FOLDER
    found = next((f for f in (path, inside) if exists(f / cards.CARD)), None)
    if found is None:
        raise ComparisonError(
            f"{path} holds no model: run a comparison with --keep, then name its folder of results"
        )
    return found
