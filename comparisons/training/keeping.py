"""A trained network kept whole, beside a card: for whoever has pictures of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from comparisons.core import card as cards
from comparisons.core.card import Agreement, Card, Certain, Strangers
from comparisons.core.clock import timestamp
from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.files import digest, remove
from comparisons.core.parts import FEWEST
from comparisons.core.predictions import softmax
from comparisons.core.records import Record, finite
from comparisons.data import strangers
from comparisons.plan import arms, bases
from comparisons.training import inside, selective
from comparisons.training.building import change_of
from comparisons.training.job import Job
from models import kept
from models.adapt import HEADS, Network
from models.parity import Parity, parity
from models.prediction import predict

# Of probability. What was tested may have been computed in half precision, or from features that
# were kept in it; what is kept is computed in single precision.
HALF = 1e-2
MOST_NAMED = 5  # pictures


def keep(
    job: Job, record: Record, logits: np.ndarray, folder: Path, before: Network | None = None
) -> None:
    """Write ID.keras and its card ID.json; a notice in the record says why, where that fails.

    `logits` float32 [n, classes] are what was tested: the file, read again, must answer alike.
    `before` is the network as it was, where its base has moved.
    """
    file = folder / f"{record.id}.keras"
    built = _as_kept(job, record)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept.write(built, job.network, file)
        network = kept.read(built, file)
        answers = predict(network, job.dataset.x_test)
        found = parity(probabilities(logits / built.temperature), answers, HALF)
        if found.differing:
            remove(file)
            those = named(found.differing, job.dataset.test_files, MOST_NAMED)
            raise ValueError(f"read again it answers otherwise than was tested, picture {those}")
        card = _card(job, record, built, agreement(found), file)
        card.filters = inside.filters(network)
        if before:
            some = job.rows.validation[: inside.MOST]
            held_out = job.dataset.x_train[some], job.dataset.y_train[some]
            card.plane = inside.moved(before.whole, job.network.whole, *held_out)
        if not record.data.synthetic:
            chances = predict(network, strangers.strangers(built.input_shape)).max(axis=1)
            sure = float((chances > card.sure.threshold).mean())
            card.sure.strangers = Strangers(name=strangers.NAME, images=len(chances), sure=sure)
        cards.write(card, file.with_suffix(".json"))
    except (OSError, ValueError) as error:
        # What was measured is worth more than the network.
        said = getattr(error, "strerror", None) or first_line(error)
        record.notices.append(f"its network is not kept: {said}")


def named(rows: Sequence[int], files: Sequence[str], most: int) -> str:
    """At most so many test pictures: by their files where they come from any, else by rows."""
    some = [files[row] if files else str(row) for row in rows[:most]]
    return ", ".join([*some, *(["…"] if rows[most:] else [])])


def _as_kept(job: Job, record: Record) -> kept.Kept:
    change = change_of(job.arm)
    noted = record.test.calibration if record.test else None
    return kept.Kept(
        model=job.arm.model,
        input_shape=job.dataset.image_shape,
        classes=len(job.dataset.classes),
        head=change.head,
        replaced=change.replace,
        looks=job.run.target_phases[-1].views_at_test,
        temperature=noted.temperature if noted else 1.0,
    )


def _card(job: Job, record: Record, built: kept.Kept, tested: Agreement, file: Path) -> Card:
    height, width, channels = built.input_shape
    noted = record.test.calibration if record.test else None
    threshold = noted.threshold if noted else None
    seen = len(job.last.held_out) if job.last else 0
    chosen_on = seen if seen >= FEWEST else 0
    return Card(
        record=record.id,
        arm=record.arm,
        seed=record.seed,
        train_size=record.train_size,
        takes=f"uint8 [n, {height}, {width}, {channels}], "
        f"{'grey' if channels == 1 else 'RGB'} from 0 to 255; resizing to what the base expects "
        "and all preprocessing are inside",
        gives=f"float32 [n, {built.classes}], probabilities of the classes; the temperature is "
        "inside",
        classes=list(job.dataset.classes),
        network=cards.Network(
            model=bases.architecture(built.model),
            revision=built.model.revision,
            head=built.head,
            replaced=built.replaced,
            input_shape=built.input_shape,
            looks=list(built.looks),
        ),
        temperature=built.temperature,
        sure=Certain(
            risk=selective.RISK,
            threshold=selective.NONE if threshold is None else threshold,
            chosen_on=chosen_on,
            answered=(noted and noted.answered) or 0.0,
            wrong=noted.answered_wrong if noted else None,
        ),
        data=record.data,
        weights=record.weights.origin if record.weights else "random",
        limits=_limits(record, built, chosen_on),
        sha256=digest(file),
        as_tested=tested,
        made=timestamp(),
        environment=record.environment,
    )


def _limits(record: Record, built: kept.Kept, chosen_on: int) -> list[str]:
    """What not to expect of a model, by how it came about."""
    height, width, _ = built.input_shape
    said = [
        f"It knows {built.classes} classes and no other: a picture of something else is given one "
        "of them too, and may be given it with certainty.",
        f"Its accuracy and its certainty were measured on pictures of {record.data.name}: pictures "
        "taken otherwise may be named worse.",
        f"It sees {width}x{height} pixels: what is lost at that size it cannot know.",
    ]
    if not chosen_on:
        said.append(
            f"Fewer than {FEWEST} validation images could choose when it is sure: its certainty is "
            "as the network says it, and no answer is called sure."
        )
    if record.data.synthetic:
        said.append("It learnt from pictures drawn by a program, not from photographs.")
    return said


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax of logits [n, classes], float32."""
    return softmax(logits).astype(np.float32)


def agreement(found: Parity, file: Path | None = None) -> Agreement:
    """A comparison as the card has it, of a file where one is kept."""
    return Agreement(
        images=found.images,
        agreement=found.agreement,
        difference=finite(found.difference),
        differing=list(found.differing),
        file=file.name if file else None,
        sha256=digest(file) if file else None,
    )


def network_of(card: Card) -> kept.Kept:
    """What a kept network is built from, by its card. Raises ComparisonError.

    The network itself is built by this code: a card names it, and says nothing of how.
    """
    known = card.network
    model = arms.named(known.model)
    if model.revision != known.revision:
        raise ComparisonError(
            f"that model is a {known.model} of another version ({known.revision}, here "
            f"{model.revision}): keep it again"
        )
    if known.head not in (None, *HEADS):
        raise ComparisonError(f"that model has a head not known here: {known.head}")
    if not set(known.looks) <= set(kept.LOOKS) or not known.looks:
        raise ComparisonError(
            f"that model looks at pictures in a way not known here: {known.looks}"
        )
    return kept.Kept(
        model=model,
        head=known.head,
        replaced=known.replaced,
        input_shape=known.input_shape,
        classes=len(card.classes),
        looks=tuple(known.looks),
        temperature=card.temperature,
    )
