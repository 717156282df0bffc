"""Pictures of a race: held-out ones while arms learn, and what they disagree on at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparisons.core.records import Record
from comparisons.core.samples import ON_SHOW, choose, data_uri
from comparisons.data import Dataset
from comparisons.findings import text
from comparisons.findings.names import shortened
from comparisons.findings.view import view
from comparisons.live.asking import HeldOut
from comparisons.live.feed import Answer, Disputed, Picture
from comparisons.plan.runs import Run
from comparisons.report.gallery import gallery
from comparisons.report.strip import MOST_LETTERS

IN_PLANE = 60  # held-out pictures by which networks are looked into


def held_out(run: Run, dataset: Dataset, count: int = ON_SHOW) -> HeldOut:
    """Held-out pictures that people are shown: the same for every arm of a seed.

    More of them begin with the same ones.
    """
    data = dataset.dealt(run.tested)
    rows = data.subset(run.seed, run.train_size, run.settings.validate_on).validation
    chosen = rows[choose(data.y_train[rows], count)]
    images, labels = data.x_train[chosen], data.y_train[chosen]
    names = _names(data.classes)
    pictures = [
        Picture(data_uri(image), names[label]) for image, label in zip(images, labels, strict=True)
    ]
    return HeldOut(images, labels, pictures)


def answers(classes: Sequence[str], chances: Sequence[Sequence[float]]) -> list[Answer]:
    """What a network says of pictures, by the probabilities [n][classes] that it gives."""
    names = _names(classes)
    return [Answer(names[one.index(max(one))], max(one)) for one in map(list, chances)]


def disputed(folder: Path, records: Sequence[Record]) -> Disputed | None:
    """Test pictures that the first two arms disagree on, of those kept under a folder."""
    found = gallery(folder, view(list(records)))
    if found is None:
        return None
    first, second = found.names
    said = (
        f"{first} and {second} differ on {text.count(found.different)} of "
        f"{text.count(found.images)} test images. Here both are sure, and one is wrong at least."
    )
    pictures = [
        Picture(
            str(one.image),
            one.truth,
            {answer.label: Answer(answer.called, answer.certainty) for answer in one.answers},
        )
        for one in found.pictures
    ]
    return Disputed(said, pictures)


def _names(classes: Sequence[str]) -> list[str]:
    return [shortened(name, MOST_LETTERS) for name in classes]
