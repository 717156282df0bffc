"""The table of presets: what is compared when no flag says otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """What is compared when no flag says otherwise; `train_size` None means all images."""

    sentence: str
    arms: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    train_size: int | None = None
    epochs: int | None = None
    arms_on_accelerator: tuple[str, ...] = ()


PRESETS = {
    "demo": Preset(
        "2,000 training images, about a minute on two cores",
        ("cnn:scratch", "mobilenet:frozen"),
        train_size=2000,
        epochs=8,
    ),
    "standard": Preset(
        "all training images, one seed (the default)",
        ("cnn:scratch", "mobilenet:frozen"),
        arms_on_accelerator=("vgg16:frozen",),
    ),
    "full": Preset(
        "all training images, three seeds, every model",
        (
            "tutorial-cnn:scratch",
            "cnn:scratch",
            "mobilenet:frozen",
            "mobilenet@1.0x224:frozen",
            "vgg16:frozen",
        ),
        seeds=(0, 1, 2),
    ),
}
