"""What a record is made of, part by part, each field described where it is declared.

The glossary in results/README.md is made from these descriptions (comparisons.readme.glossary).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

# What a number or a word in a record can be: a file that says otherwise was not written by a run.
Count = Annotated[int, Meta(ge=0, le=2**62)]
Share = Annotated[float, Meta(ge=0, le=1)]
Duration = Annotated[float, Meta(ge=0, le=1e9)]  # seconds: thirty years
LONGEST_NAME = 500  # letters
Name = Annotated[str, Meta(max_length=LONGEST_NAME)]
# Of a run. Files and folders are called by it: it leads nowhere else.
Id = Annotated[str, Meta(max_length=LONGEST_NAME, pattern=r"\A[a-z0-9][a-z0-9.-]*\Z")]


class Sizes(msgspec.Struct, omit_defaults=True):
    """How many images there are to train on (the subset), to validate and to test on.

    A run that failed before its split knows the test images alone.
    """

    train: Annotated[
        Count | None, Meta(description="images to train on: the subset, without those held out")
    ] = None
    validation: Annotated[
        Count | None, Meta(description="images held out of the training split by the seed")
    ] = None
    test: Annotated[Count | None, Meta(description="images of the test split")] = None


class Data(msgspec.Struct):
    """Which images a run used."""

    name: Annotated[Name, Meta(description="the data set, or the name of a file of one's own")]
    synthetic: Annotated[bool, Meta(description="whether the images were drawn by a program")]
    complete: Annotated[
        bool, Meta(description="whether there are as many images as were published")
    ]
    fingerprint: Annotated[str, Meta(description="a hash of every image and label")]
    sizes: Annotated[Sizes, Meta(description="how many images there are of each kind")]
    classes: Annotated[
        list[Name], Meta(description="the names of the classes, in the order of the labels")
    ]
    note: Annotated[str, Meta(description="what a reader must know of it, if anything")] = ""
    drawn_from: Annotated[
        Count,
        Meta(
            description="where each seed has a test set of its own: how many images that is drawn "
            "from; 0 where all seeds share one"
        ),
    ] = 0


class Base(msgspec.Struct, omit_defaults=True):
    """What tells a base named by its place from others: a handle, or a digest of its files."""

    handle: Annotated[str | None, Meta(description="its address, whose content never changes")] = (
        None
    )
    digest: Annotated[str | None, Meta(description="SHA-256 of its files")] = None


class SourceData(msgspec.Struct, frozen=True):
    """The data set that `complete` trains its base on first."""

    data: Annotated[str, Meta(description="its name")]
    fingerprint: Annotated[str, Meta(description="a hash of every image and label")]


class Settings(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What decides a run beside its arm, seed, size and phases.

    A revision counts the changes of code that change results: that of the model's network, and
    that of the training loop. It is left out while 0, so that it changes no ID before.
    """

    data: Annotated[str, Meta(description="the name of the data set")]
    device: Annotated[str, Meta(description="the device asked for")]
    engine: Annotated[str, Meta(description="the engine asked for")]
    backend: Annotated[str, Meta(description="the backend of Keras")]
    deterministic: Annotated[bool, Meta(description="whether the same bits were asked for")]
    base: Annotated[
        Base | None, Meta(description="of a base named by its place: which one it is")
    ] = None
    source: Annotated[
        SourceData | None, Meta(description="under `complete`: what the base is trained on first")
    ] = None
    knob: Annotated[str | None, Meta(description="the knob that was turned")] = None
    variant: Annotated[str | None, Meta(description="what it was turned to")] = None
    model_revision: Annotated[
        Count, Meta(description="counts the changes of the model's code that change results")
    ] = 0
    training_revision: Annotated[Count, Meta(description="counts those of the training loop")] = 0
    image_size: Annotated[
        Count | None,
        Meta(description="pixels a side that pictures of a folder were resized to"),
    ] = None
    validate_on: Annotated[
        Count | None, Meta(description="validation images that were asked for; left out for all")
    ] = None
    test_on: Annotated[
        Count | None,
        Meta(description="test images that were asked for; left out for all, 0: untested"),
    ] = None
    robustness: Annotated[
        bool, Meta(description="whether corrupted test images were asked for; left out for no")
    ] = False
    live: Annotated[
        bool,
        Meta(
            description="whether it was shown live, where it may be paused: a demonstration, never "
            "evidence"
        ),
    ] = False


