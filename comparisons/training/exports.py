"""A kept model in other formats, each only where it answers as the model does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from comparisons.core import card as cards
from comparisons.core import events
from comparisons.core.card import Agreement
from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.events import Tell
from comparisons.core.files import remove
from comparisons.core.machine import cores
from comparisons.training.keeping import agreement, named, network_of
from models import exporting, kept
from models.exporting import FORMATS, Format
from models.parity import parity
from models.prediction import predict

MOST_NAMED = 20  # pictures


def export(
    folder: Path, images: np.ndarray, files: Sequence[str], wanted: Sequence[str], tell: Tell
) -> None:
    """Export the model in a folder to formats of FORMATS, and note each on its card.

    Model and export answer all `images`, the test pictures uint8 [n, h, w, c], which come from
    `files`, if from any. One that calls any of them otherwise, beyond a tie, is not kept: then this
    raises ComparisonError that names these pictures, once all formats have been tried.
    """
    card = cards.read(folder / cards.CARD)
    network = kept.read(network_of(card), cards.model_file(card, folder))
    tell(events.Stage(f"the model answers {len(images):,} test pictures"))
    answers = predict(network, images)
    refused = []
    for name in wanted:
        tell(events.Stage(f"exporting to {name}, which answers the same"))
        try:
            card.exports[name] = gate(network, answers, images, FORMATS[name], folder)
        except OSError as error:
            raise ComparisonError(f"--export {name}: {error}", exit_code=1) from None
        except Exception as error:  # whatever a converter may raise
            refused.append(f"{name}: it cannot be exported: {first_line(error)}")
            continue
        if rows := card.exports[name].differing:
            some = named(rows, files, MOST_NAMED)
            refused.append(f"{name} answers {len(rows)} test pictures otherwise: {some}")
    cards.write(card, folder / cards.CARD)
    if refused:
        raise ComparisonError(f"not exported: {'; '.join(refused)}", exit_code=1)


def gate(
    network: keras.Model, answers: np.ndarray, images: np.ndarray, chosen: Format, folder: Path
) -> Agreement:
    """Export a network; the file stays where it gives the network's `answers` to the images."""
    path = folder / chosen.file
    remove(path)
    try:
        exporting.export(network, chosen, path)
        found = parity(answers, chosen.answers(path, images, cores()))
    except BaseException:
        remove(path)
        raise
    if found.differing:
        remove(path)
        return agreement(found)
    return agreement(found, path)
