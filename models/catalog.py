"""The table of models: what each is, its options and its weights. Imports no framework.

`--list`, `--help` and the checks of the command line read this table, so it must stay light;
the networks themselves are built by models.build.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMAGENET_SOURCE = "Russakovsky et al. 2015, arXiv:1409.0575"
BUNDLED = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Model:
    """A row of the table.

    `options` names what may follow the model's name after `@`, with its default;
    `kind` says which builder makes it; `upstream` is what its pretraining is published to have
    cost, `source` the data set here that it was pretrained on. A model without `pretrained` can
    only be trained from scratch. Images must have `smallest` pixels a side for its
    convolutions; bases enlarge what they get.
    """

    name: str
    sentence: str
    kind: str
    pretrained: bool
    options: tuple[tuple[str, Any], ...] = ()
    upstream: tuple[tuple[str, Any], ...] = ()
    source: str | None = None
    smallest: int = 8


MODELS = {
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
            "plain-cnn",
            "18 narrow convolutions and nothing between them: how weights begin decides",
            kind="plain",
            pretrained=False,
        ),
        Model(
            "vgg16",
            "VGG16, 14.7 million parameters, pretrained on ImageNet",
            kind="vgg16",
            pretrained=True,
            options=(("size", 64),),
            upstream=(
                ("dataset", "ImageNet-1k"),
                ("images", 1_281_167),
                ("epochs", 74),
                ("source", "Simonyan & Zisserman 2015, arXiv:1409.1556, section 3.1"),
            ),
        ),
        Model(
            "mobilenet",
            "MobileNet v1, made for phones, pretrained on ImageNet",
            kind="mobilenet",
            pretrained=True,
            options=(("alpha", 0.25), ("size", 160)),
            upstream=(
                ("dataset", "ImageNet-1k"),
                ("images", 1_281_167),
                ("epochs", None),
                ("source", f"{IMAGENET_SOURCE}; the number of epochs is not published"),
            ),
        ),
        Model(
            "tiny",
            "a base of depthwise-separable blocks, pretrained by this project on `shapes`",
            kind="tiny",
            pretrained=True,
            source="shapes-source",
        ),
    )
}

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
    if "size" in values and values["size"] not in SIZES:
        raise ValueError(
            f"'{model.name}@{text}': the size must be {SIZES.start} to {SIZES.stop - 1} pixels"
        )
    return values


def resolved_name(model: Model, options: dict[str, Any]) -> str:
    """The model's name with every option spelled out: `mobilenet@0.25x160`."""
    return "@".join(filter(None, (model.name, "x".join(str(value) for value in options.values()))))


def weights_file(model: Model, options: dict[str, Any]) -> Path:
    """Where the pretrained weights of a model lie, or will lie once fetched.

    Keras keeps fetched weights in the folder `models` of KERAS_HOME (default ~/.keras).
    """
    if model.kind == "tiny":
        return BUNDLED / "tiny.weights.h5"
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    if model.kind == "mobilenet":
        alpha = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[options["alpha"]]
        return home / f"mobilenet_{alpha}_224_tf_no_top.h5"
    return home / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


def upstream(model: Model) -> dict[str, Any]:
    """What pretraining a model cost, with the source: published, or from the card of a base."""
    if model.kind != "tiny":
        return dict(model.upstream)
    card = json.loads((BUNDLED / "tiny.json").read_text())
    return {
        "dataset": card["data"]["name"],
        "images": card["data"]["sizes"]["train"],
        "epochs": sum(phase["epochs"] for phase in card["phases"]),
        "flops": card["flops"],
        "source": "measured here: models/weights/tiny.json",
    }