class Environment(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where a run computed, by which code, and the command that asked for it."""

    python: Annotated[str, Meta(description="its version")] = ""
    system: Annotated[str, Meta(description="operating system and architecture")] = ""
    versions: Annotated[
        dict[str, str],
        Meta(description="the version of each package that decides what is computed"),
    ] = {}
    backend: Annotated[str, Meta(description="the backend of Keras")] = ""
    device: Annotated[str, Meta(description="the device's own name")] = ""
    device_kind: Annotated[str, Meta(description="`cpu`, `gpu` or `tpu`")] = ""
    device_count: Annotated[Count, Meta(description="how many devices shared each batch")] = 0
    cores: Annotated[Count, Meta(description="processor cores that the run could use")] = 0
    host: Annotated[Name, Meta(description="where a cluster ran it: the name of that machine")] = ""
    precision: Annotated[str, Meta(description="what numbers were computed in")] = ""
    variables: Annotated[
        dict[str, str], Meta(description="variables that change speed or bits, where they were set")
    ] = {}
    commit: Annotated[str | None, Meta(description="the git commit of the code")] = None
    clean: Annotated[
        bool | None, Meta(description="whether the code was as committed, `results` apart")
    ] = None
    command: Annotated[
        str, Meta(description="the command that asked for the run, without absolute paths")
    ] = ""


class Weights(msgspec.Struct):
    """Where a base's weights come from."""

    origin: Annotated[str, Meta(description="`random`, or whose weights they are and their file")]
    hash: Annotated[str | None, Meta(description="SHA-256 of the file")] = None
    upstream: Annotated[
        dict[str, str | int | None],
        Meta(description="what their training cost, as published or measured, and who says so"),
    ] = {}


class Epoch(msgspec.Struct):
    """One pass over the training images."""

    phase: Annotated[str, Meta(description="the name of its phase")]
    epoch: Annotated[Count, Meta(description="its number within the phase, from 1")]
    train_loss: Annotated[
        float | None,
        Meta(
            description="cross-entropy in nats on training images as met in training; plain, also "
            "where training smooths labels"
        ),
    ]
    train_accuracy: Annotated[Share | None, Meta(description="accuracy on the same")]
    val_loss: Annotated[
        float | None,
        Meta(
            description="cross-entropy in nats on validation images, after the epoch; null where "
            "this one was not checked"
        ),
    ]
    val_accuracy: Annotated[Share | None, Meta(description="accuracy on the same")]
    learning_rate: Annotated[float, Meta(description="the rate at its start")]
    seconds: Annotated[Duration, Meta(description="training alone, validation apart")]
    images_seen: Annotated[Count, Meta(description="training images shown")]
    elapsed: Annotated[
        Duration, Meta(description="seconds of learning from the start of the run to its end")
    ] = 0.0
    elapsed_cold: Annotated[Duration, Meta(description="the same with an empty cache")] = 0.0
    flops: Annotated[
        Count,
        Meta(
            description="FLOP of learning from the start of the run to its end, with an empty "
            "cache; 0 in records that did not count them"
        ),
    ] = 0


class Bin(msgspec.Struct):
    """Test images that a network was about equally certain of."""

    images: Annotated[Count, Meta(description="how many")]
    certainty: Annotated[
        Share, Meta(description="mean probability of the named class; the middle where empty")
    ]
    accuracy: Annotated[Share, Meta(description="share that is named rightly")]


RISK = 0.05  # share of wrong ones among sure answers that a threshold aims at
# Validation images: fewer could not show such a share, and choose nothing that says how sure
# an answer is.
FEWEST = round(1 / RISK)


class Calibration(msgspec.Struct):
    """How far a network's certainty can be trusted, before and after temperature scaling."""

    temperature: Annotated[
        float,
        Meta(
            description="what logits are divided by, chosen by the first n/9 validation images; 1 "
            f"by fewer than {FEWEST}"
        ),
    ]
    error: Annotated[
        Share, Meta(description="expected calibration error: mean of |certainty - accuracy|")
    ]
    error_scaled: Annotated[Share, Meta(description="the same of logits over the temperature")]
    loss_scaled: Annotated[
        float | None, Meta(description="cross-entropy in nats of logits over the temperature")
    ]
    bins: Annotated[list[Bin], Meta(description="fifteen even stretches of certainty")]
    bins_scaled: Annotated[list[Bin], Meta(description="the same of logits over the temperature")]
    threshold: Annotated[
        Share | None,
        Meta(
            description="certainty, scaled, above which an answer is sure: the lowest that left at "
            "most 5 % of the answers wrong on the same validation images; 1: none is sure, as by "
            f"fewer than {FEWEST} of them"
        ),
    ] = None
    answered: Annotated[
        Share | None, Meta(description="share of test images whose answer is sure")
    ] = None
    answered_wrong: Annotated[
        Share | None, Meta(description="share of wrong ones among the sure answers")
    ] = None
    risks: Annotated[
        list[Share],
        Meta(
            description="share of wrong answers among the surest twentieth of the test images, the "
            "surest two twentieths, and so on to all of them"
        ),
    ] = []


class Corrupted(msgspec.Struct):
    """Test images after one corruption at one severity."""

    corruption: Annotated[Name, Meta(description="its name")]
    severity: Annotated[Count, Meta(description="from 1, hardly seen, to 5")]
    accuracy: Annotated[Share, Meta(description="share of them that is named rightly")]


class Robustness(msgspec.Struct):
    """How a network does on corrupted copies of some test images, the same for every run.

    After Hendrycks & Dietterich 2019 (arXiv:1903.12261); comparisons.data.corruptions has them.
    """

    images: Annotated[Count, Meta(description="how many test images were corrupted")]
    clean: Annotated[Share, Meta(description="accuracy on the same images as they are")]
    corrupted: Annotated[
        list[Corrupted], Meta(description="accuracy on their copies, corruption by corruption")
    ]


class Test(msgspec.Struct):
    """What the test set said, read once."""

    accuracy: Annotated[Share, Meta(description="share of test images that are named rightly")]
    macro_f1: Annotated[Share, Meta(description="mean over classes of 2TP / (2TP + FP + FN)")]
    loss: Annotated[float | None, Meta(description="cross-entropy in nats")]
    confusion: Annotated[
        list[list[Count]],
        Meta(description="how often each true class (row) was called each class (column)"),
    ]
    right: Annotated[
        bytes,
        Meta(
            description="one bit for each test image, the first in the highest: whether its class "
            "was named rightly; base64"
        ),
    ] = b""
    calibration: Annotated[
        Calibration | None, Meta(description="how far its certainty can be trusted")
    ] = None
    robustness: Annotated[
        Robustness | None,
        Meta(description="how it does on corrupted test images, where that was asked for"),
    ] = None


class Source(msgspec.Struct):
    """The first half of `complete`: training the base on a source data set, from random weights."""

    data: Annotated[Data, Meta(description="its images")]
    history: Annotated[list[Epoch], Meta(description="its epochs")]
    accuracy: Annotated[Share, Meta(description="on its test images")]
    flops: Annotated[Count, Meta(description="FLOP that this training took")]


class Forgetting(msgspec.Struct):
    """What a base that moved still knows of its source task.

    A linear probe is fitted on features of the source before training, and tried on its test
    images with the base as it was and as it became.
    """

    source: Annotated[str, Meta(description="the source data set")]
    images: Annotated[Count, Meta(description="test images of it that both are measured on")]
    before: Annotated[
        Share,
        Meta(
            description="accuracy of a linear probe fitted before training, with the base as it was"
        ),
    ]
    after: Annotated[
        Share, Meta(description="accuracy of the same probe with the base as it became")
    ]


class Moved(msgspec.Struct):
    """How far a block's weights went: |after - before| / |before|, Euclidean norms."""

    block: Annotated[str, Meta(description="its name")]
    relative: Annotated[
        float, Meta(description="the Euclidean norm of its change over that of its weights before")
    ]


class Adapters(msgspec.Struct):
    """Low-rank adapters on a base: their rank, and the bytes of the weights they adapt."""

    rank: Annotated[Count, Meta(description="of the two narrow tables")]
    bits: Annotated[
        Count, Meta(description="that hold an adapted weight: 32, or 8 or 4 where quantized")
    ]
    bytes: Annotated[
        Count, Meta(description="of the adapted weights as they are held, with their scales")
    ]
    float32_bytes: Annotated[Count, Meta(description="of the same weights unquantized")]


class RangeTest(msgspec.Struct):
    """A learning-rate range test: cross-entropy step by step at rising rates."""

    rates: Annotated[list[float], Meta(description="the rate of each step")]
    losses: Annotated[list[float | None], Meta(description="cross-entropy at each step")]
    smoothed: Annotated[list[float | None], Meta(description="its moving average")]
    chosen: Annotated[
        float, Meta(description="the rate that follows (comparisons.training.range_test)")
    ]
    exploded: Annotated[bool, Meta(description="whether the loss broke out before the last rate")]


class Start(msgspec.Struct):
    """A layer before training: standard deviations of its kernel, output and kernel's gradient."""

    layer: Annotated[str, Meta(description="its name")]
    weights: Annotated[float | None, Meta(description="standard deviation of its kernel")]
    activations: Annotated[float | None, Meta(description="standard deviation of its output")]
    gradients: Annotated[
        float | None, Meta(description="standard deviation of its kernel's gradient")
    ]


class Parameters(msgspec.Struct):
    """How many numbers the network holds, and how many of them train in the last phase."""

    total: Annotated[Count, Meta(description="of the whole network")] = 0
    trainable: Annotated[Count, Meta(description="those that train in the last phase")] = 0


class Flops(msgspec.Struct):
    """Multiplications and additions: one image forward, and the whole run (see models.flops)."""

    forward_per_image: Annotated[
        Count, Meta(description="convolutions and dense layers, one image forward")
    ] = 0
    total: Annotated[
        Count, Meta(description="the whole run, training counted as three forward passes")
    ] = 0
