"""The record: what a run was, did and cost; one JSON file.

Units: seconds, bytes, counts, FLOP; accuracies are fractions between 0 and 1. The README's
glossary defines every field. A number that was not measured, or was not finite, is null.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from comparisons.core.files import write_text
from comparisons.core.phases import Phase

SCHEMA = 1

Status = Literal["ok", "failed", "diverged"]


class Sizes(msgspec.Struct, omit_defaults=True):
    """How many images there are to train on (the subset), to validate and to test on.

    A run that failed before its split knows the test images alone.
    """

    train: int | None = None
    validation: int | None = None
    test: int | None = None


class Data(msgspec.Struct):
    """Which images a run used."""

    name: str
    synthetic: bool
    complete: bool
    fingerprint: str
    sizes: Sizes
    classes: list[str]
    note: str = ""


class Base(msgspec.Struct, omit_defaults=True):
    """What tells a base named by its place from others: a handle, or a digest of its files."""

    handle: str | None = None
    digest: str | None = None


class SourceData(msgspec.Struct, frozen=True):
    """The data set that `complete` trains its base on first."""

    data: str
    fingerprint: str


class Settings(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What decides a run beside its arm, seed, size and phases.

    A revision counts the changes of code that change results: that of the model's network, and
    that of the training loop. It is left out while 0, so that it changes no ID before.
    """

    data: str
    device: str
    engine: str
    backend: str
    deterministic: bool
    base: Base | None = None
    source: SourceData | None = None
    knob: str | None = None
    variant: str | None = None
    model_revision: int = 0
    training_revision: int = 0


