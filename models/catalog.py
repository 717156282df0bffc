"""The table of models: what each is, its options and its weights. Imports no framework.

Bases of keras.applications have a table of their own, models.applications. `--list`, `--help`
and the checks of the command line read both, so they must stay light; the networks themselves
are built by models.adapt.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.applications import APPLICATIONS, DATASETS, Application

BUNDLED = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Model:
    """A row of the table.

    `options` names what may follow the model's name after `@`, with its default;
    `kind` says which builder makes it; `upstream` is what its pretraining is published to have
    cost, `source` the data set here that it was pretrained on. A model without `pretrained` can
    only be trained from scratch. Images must have `smallest` pixels a side for its
    convolutions; bases enlarge what they get, and their option `size` is at least
    `smallest_size`. `place` is the path or the Hub handle of a base that is named by it.
    """

    name: str
    sentence: str
    kind: str
    pretrained: bool
    options: tuple[tuple[str, Any], ...] = ()
    upstream: tuple[tuple[str, Any], ...] = ()
    source: str | None = None
    smallest: int = 8
    smallest_size: int = 32
    application: Application | None = None
    place: str | None = None


def card_upstream(card: dict[str, Any], source: str) -> tuple[tuple[str, Any], ...]:
    """What pretraining cost by the card that `comparisons.pretrain` wrote.

    Raises KeyError or TypeError for what is no card.
    """
    return (
        ("dataset", card["data"]["name"]),
        ("images", card["data"]["sizes"]["train"]),
        ("epochs", sum(phase["epochs"] for phase in card["phases"])),
        ("flops", card["flops"]),
        ("source", source),
    )


def _application(name: str, sentence: str = "", **options: Any) -> Model:
    """The row of a base of keras.applications; options other than the size come first."""
    row = APPLICATIONS[name]
    return Model(
        name,
        sentence or f"{row.family.name}, pretrained on {row.family.dataset}",
        kind="application",
        pretrained=True,
        options=(*options.items(), ("size", row.family.size)),
        upstream=(
            ("dataset", row.family.dataset),
            ("images", DATASETS[row.family.dataset]),
            ("epochs", row.family.epochs),
            ("source", row.family.source),
        ),
        smallest_size=row.family.smallest,
        application=row,
    )


# The first of the bases, in every list; the others stand in one line for each family.
OWN = {
    row.name: row
    for row in (
        Model(
            "tutorial-cnn",
            "the network of a well-known tutorial: convolutions 32-64-64, dense 64",
            kind="tutorial",
            pretrained=False,
            smallest=18,
        ),
        Model(
            "cnn",
            "a small network tuned for CPUs: whitened first layer, BatchNorm, label smoothing",
            kind="cnn",
            pretrained=False,
            smallest=10,
        ),
        Model(
            "cnn-medium",
            "the same for minutes instead of seconds: patches one pixel apart, a third block",
            kind="cnn-medium",
            pretrained=False,
            smallest=9,
        ),
        Model(
            "cnn-large",
            "the same for half an hour: the second block twice as wide, kernels trained by Muon",
            kind="cnn-large",
            pretrained=False,
            smallest=9,
        ),
        Model(
            "plain-cnn",
            "18 narrow convolutions and nothing between them: how weights begin decides",
            kind="plain",
            pretrained=False,
        ),
        _application("vgg16", "VGG16, 14.7 million parameters, pretrained on ImageNet"),
        _application(
            "mobilenet", "MobileNet v1, made for phones, pretrained on ImageNet", alpha=0.25
        ),
        Model(
            "tiny",
            "a base of depthwise-separable blocks, pretrained by this project on `shapes`",
            kind="tiny",
            pretrained=True,
            upstream=card_upstream(
                json.loads((BUNDLED / "tiny.json").read_text()),
                "measured here: models/weights/tiny.json",
            ),
            source="shapes-source",
        ),
    )
}
MODELS = OWN | {name: _application(name) for name in APPLICATIONS if name not in OWN}

# The published weights exist for these widths only; 224 px weights serve every input size.
MOBILENET_ALPHAS = (0.25, 0.5, 0.75, 1.0)
SIZES = range(32, 513)


def parse_options(model: Model, text: str) -> dict[str, Any]:
    """Read what follows `@`, such as `0.25x160`; missing parts take the model's defaults.

    Raises ValueError with one line for text that does not fit the model.
    """
    values = dict(model.options)
    if not text:
        return values
    if not values:
        raise ValueError(f"{model.name} takes no options, but got '@{text}'")
    parts = text.split("x")
    form = "x".join(name.upper() for name in values)
    if len(parts) != len(values):
        raise ValueError(f"'{model.name}@{text}': write it as {model.name}@{form}")
    for (name, default), part in zip(model.options, parts, strict=True):
        try:
            values[name] = type(default)(part)
        except ValueError:
            raise ValueError(f"'{model.name}@{text}': {name} must be a number") from None
    if "alpha" in values and values["alpha"] not in MOBILENET_ALPHAS:
        raise ValueError(
            f"'{model.name}@{text}': alpha must be one of {', '.join(map(str, MOBILENET_ALPHAS))}"
        )
    smallest = model.smallest_size
    if "size" in values and not smallest <= values["size"] < SIZES.stop:
        raise ValueError(
            f"'{model.name}@{text}': the size must be {smallest} to {SIZES.stop - 1} pixels"
        )
    return values


def resolved_name(model: Model, options: dict[str, Any]) -> str:
    """The model's name with every option spelled out: `mobilenet@0.25x160`."""
    if model.place:
        return model.name  # whose options, if any, are in the file's own name
    return "@".join(filter(None, (model.name, "x".join(str(value) for value in options.values()))))


def families() -> list[tuple[str, list[Model]]]:
    """The applications that are not in `OWN`, by family: what it is, and its models."""
    found: dict[str, list[Model]] = {}
    for model in MODELS.values():
        if model.name not in OWN:
            found.setdefault(model.sentence, []).append(model)
    return list(found.items())


def is_handle(place: str) -> bool:
    """Whether this is the address of a model rather than a path."""
    return place.startswith(("https://", "http://"))


def weights_file(model: Model, options: dict[str, Any]) -> Path:
    """Where the pretrained weights of a model lie, or will lie once fetched.

    Keras keeps fetched weights in the folder `models` of KERAS_HOME (default ~/.keras),
    TensorFlow Hub a folder for each model in TFHUB_CACHE_DIR.
    """
    if model.kind == "hub" and is_handle(str(model.place)):
        cache = os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir()) / "tfhub_modules"
        return Path(cache) / hashlib.sha1(str(model.place).encode()).hexdigest()
    if model.place:
        return Path(model.place)
    if model.application is None:
        return BUNDLED / f"{model.name}.weights.h5"
    alpha = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}.get(options.get("alpha", 1.0))
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    return home / model.application.file.format(alpha=alpha)


def upstream(model: Model) -> dict[str, Any]:
    """What pretraining a model cost, with the source: published, or from the card of a base."""
    return dict(model.upstream)
