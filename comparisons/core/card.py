"""The card of a kept model: what it is, what it takes and gives, how good it is, and its limits.

Written beside the model as JSON. A model is rebuilt by its card: nothing in the model's own file
is run, and the numbers that it holds must be those that the card has the hash of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.files import digest, inside, write_text
from comparisons.core.parts import Count, Data, Environment, Id, Name, Share

FORMAT = 2
FOLDER, MODEL, CARD = "model", "model.keras", "model.json"
MOST_BYTES = 10_000_000  # of a card, whose classes may be many
MOST_LOOKS = 10  # each is the whole network once more
# A small picture for a page, which has it as it is.
Icon = Annotated[str, Meta(pattern=r"\Adata:image/png;base64,[A-Za-z0-9+/=]*\Z", max_length=10_000)]


class Network(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the code builds the network from; its weights are in the model's file."""

    model: Annotated[Name, Meta(description="the architecture with its options")]
    revision: Annotated[Count, Meta(description="counts the changes of its code")] = 0
    head: Annotated[str | None, Meta(description="its head; none: its own")] = None
    replaced: Annotated[Count, Meta(description="last blocks that new ones took the place of")] = 0
    input_shape: Annotated[
        tuple[int, int, int], Meta(description="height, width and channels of an image")
    ]
    looks: Annotated[
        list[str],
        Meta(
            min_length=1,
            max_length=MOST_LOOKS,
            description="views of an image whose logits are averaged inside",
        ),
    ]


class Accuracy(msgspec.Struct, kw_only=True):
    """What the test images said."""

    accuracy: Annotated[Share, Meta(description="share that is named rightly")]
    low: Annotated[float, Meta(description="lower end of the interval")]
    high: Annotated[float, Meta(description="upper end")]
    method: Annotated[str, Meta(description="which interval it is")]
    images: Annotated[Count, Meta(description="test images")]


class Strangers(msgspec.Struct, kw_only=True):
    """What the model says of pictures of none of its classes."""

    name: Annotated[Name, Meta(description="which pictures: `shapes`, drawn ones")]
    images: Annotated[Count, Meta(description="how many")]
    sure: Annotated[Share, Meta(description="share that is called a class with certainty")]


class Certain(msgspec.Struct, kw_only=True):
    """When the model is sure, and what is known of the answers that it is sure of."""

    risk: Annotated[Share, Meta(description="share of wrong ones among sure answers aimed at")]
    threshold: Annotated[
        Share, Meta(description="an answer is sure above this probability; 1: none is")
    ]
    chosen_on: Annotated[
        Count, Meta(description="validation images that chose the threshold; 0: they were too few")
    ]
    answered: Annotated[Share, Meta(description="share of test images whose answer is sure")]
    wrong: Annotated[Share | None, Meta(description="share of wrong ones among these")]
    strangers: Annotated[
        Strangers | None,
        Meta(description="pictures of no class; not tried where it learnt from drawn ones"),
    ] = None


