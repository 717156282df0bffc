"""The table of knobs: what each turns, on which network, and the settings compared.

A knob is one comparison: the same network, images, order and epochs, with one setting changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from comparisons.core.phases import Phase
from comparisons.plan.presets import Preset

# What each image of a batch takes while `tutorial-cnn` trains on 32x32 pixels: measured 365,000
# (peaks with batches of 4,000 and of 32), and some room.
BYTES_PER_IMAGE = 500_000
LARGEST = "largest"


@dataclass(frozen=True)
class Knob:
    """A row of the table: the question, what is run, and for each variant what it changes.

    Changes are values of a settled phase (see comparisons.core.phases), in place of
    those that the recipe of the preset's arm has; `shared` ones are made for every variant.
    `batch_size` may be LARGEST.
    """

    question: str
    preset: Preset
    variants: Mapping[str, Mapping[str, Any]]
    shared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def all_changes(self) -> list[tuple[str, dict[str, Any]]]:
        """Each variant with all that it has in place of the recipe's values."""
        return [(name, {**self.shared, **own}) for name, own in self.variants.items()]


KNOBS = {
    "init": Knob(
        "Does it matter how the weights of a deep network begin?",
        Preset(
            "18 convolutions without normalisation, 5,000 images",
            ("plain-cnn:scratch",),
            train_sizes=(5000,),
        ),
        {"plain": {"init": "plain"}, "Xavier": {"init": "xavier"}, "He": {"init": "he"}},
    ),
    "optimizer": Knob(
        "Which rule for turning gradients into steps learns fastest?",
        Preset(
            "the tutorial's network, 5,000 images", ("tutorial-cnn:scratch",), train_sizes=(5000,)
        ),
        # A rate belongs to its optimizer. With momentum 0.9 steps add up to ten times their
        # length, so SGD without it has ten times the rate; the others have their usual ones.
        {
            "SGD": {"optimizer": "plain-sgd", "learning_rate": 0.1},
            "momentum": {"optimizer": "momentum", "learning_rate": 0.01},
            "RMSprop": {"optimizer": "rmsprop", "learning_rate": 1e-3},
            "Adagrad": {"optimizer": "adagrad", "learning_rate": 0.01},
            "Adam": {"optimizer": "adam", "learning_rate": 1e-3},
            "AdamW": {"optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 0.004},
        },
    ),
    "learning-rate": Knob(
        "What do too low and too high a learning rate look like?",
        Preset(
            "the network tuned for CPUs, 5,000 images, 6 epochs",
            ("cnn:scratch",),
            train_sizes=(5000,),
            epochs=6,
        ),
        {
            "low": {"learning_rate": 0.01},
            "good": {"learning_rate": 1.0},
            "high": {"learning_rate": 100.0},
        },
        # A constant rate, so that it is one number; small batches, for a sweep of enough steps.
        shared={"found_rate": True, "schedule": "constant", "batch_size": 64},
    ),
    "regularisation": Knob(
        "What keeps a network from learning a few images by heart?",
        Preset(
            "the tutorial's network, 1,000 images, 40 epochs",
            ("tutorial-cnn:scratch",),
            train_sizes=(1000,),
            epochs=40,
        ),
        {
            "none": {},
            "dropout": {"dropout": 0.5},
            "L1": {"l1": 1e-4},
            "L2": {"l2": 1e-3},
            "augmentation": {"augment": ("flip", "crop", "colour", "cutout")},
            "mixup": {"augment": ("mixup",)},
            "early stopping": {"patience": 3},
            "label smoothing": {"label_smoothing": 0.1},
        },
    ),
    "batch-size": Knob(
        "How many images should a step look at?",
        Preset(
            "the tutorial's network, 2,000 images", ("tutorial-cnn:scratch",), train_sizes=(2000,)
        ),
        {
            "1": {"batch_size": 1},
            "32": {"batch_size": 32},
            "256": {"batch_size": 256},
            LARGEST: {"batch_size": LARGEST},
        },
    ),
    "test-views": Knob(
        "What does a second look at each test image bring, to either side?",
        Preset(
            "both sides of the usual comparison, 2,000 images",
            ("mobilenet:frozen", "cnn:scratch"),
            train_sizes=(2000,),
        ),
        {"one look": {}, "with its mirror image": {"views_at_test": ("original", "mirror")}},
    ),
}


def turned(phase: Phase, changes: Mapping[str, Any], train_size: int) -> Phase:
    """A settled phase with the changes of a variant."""
    size = changes.get("batch_size", phase.batch_size)
    size = min(largest_batch() if size == LARGEST else size, train_size)
    return msgspec.structs.replace(phase, **{**changes, "batch_size": size})


def largest_batch() -> int:
    """How many images fit in half of the machine's memory while the network trains on them."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        memory = 8 * 2**30
    return memory // 2 // BYTES_PER_IMAGE
