"""What people call an arm: `MobileNet ¼, 160 px · frozen` for `mobilenet@0.25x160:frozen`.

Made from the arm's own text and the table of models. What the table does not know (a base that is
named by its place, a name of an older version) keeps the exact name, and no two arms share a name.
"""

from __future__ import annotations

import re

from comparisons.findings.text import SPACE, clean
from models.catalog import MODELS

BETWEEN = " · "  # a model and its strategy
MOST_LETTERS = 90  # of a name, whoever made it up

# What a strategy is called; its option stands in the braces.
STRATEGIES = {
    "scratch": "from scratch",
    "complete": "pretrained here",
    "probe": "linear probe",
    "frozen": "frozen",
    "classic": "the tutorial's head",
    "frozen-views": "frozen, with views",
    "partial": f"last {{}}{SPACE}blocks",
    "full": "fully fine-tuned",
    "full-hot": "fine-tuned, high rate",
    "discriminative": "a rate per block",
    "lora": f"LoRA, rank{SPACE}{{}}",
    "qlora": f"8-bit LoRA, rank{SPACE}{{}}",
    "qlora4": f"4-bit LoRA, rank{SPACE}{{}}",
    "hybrid": f"{{}}{SPACE}new blocks",
}
SIZE = re.compile(rf", \d+{SPACE}px")
WIDTHS = {"0.25": " ¼", "0.5": " ½", "0.75": " ¾", "1.0": ""}  # of MobileNet, as it is written


def arm_name(label: str) -> str:
    """An arm in words, with what stands in brackets after it; the exact text where it is unknown.

    Names of more than MOST_LETTERS letters lose their middle.
    """
    arm, bracket, rest = label.partition(" (")
    model, _, strategy = arm.rpartition(":")
    names = model_name(model), strategy_name(strategy)
    said = BETWEEN.join(names) if None not in names else arm  # type: ignore[arg-type]
    return shortened(f"{said}{bracket}{rest}", MOST_LETTERS)


def model_name(model: str) -> str | None:
    """A model with its options in words: `VGG16, 64 px`; None for one that is not in the table."""
    name, at, options = model.partition("@")
    if name not in MODELS:
        return None
    row = MODELS[name]
    words = row.application.function if row.application else _titled(name)
    if not at:
        return words
    values, known = options.split("x"), [option for option, _ in row.options]
    if len(values) != len(known):
        return None
    for option, value in zip(known, values, strict=True):
        if option == "alpha" and value in WIDTHS:
            words += WIDTHS[value]
        elif option == "size" and _is_number(value):
            words += f", {value}{SPACE}px"
        else:
            return None
    return words


def without(name: str, shared: str) -> str:
    """An arm's name without the model, or the whole arm before its bracket, that all share."""
    if name.startswith(f"{shared} ("):
        return name.removeprefix(f"{shared} (").removesuffix(")")
    return name.removeprefix(f"{shared}{BETWEEN}").removeprefix(f"{shared}:")


def strategy_name(strategy: str) -> str | None:
    """A strategy with its option in words: `last 2 blocks`; None for one that is not known."""
    name, at, option = strategy.partition("@")
    said = STRATEGIES.get(name)
    if said is None or ("{}" in said) != bool(at) or (at and not _is_number(option)):
        return None
    return said.format(option)


def brief(sentence: str) -> str:
    """A sentence without the sizes of images in its names, where all of them have the same."""
    sizes = SIZE.findall(sentence)
    return SIZE.sub("", sentence) if len(set(sizes)) == 1 else sentence


def shortened(name: str, most: int) -> str:
    """A name of at most so many letters: of a longer one the middle is left out."""
    name = clean(name[: 4 * most] + name[-most:] if len(name) > 5 * most else name)
    if len(name) <= most:
        return name
    end = most // 3
    return f"{name[: most - end - 1]}…{name[len(name) - end :]}"


def _titled(name: str) -> str:
    """`tutorial-cnn` as `Tutorial CNN`."""
    words = " ".join(word.upper() if word in ("cnn", "mlp") else word for word in name.split("-"))
    return words[:1].upper() + words[1:]


def _is_number(text: str) -> bool:
    """Whether a whole number is written as programs write it, so that no two texts say the same."""
    return text.isascii() and text.isdecimal() and text == str(int(text[:9]))
