"""Kept networks asked what they see in pictures, where they looked, and what is inside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from comparisons.core import card as cards
from comparisons.core import samples
from comparisons.core.card import Card
from comparisons.core.control import Control, Look
from comparisons.core.events import Looked, Note, Stage, Tell
from comparisons.core.samples import Samples, data_uri
from comparisons.data.pictures import NoPicture, as_input, quiet
from comparisons.training import inside
from comparisons.training.keeping import network_of
from models import gradcam, kept
from models.prediction import without_compiling


def answer(files: Sequence[Path], pictures: Path, tell: Tell, held: Control) -> None:
    """Say of each network what it sees in a picture, or what is inside it, until nobody asks.

    `files` are their cards; `pictures` is an .npz of held-out `images` and their `labels`, by which
    networks are looked into. A file that is no picture is told as a Note. Raises ComparisonError
    for a network that cannot be read.
    """
    known = []
    for file in files:
        card = cards.read(file)
        card.file = file.with_suffix(".keras").name
        known.append((card, kept.read(network_of(card), cards.model_file(card, file.parent))))
    tell(Stage("ready"))
    while True:
        question = held.next_question()
        if isinstance(question, Look):
            _look(known, question.path, tell)
            continue
        with np.load(pictures, allow_pickle=False) as kept_out:
            images, labels = kept_out["images"], kept_out["labels"]
        for _, network in known:
            tell(inside.all_of(network, images, labels))


def _look(known: Sequence[tuple[Card, keras.Model]], path: str, tell: Tell) -> None:
    """Say what each network sees in the picture of a file."""
    try:
        with quiet():
            seen = [as_input(path, card.network.input_shape) for card, _ in known]
    except NoPicture as why:
        tell(Note(f"that is no picture: {why}"))
        return
    for (card, network), image in zip(known, seen, strict=True):
        (chances,) = without_compiling(network, image[None])
        best = int(chances.argmax())
        certainty = float(chances[best])
        told = Looked(
            card.classes[best],
            certainty,
            certainty > card.sure.threshold,
            data_uri(image),
            _looked(network, image, best),
            inside.found(network, image),
        )
        tell(told)


def keep(folder: Path, images: np.ndarray, rows: Sequence[int], out: Path) -> None:
    """Keep under `out` where the model in a folder looked in those rows of test images.

    For what it calls them; nothing, where its network has no maps. Raises ComparisonError and
    OSError.
    """
    card = cards.read(folder / cards.CARD)
    network = kept.read(network_of(card), cards.model_file(card, folder))
    some = images[rows]
    called = without_compiling(network, some).argmax(axis=1)
    whole = network.get_layer("whole")
    try:
        lit = [gradcam.lit(whole, *one) for one in zip(some, called.tolist(), strict=True)]
    except gradcam.NoMaps:
        return
    samples.keep_looked(out, card.record, Samples(np.array(rows), called, np.stack(lit)))


def _looked(network: keras.Model, image: np.ndarray, called: int) -> str | None:
    try:
        return data_uri(gradcam.lit(network.get_layer("whole"), image, called))
    except gradcam.NoMaps:
        return None
