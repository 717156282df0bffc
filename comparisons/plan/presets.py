"""The table of presets: what is compared when no flag says otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """What is compared when no flag says otherwise; no `train_sizes` means all images.

    `shares` of all images are trained on where nobody knows beforehand how many there are.

    `goal` is what it was made for, where there is one: a test accuracy on CIFAR-10, and the
    seconds of a whole run on two cores. Only such a preset may have `views_at_test`, for there is
    no other side whose looks at a test image they would outnumber.
    """

    sentence: str
    arms: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    train_sizes: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()
    epochs: int | None = None
    arms_on_accelerator: tuple[str, ...] = ()
    goal: tuple[float, float] | None = None
    views_at_test: tuple[str, ...] = ("original",)
    validate_on: int | None = None


TWO_LOOKS = ("original", "mirror")

PRESETS = {
    "demo": Preset(
        "2,000 training images, about a minute on two cores",
        ("mobilenet:frozen", "cnn:scratch"),  # the quicker first: a first answer soon
        train_sizes=(2000,),
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
    "curve": Preset(
        "100 to 3,000 training images, three seeds: where the two sides cross",
        ("cnn:scratch", "mobilenet@0.25x64:frozen", "mobilenet@0.25x64:full"),
        seeds=(0, 1, 2),
        train_sizes=(100, 300, 1_000, 3_000),
        validate_on=1_000,
    ),
    "mnist": Preset(
        "for digits: a perceptron, a CNN and a base that knows photographs, three seeds",
        ("mlp:scratch", "cnn:scratch", "mobilenet:frozen"),
        seeds=(0, 1, 2),
    ),
    "images": Preset(
        "a folder of your own pictures: all, a half and a quarter of them, three seeds",
        ("mobilenet:frozen", "cnn:scratch", "mobilenet:full"),  # a first answer soon
        seeds=(0, 1, 2),
        shares=(1.0, 0.5, 0.25),
        arms_on_accelerator=("vgg16:frozen",),
    ),
    "cnn-70": Preset(
        "70 % of CIFAR-10 from scratch, in one epoch",
        ("cnn:scratch",),
        epochs=1,
        goal=(0.70, 30),
    ),
    "cnn-80": Preset(
        "80 % of CIFAR-10 from scratch, in three epochs",
        ("cnn:scratch",),
        epochs=3,
        goal=(0.80, 75),
    ),
    "cnn-90": Preset(
        "90 % of CIFAR-10 from scratch, with a larger network and two looks at a test image",
        ("cnn-medium:scratch",),
        goal=(0.90, 600),
        views_at_test=TWO_LOOKS,
    ),
    "cnn-93": Preset(
        "93 % of CIFAR-10 from scratch, with the largest and two looks at a test image",
        ("cnn-large:scratch",),
        goal=(0.93, 1800),
        views_at_test=TWO_LOOKS,
    ),
}
