"""The table of models: what each is, its options and its weights. Imports no framework.

Bases of keras.applications have a table of their own, models.applications. `--list`, `--help`
and the checks of the command line read both, so they must stay light; the networks themselves
are built by models.adapt.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from models.applications import APPLICATIONS, DATASETS, Application
from models.cards import Upstream, read_card

BUNDLED = Path(__file__).parent / "weights"
Head = Literal["dense", "tutorial", "linear", "classic"]  # rows of models.adapt.HEADS


@dataclass(frozen=True)
class Model:
    """A row of the table.

    `builder` is the function of models.scratch or models.backbones that makes it, `head` a row
    of models.adapt.HEADS, `recipe` the row of comparisons.plan.recipes by which the whole of it
    trains. `options` are what may follow its name after `@`: in the table with their usual
    values, in a model that `with_options` gave with those asked for. `upstream` is what its
    pretraining is published to have cost, `source` the data set here that it was pretrained on.
    A model without `pretrained` can only be trained from scratch. Images must have `smallest`
    pixels a side for its convolutions; bases enlarge what they get, and their option `size` is
    at least `smallest_size`. `place` is the path or the Hub handle of a base that is named by
    it. `revision` is raised where the network, by the same name, gives other results than before.
    """

    name: str
    sentence: str
    builder: str
    recipe: str
    pretrained: bool
    head: Head = "dense"
    options: tuple[tuple[str, float | int], ...] = ()
    upstream: Upstream | None = None
    source: str | None = None
    smallest: int = 8
    smallest_size: int = 32
    application: Application | None = None
    place: str | None = None
    revision: int = 0

    @property
    def full_name(self) -> str:
        """The name with every option spelled out: `mobilenet@0.25x160`."""
        if self.place:
            return self.name  # whose options, if any, are in the file's own name
        return "@".join(filter(None, (self.name, "x".join(str(v) for _, v in self.options))))

    def option(self, name: str) -> float | int | None:
        """The value of an option; None where the model has none of that name."""
        return dict(self.options).get(name)


def _application(name: str, sentence: str = "", **options: float) -> Model:
    """The row of a base of keras.applications; options other than the size come first."""
    row = APPLICATIONS[name]
    return Model(
        name,
        sentence or f"{row.family.name}, pretrained on {row.family.dataset}",
        builder="application",
        recipe="base",
        pretrained=True,
        options=(*options.items(), ("size", row.family.size)),
        upstream=Upstream(
            dataset=row.family.dataset,
            images=DATASETS[row.family.dataset],
            epochs=row.family.epochs,
            source=row.family.source,
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
            builder="tutorial_cnn",
            recipe="tutorial-cnn",
            pretrained=False,
            head="tutorial",
            smallest=18,
        ),
        Model(
            "cnn",
            "a small network tuned for CPUs: whitened first layer, BatchNorm, label smoothing",
            builder="cnn",
            recipe="cnn",
            pretrained=False,
            head="linear",
            smallest=10,
        ),
        Model(
            "cnn-medium",
            "the same for minutes instead of seconds: patches one pixel apart, a third block",
            builder="cnn_medium",
            recipe="cnn-medium",
            pretrained=False,
            head="linear",
            smallest=9,
        ),
        Model(
            "cnn-large",
            "the same for half an hour: the second block twice as wide, kernels trained by Muon",
            builder="cnn_large",
            recipe="cnn-large",
            pretrained=False,
            head="linear",
            smallest=9,
        ),
        Model(
            "mlp",
            "the classic perceptron of digits: dense layers of 128 and 64, no convolution",
            builder="mlp",
            recipe="mlp",
            pretrained=False,
            head="linear",
        ),
        Model(
            "plain-cnn",
            "18 narrow convolutions and nothing between them: how weights begin decides",
            builder="plain_cnn",
            recipe="plain-cnn",
            pretrained=False,
            head="linear",
        ),
        _application("vgg16", "VGG16, 14.7 million parameters, pretrained on ImageNet"),
        _application(
            "mobilenet", "MobileNet v1, made for phones, pretrained on ImageNet", alpha=0.25
        ),
        Model(
            "tiny",
            "a base of depthwise-separable blocks, pretrained here on drawn shapes of other kinds",
            builder="tiny",
            recipe="base",
            pretrained=True,
            upstream=read_card(BUNDLED / "tiny.json").upstream(
                "measured here: models/weights/tiny.json"
            ),
            source="shapes-source",
        ),
    )
}
MODELS = OWN | {name: _application(name) for name in APPLICATIONS if name not in OWN}

# The published weights exist for these widths only; 224 px weights serve every input size.
MOBILENET_ALPHAS = (0.25, 0.5, 0.75, 1.0)
SIZES = range(32, 513)


def with_options(model: Model, text: str) -> Model:
    """The model with what follows `@` in place of its options, such as `0.25x160`; all or none.

    Raises ValueError with one line for text that does not fit the model.
    """
    if not text:
        return model
    if not model.options:
        raise ValueError(f"{model.name} takes no options, but got '@{text}'")
    parts = text.split("x")
    if len(parts) != len(model.options):
        form = "x".join(name.upper() for name, _ in model.options)
        raise ValueError(f"'{model.name}@{text}': write it as {model.name}@{form}")
    values: dict[str, float | int] = {}
    for (name, usual), part in zip(model.options, parts, strict=True):
        try:
            values[name] = type(usual)(part)
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
    return replace(model, options=tuple(values.items()))


def families() -> list[tuple[str, list[Model]]]:
    """The applications that are not in `OWN`, by family: what it is, and its models."""
    found: dict[str, list[Model]] = {}
    for model in MODELS.values():
        if model.name not in OWN:
            found.setdefault(model.sentence, []).append(model)
    return list(found.items())


def has_builder(model: Model) -> bool:
    """Whether there is a function that builds a model, told from the source alone."""
    folder = Path(__file__).parent
    texts = ((folder / f"{name}.py").read_text() for name in ("scratch", "backbones"))
    return any(f"\ndef {model.builder}(" in text for text in texts)


def is_handle(place: str) -> bool:
    """Whether this is the address of a model rather than a path."""
    return place.startswith(("https://", "http://"))


def weights_file(model: Model) -> Path:
    """Where the pretrained weights of a model lie, or will lie once fetched.

    Keras keeps fetched weights in the folder `models` of KERAS_HOME (default ~/.keras),
    TensorFlow Hub a folder for each model in TFHUB_CACHE_DIR.
    """
    if model.builder == "hub" and is_handle(str(model.place)):
        cache = os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir()) / "tfhub_modules"
        return Path(cache) / hashlib.sha1(str(model.place).encode()).hexdigest()
    if model.place:
        return Path(model.place)
    if model.application is None:
        return BUNDLED / f"{model.name}.weights.h5"
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    return home / _for_width(model.application.file, model)


def weights_address(model: Model) -> str | None:
    """Where the pretrained weights of a model are published; None where nobody did."""
    if model.place:
        return model.place if is_handle(model.place) else None
    return _for_width(model.application.address, model) if model.application else None


def _for_width(name: str, model: Model) -> str:
    """The name of a file with the model's alpha, where it has one, as Keras writes it."""
    widths = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}
    return name.format(alpha=widths.get(model.option("alpha") or 1.0))
