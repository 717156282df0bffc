"""The figures that must not fall: their targets, and what they were when they were last kept.

Ratios alone are kept, never seconds, which depend far more on the machine and what else it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from comparisons.benchmarks.measure import Ratio, Result
from comparisons.core.files import write_text

NAME = "guard.json"


@dataclass(frozen=True)
class Figure:
    """A ratio of a benchmark: how many times as long `slow` takes as `fast`; at least `target`."""

    benchmark: str
    slow: str
    fast: str
    target: float
    sentence: str


FIGURES = (
    Figure(
        "frozen",
        "plain fit",
        "frozen here, cold",
        25,
        "`mobilenet:frozen` with an empty cache, against plain `fit`",
    ),
    Figure(
        "frozen",
        "plain fit",
        "frozen here, warm",
        100,
        "`mobilenet:frozen` with features on disk, against plain `fit`",
    ),
    Figure(
        "extraction",
        "mobilenet@0.25x128 predict",
        "mobilenet@0.25x128 openvino",
        3.5,
        "features at 128 px by OpenVINO, against Keras's `predict`",
    ),
    Figure(
        "extraction",
        "mobilenet@0.25x128 predict",
        "mobilenet@0.25x128 tensorflow",
        1.5,
        "features at 128 px by a TensorFlow graph, against Keras's `predict`",
    ),
    Figure(
        "extraction",
        "matrix product",
        "vgg16@32 openvino",
        0.65,
        "VGG16 at 32 px by OpenVINO, against a product of matrices with as many FLOP",
    ),
    Figure(
        "folder",
        "Pillow with draft",
        "comparisons.images",
        0.9,
        "a folder of JPEGs read with a look at each, against bare Pillow with `draft`",
    ),
    Figure(
        "tutorial",
        "plain fit, 10 epochs",
        "cnn:scratch, 1 epoch",
        8,
        "`cnn:scratch` passing the tutorial's network, against plain `fit` of it",
    ),
)


class Kept(msgspec.Struct):
    """The guarded ratios of one benchmark, and the machine that they were measured on."""

    device: str
    ratios: list[Ratio]


def find(figure: Figure, ratios: list[Ratio]) -> Ratio | None:
    """The ratio that a figure is, where it was measured."""
    wanted = (figure.slow, figure.fast)
    return next((one for one in ratios if (one.slow, one.fast) == wanted), None)


def kept(folder: Path) -> dict[str, Kept]:
    """What was kept, by benchmark. Raises msgspec.MsgspecError for a damaged file."""
    path = folder / NAME
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Kept]) if path.exists() else {}


def fallen(found: Result, before: dict[str, Kept]) -> list[str]:
    """A line for each figure that is lower than its noise explains, or is there no more.

    Lower means that its highest round lies below the lowest that was kept.
    """
    lines = []
    for figure in FIGURES:
        if figure.benchmark != found.name or found.name not in before:
            continue
        was, now = find(figure, before[found.name].ratios), find(figure, found.ratios)
        if was is None:
            continue
        if now is None:
            lines.append(f"not measured any more: {was.slow} against {was.fast}")
        elif now.highest < was.lowest:
            lines.append(
                f"fallen: {now.sentence}; kept {was.median:.3g} "
                f"({was.lowest:.3g} to {was.highest:.3g}) on {before[found.name].device}"
            )
    return lines


def keep(found: Result, folder: Path) -> None:
    """Keep a benchmark's guarded ratios in place of those of before. Raises OSError."""
    figures = [figure for figure in FIGURES if figure.benchmark == found.name]
    ratios = [one for figure in figures if (one := find(figure, found.ratios))]
    if ratios:
        now = kept(folder) | {found.name: Kept(found.environment.device, ratios)}
        text = msgspec.json.format(
            msgspec.json.encode(now, order="deterministic"), indent=1
        ).decode()
        write_text(folder / NAME, text + "\n")
