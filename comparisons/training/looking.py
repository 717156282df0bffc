"""Kept networks asked about single pictures, as somebody hands them in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from comparisons.core import card as cards
from comparisons.core.control import Control
from comparisons.core.events import Looked, Note, Stage, Tell
from comparisons.core.samples import data_uri
from comparisons.data.pictures import NoPicture, as_input, quiet
from comparisons.training.keeping import network_of
from models import gradcam, kept
from models.prediction import without_compiling


def answer(files: Sequence[Path], tell: Tell, held: Control) -> None:
    """Say what each network sees in every picture that is asked about, until nobody asks.

    `files` are their cards. A file that is no picture is told as a Note. Raises ComparisonError
    for a network that cannot be read.
    """
    known = []
    for file in files:
        card = cards.read(file)
        card.file = file.with_suffix(".keras").name
        known.append((card, kept.read(network_of(card), cards.model_file(card, file.parent))))
    tell(Stage("ready"))
    while True:
        path = held.next_look()
        try:
            with quiet():
                seen = [as_input(path, card.network.input_shape) for card, _ in known]
        except NoPicture as why:
            tell(Note(f"that is no picture: {why}"))
            continue
        for (card, network), image in zip(known, seen, strict=True):
            (chances,) = without_compiling(network, image[None])
            best = int(chances.argmax())
            certainty = float(chances[best])
            sure = certainty > card.sure.threshold
            looked = _looked(network, image, best)
            tell(Looked(card.classes[best], certainty, sure, data_uri(image), looked))


def _looked(network: keras.Model, image: np.ndarray, called: int) -> str | None:
    try:
        return data_uri(gradcam.lit(network.get_layer("whole"), image, called))
    except gradcam.NoMaps:
        return None