class Environment(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where a run computed, by which code, and the command that asked for it."""

    python: str = ""
    system: str = ""
    versions: dict[str, str] = {}
    backend: str = ""
    device: str = ""
    device_kind: str = ""
    device_count: int = 0
    cores: int = 0
    precision: str = ""
    variables: dict[str, str] = {}
    commit: str | None = None
    clean: bool | None = None
    command: str = ""


class Weights(msgspec.Struct):
    """Where a base's weights come from. `upstream` is what their training cost, with source."""

    origin: str
    hash: str | None = None
    upstream: dict[str, str | int | None] = {}


class Epoch(msgspec.Struct):
    """One pass over the training subset. `seconds` is training time, validation apart."""

    phase: str
    epoch: int
    train_loss: float | None
    train_accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float
    images_seen: int


class Test(msgspec.Struct):
    """What the test set said, read once. `confusion[i][j]` counts class i called class j."""

    accuracy: float
    macro_f1: float
    loss: float | None
    confusion: list[list[int]]


class Source(msgspec.Struct):
    """The first half of `complete`: training the base on a source data set, from random weights.

    `accuracy` is that on the source's test images; `flops` what its training took.
    """

    data: Data
    history: list[Epoch]
    accuracy: float
    flops: int


class Forgetting(msgspec.Struct):
    """What a base that moved still knows of its source task.

    A linear probe is fitted on features of `source` before training; `before` and `after` are its
    accuracies on `images` test images of the source with the base as it was and as it became.
    """

    source: str
    images: int
    before: float
    after: float


class Moved(msgspec.Struct):
    """How far a block's weights went: |after - before| / |before|, Euclidean norms."""

    block: str
    relative: float


class Adapters(msgspec.Struct):
    """Low-rank adapters on a base: their rank, and the bytes of the weights they adapt.

    `bits` is 32, or 8 or 4 where the adapted weights are quantized; `bytes` counts these with
    their scales, `float32_bytes` the same weights unquantized.
    """

    rank: int
    bits: int
    bytes: int
    float32_bytes: int


class RangeTest(msgspec.Struct):
    """A learning-rate range test: cross-entropy step by step at rising rates.

    `smoothed` is the moving average of `losses`; `chosen` the rate that follows from it
    (see comparisons.training.range_test); `exploded` says whether the loss broke out before the
    last rate.
    """

    rates: list[float]
    losses: list[float | None]
    smoothed: list[float | None]
    chosen: float
    exploded: bool


class Start(msgspec.Struct):
    """A layer before training: standard deviations of its kernel, output and kernel's gradient."""

    layer: str
    weights: float | None
    activations: float | None
    gradients: float | None


class Seconds(msgspec.Struct):
    """Where the time of a run went; `total` runs from reading the data to the test metrics.

    `source` and `extract` are what this run spent on its source phase and on features (0 when
    they were found ready); `source_cold` and `extract_cold` what these cost when they were made.
    """

    setup: float = 0.0
    source: float = 0.0
    source_cold: float = 0.0
    compile: float = 0.0
    extract: float = 0.0
    extract_cold: float = 0.0
    train: float = 0.0
    evaluate: float = 0.0
    total: float = 0.0


class Parameters(msgspec.Struct):
    """How many numbers the network holds, and how many of them train in the last phase."""

    total: int = 0
    trainable: int = 0


class Flops(msgspec.Struct):
    """Multiplications and additions: one image forward, and the whole run (see models.flops)."""

    forward_per_image: int = 0
    total: int = 0


class Record(msgspec.Struct, kw_only=True):
    """One run: one arm, one seed, one training-set size."""

    schema: int
    id: str
    arm: str
    model: str
    strategy: str
    seed: int
    train_size: int
    settings: Settings
    status: Status
    error: str | None = None
    notices: list[str] = []
    data: Data
    weights: Weights | None = None
    phases: list[Phase] = []
    history: list[Epoch] = []
    test: Test | None = None
    source: Source | None = None
    forgetting: Forgetting | None = None
    moved: list[Moved] = []
    adapters: Adapters | None = None
    range_test: RangeTest | None = None
    at_start: list[Start] = []
    best_epoch: int | None = None
    seconds: Seconds = msgspec.field(default_factory=Seconds)
    parameters: Parameters = msgspec.field(default_factory=Parameters)
    flops: Flops = msgspec.field(default_factory=Flops)
    images_seen: int = 0
    peak_memory: int | None = None
    engine: str | None = None
    base_digest: str | None = None
    started: str = ""
    environment: Environment = msgspec.field(default_factory=Environment)


def full_name(arm: str, variant: str | None, *more: str) -> str:
    """An arm with the variant of a knob that it stands for, and what else tells it apart.

    `cnn:scratch`, `cnn:scratch (adam)`, `cnn:scratch (adam, epochs 4)`.
    """
    words = ", ".join(word for word in (variant, *more) if word)
    return f"{arm} ({words})" if words else arm


def decides(settings: Settings, phases: Sequence[Phase]) -> dict[str, Any]:
    """All that decides a run beside its arm, seed and size, as plain values for a digest."""
    return msgspec.to_builtins(settings) | {"phases": msgspec.to_builtins(phases)}


def finite(value: float) -> float | None:
    """A number as a record holds it: None where it is not finite."""
    return float(value) if math.isfinite(value) else None


class DamagedRecord(ValueError):
    """A record file that cannot be read; the message is one line that names the file."""


def digest(value: Any) -> str:
    """Eight hexadecimal digits that change when anything in a JSON-like value changes."""
    canonical = msgspec.json.encode(value, order="sorted")
    return hashlib.blake2b(canonical, digest_size=4).hexdigest()


def to_json(record: Record) -> str:
    """A record as indented JSON text, newline at the end."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n"


def from_json(text: str | bytes, name: str = "record") -> Record:
    """Read a record. Raises DamagedRecord, naming `name`, for text that is not one."""
    try:
        record = msgspec.json.decode(text, type=Record)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedRecord(f"{name} is damaged ({str(error).splitlines()[0]})") from None
    if record.schema != SCHEMA:
        raise DamagedRecord(f"{name} has schema {record.schema}, this version reads {SCHEMA}")
    return record


def save(record: Record, folder: Path) -> Path:
    """Write `folder`/runs/ID.json atomically and return its path. Raises OSError."""
    path = folder / "runs" / f"{record.id}.json"
    write_text(path, to_json(record))
    return path


def load(path: Path) -> Record:
    """Read one record file. Raises DamagedRecord, OSError."""
    return from_json(path.read_bytes(), path.name)


def load_all(folder: Path) -> tuple[list[Record], list[str]]:
    """All records under `folder`/runs in name order, and one line for each damaged file."""
    good: list[Record] = []
    damaged: list[str] = []
    for path in sorted((folder / "runs").glob("*.json")):
        try:
            good.append(load(path))
        except (DamagedRecord, OSError) as error:
            damaged.append(str(error))
    return good, damaged