class Agreement(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How another computation of the same network answers the test images."""

    images: Annotated[Count, Meta(description="test images that both answered")]
    agreement: Annotated[Share, Meta(description="share that both call the same class")]
    difference: Annotated[float | None, Meta(description="the largest of any probability")]
    differing: Annotated[
        list[Count], Meta(description="test images called differently beyond a tie, from 0 on")
    ] = []
    file: Annotated[str | None, Meta(description="the exported file; none where refused")] = None
    sha256: Annotated[str | None, Meta(description="of that file")] = None


class Plane(msgspec.Struct, kw_only=True):
    """Held-out images in one plane, by the features of the base before and after fine-tuning.

    Raises ValueError where there are not as many places as labels.
    """

    labels: Annotated[
        bytes, Meta(description="class of each image, uint16 [n]; base64", max_length=10_000)
    ]
    before: Annotated[bytes, Meta(description="where it lay, float16 [n, 2]; base64")]
    after: Annotated[bytes, Meta(description="where it lies, float16 [n, 2]; base64")]
    alike_before: Annotated[
        Share, Meta(description="share whose nearest other image, by all features, is of its class")
    ]
    alike_after: Annotated[Share, Meta(description="the same after fine-tuning")]

    def __post_init__(self) -> None:
        images = len(self.labels) // 2
        if not images or not len(self.before) == len(self.after) == 4 * images:
            raise ValueError("the plane has not a place for each label")

    @property
    def classes(self) -> np.ndarray:
        """The class of each image, int [n]."""
        return np.frombuffer(self.labels, "<u2").astype(np.int64)

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the images lie before and after, float [n, 2] each."""
        before, after = (
            np.frombuffer(half, "<f2").astype(np.float64).reshape(-1, 2)
            for half in (self.before, self.after)
        )
        return before, after


class Card(msgspec.Struct, kw_only=True):
    """What is known of a kept model."""

    format: Annotated[int, Meta(description="version of this format")] = FORMAT
    record: Annotated[Id, Meta(description="ID of the run that trained it")]
    arm: Annotated[Name, Meta(description="how it was trained")]
    chosen: Annotated[str, Meta(description="why this arm was kept")] = ""
    seed: Annotated[Count, Meta(description="what its random choices followed from")]
    train_size: Annotated[Count, Meta(description="images trained on")]
    takes: Annotated[str, Meta(description="what the model takes")]
    gives: Annotated[str, Meta(description="what it gives")]
    classes: Annotated[list[Name], Meta(description="in the order of the probabilities")]
    network: Network
    temperature: Annotated[
        float, Meta(ge=1e-3, le=1e3, description="what logits are divided by, inside the model")
    ]
    sure: Certain
    test: Accuracy | None = None
    data: Annotated[Data, Meta(description="the images that it was trained and tested on")]
    weights: Annotated[str, Meta(description="where its base's weights came from")]
    limits: Annotated[list[str], Meta(description="what not to expect of it")] = []
    filters: Annotated[
        list[Icon], Meta(description="the first filters as PNG; none without a convolution")
    ] = []
    plane: Annotated[
        Plane | None, Meta(description="held-out images; none where the base did not move")
    ] = None
    file: Annotated[str, Meta(description="the model's file, beside this one")] = MODEL
    sha256: Annotated[str, Meta(description="of that file")]
    as_tested: Annotated[
        Agreement, Meta(description="the file's answers beside those that were tested")
    ]
    exports: Annotated[dict[str, Agreement], Meta(description="beside the model's own")] = {}
    made: Annotated[str, Meta(description="date and time, UTC")]
    environment: Annotated[Environment, Meta(description="where it was trained, by which code")]


def write(card: Card, path: Path) -> None:
    """Write a card atomically. Raises OSError."""
    write_text(path, msgspec.json.format(msgspec.json.encode(card), indent=1).decode() + "\n")


def read(path: Path) -> Card:
    """Read a card; its model is looked at by `model_file`. Raises ComparisonError."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ComparisonError(f"{path} is no card of a model: it is larger than any")
        card = msgspec.json.decode(text, type=Card)
    except OSError as error:
        raise ComparisonError(f"{path} cannot be read: {error.strerror or error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ComparisonError(f"{path} is no card of a model: {first_line(error)}") from None
    if card.format != FORMAT:
        raise ComparisonError(
            f"{path} has format {card.format}, this version reads {FORMAT}: keep the model again"
        )
    return card


def model_file(card: Card, folder: Path) -> Path:
    """The model's file, which is the one that the card tells of. Raises ComparisonError."""
    path = inside(folder, card.file)
    if path is None:
        raise ComparisonError(f"the card in {folder} names a file elsewhere: {card.file}")
    try:
        found = digest(path) if path.is_file() else None
    except OSError as error:
        raise ComparisonError(f"{path} cannot be read: {error.strerror or error}") from None
    if found is None:
        raise ComparisonError(f"{path} is not there: copy the model's folder as a whole")
    if found != card.sha256:
        raise ComparisonError(
            f"{path} is not the file that its card tells of: it was cut short, changed, or is "
            "another's"
        )
    return path
