"""The record: what a run was, did and cost; one JSON file.

Units: seconds, bytes, counts, FLOP; accuracies are fractions between 0 and 1. A number that was
not measured, or was not finite, is null. What a record is made of lies in comparisons.core.parts
and comparisons.core.bill.
"""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

# Whoever has records has their parts.
from comparisons.core.bill import Costs, Neighbours, Seconds
from comparisons.core.errors import ComparisonError, first_line, one_line
from comparisons.core.files import last_name, write_text
from comparisons.core.parts import (  # noqa: F401
    Adapters,
    Base,
    Bin,
    Calibration,
    Corrupted,
    Count,
    Data,
    Duration,
    Environment,
    Epoch,
    Flops,
    Forgetting,
    Id,
    Moved,
    Name,
    Parameters,
    RangeTest,
    Robustness,
    Settings,
    Sizes,
    Source,
    SourceData,
    Start,
    Test,
    Weights,
)
from comparisons.core.phases import Phase

SCHEMA = 2
DIGEST = "digest"  # what a file has beside its record: a hash of it
LEAF = re.compile(r"([{\[])\n *([^{}\[\]]*?)\n *([}\]])")  # indented JSON with none within it
LINE = 400  # letters of one at most

Status = Literal["ok", "failed", "diverged"]


class Record(msgspec.Struct, kw_only=True):
    """One run: one arm, one seed, one training-set size."""

    schema: Annotated[int, Meta(description="version of this format")]
    id: Annotated[
        Id, Meta(description="arm, size, seed and a digest of everything that decides the run")
    ]
    arm: Annotated[Name, Meta(description="model and strategy, every option spelled out")]
    model: Annotated[Name, Meta(description="the model with its options")]
    strategy: Annotated[Name, Meta(description="the strategy with its option")]
    seed: Annotated[Count, Meta(description="what all random choices follow from")]
    train_size: Annotated[int, Meta(ge=1, le=2**62, description="images trained on")]
    settings: Annotated[Settings, Meta(description="what else decides the run, its phases apart")]
    status: Annotated[
        Status,
        Meta(
            description="`ok`; `diverged`: the loss was no number, or training was no better than "
            "chance, or lost again what it had learnt; `failed`: the program did"
        ),
    ]
    error: Annotated[str | None, Meta(description="why it is not `ok`")] = None
    notices: Annotated[
        list[str],
        Meta(
            description="what a reader must know: drawn data in place of real, a base left out, "
            "an engine that was refused"
        ),
    ] = []
    data: Annotated[Data, Meta(description="the images")]
    weights: Annotated[Weights | None, Meta(description="where those of the base come from")] = None
    phases: Annotated[list[Phase], Meta(description="how it was trained, phase by phase")] = []
    history: Annotated[list[Epoch], Meta(description="every epoch of every phase")] = []
    test: Annotated[Test | None, Meta(description="the result on the test images")] = None
    source: Annotated[
        Source | None, Meta(description="under `complete`: how its base was trained first")
    ] = None
    forgetting: Annotated[
        Forgetting | None,
        Meta(
            description="where the base moved and its source task is here: what it forgot of that"
        ),
    ] = None
    moved: Annotated[list[Moved], Meta(description="how far each block of the base moved")] = []
    adapters: Annotated[Adapters | None, Meta(description="of a strategy that has them")] = None
    range_test: Annotated[
        RangeTest | None, Meta(description="of a knob that has its rate found")
    ] = None
    at_start: Annotated[
        list[Start],
        Meta(description="where a knob sets how weights begin: each layer before training"),
    ] = []
    best_epoch: Annotated[
        Count | None,
        Meta(
            description="the epoch whose weights were tested, where early stopping chose it; "
            "null: the last"
        ),
    ] = None
    chosen_on: Annotated[
        Count,
        Meta(
            description="labelled images beside those trained on that something was chosen by "
            "(a penalty, when to stop); at most a ninth of these"
        ),
    ] = 0
    penalty: Annotated[
        float | None,
        Meta(description="of a linear probe: what weighs half the square of its weights"),
    ] = None
    seconds: Annotated[Seconds, Meta(description="where the time went")] = msgspec.field(
        default_factory=Seconds
    )
    processor_seconds: Annotated[
        Seconds,
        Meta(
            description="the same in seconds of processors, all cores together, which suffer less "
            "from neighbours"
        ),
    ] = msgspec.field(default_factory=Seconds)
    neighbours: Annotated[
        Neighbours, Meta(description="what else kept the processors busy meanwhile")
    ] = msgspec.field(default_factory=Neighbours)
    continued: Annotated[
        Count,
        Meta(
            description="how often it was cut off and went on from a checkpoint; its times are "
            "then put together from more than one process"
        ),
    ] = 0
    kept_costs: Annotated[
        Costs | None,
        Meta(
            description="where features or a base were found ready: when what they cost was "
            "measured"
        ),
    ] = None
    parameters: Annotated[Parameters, Meta(description="how many numbers the network holds")] = (
        msgspec.field(default_factory=Parameters)
    )
    flops: Annotated[Flops, Meta(description="how much was computed")] = msgspec.field(
        default_factory=Flops
    )
    images_seen: Annotated[Count, Meta(description="training images times epochs")] = 0
    predictions: Annotated[
        str | None, Meta(description="SHA-256 of the file that has its test logits")
    ] = None
    paused: Annotated[
        Duration,
        Meta(description="shown live: seconds that it was asked to wait, which are on no bill"),
    ] = 0.0
    peak_memory: Annotated[
        Count | None, Meta(description="the most bytes that the run's own process held")
    ] = None
    engine: Annotated[
        str | None,
        Meta(
            description="what extracted frozen features: `openvino`, `tensorflow` or `keras`; each "
            "must agree with Keras within 1e-3 on the first batch of every use"
        ),
    ] = None
    base_digest: Annotated[
        str | None, Meta(description="a hash of the backbone's weights after training")
    ] = None
    started: Annotated[str, Meta(description="date and time, UTC")] = ""
    environment: Annotated[Environment, Meta(description="where and by which code it ran")] = (
        msgspec.field(default_factory=Environment)
    )


def data_name(name: str, classes: Sequence[str] = ()) -> str:
    """What records call a data set, a file without its folder: `cifar10`, `cifar10 (cat, dog)`."""
    shown = one_line(last_name(name))
    return f"{shown} ({', '.join(classes)})" if classes else shown


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

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def digest(value: Any) -> str:
    """Eight hexadecimal digits that change when anything in a JSON-like value changes."""
    canonical = msgspec.json.encode(value, order="sorted")
    return hashlib.blake2b(canonical, digest_size=4).hexdigest()


def to_json(record: Record) -> str:
    """A record as JSON text in lines, with a digest of all else in it.

    What holds no more than a line of values is one: an epoch, or a row of the confusion matrix.
    """
    content = msgspec.json.decode(msgspec.json.encode(record))
    content[DIGEST] = digest(content)
    indented = msgspec.json.format(msgspec.json.encode(content), indent=1).decode()
    return LEAF.sub(_in_one_line, indented) + "\n"


def _in_one_line(leaf: re.Match[str]) -> str:
    line = re.sub(r"\n *", " ", leaf[2])
    return f"{leaf[1]}{line}{leaf[3]}" if len(line) <= LINE else leaf[0]


def from_json(text: str | bytes, name: str = "record") -> Record:
    """Read a record. Raises DamagedRecord, naming `name`, for text that is not one."""
    try:
        record = msgspec.json.decode(text, type=Record)
        content = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedRecord(f"{name} is damaged ({first_line(error)})") from None
    if record.schema != SCHEMA:
        raise DamagedRecord(f"{name} has schema {record.schema}, this version reads {SCHEMA}")
    # Records from before digests have none.
    if content.pop(DIGEST, None) not in (None, digest(content)):
        raise DamagedRecord(f"{name} is damaged (it is not as it was written)")
    if record.test and record.test.right and not _fits(record.test):
        raise DamagedRecord(f"{name} is damaged (its bits of test images are not those it counts)")
    return record


def _fits(test: Test) -> bool:
    """Whether there is a bit for each test image, and as many are set as are right."""
    images = sum(map(sum, test.confusion))
    hits = sum(row[i] for i, row in enumerate(test.confusion) if i < len(row))
    set_bits = int.from_bytes(test.right).bit_count()
    return len(test.right) == -(-images // 8) and set_bits == hits


def save(record: Record, folder: Path) -> Path:
    """Write a record atomically and return its path. Raises OSError.

    It goes to `folder`/runs/ID.json; one of a run that failed to `folder`/failed/ID.json, so that
    it never takes the place of a good one, which in turn ends what failed before.
    """
    failed = folder / "failed" / f"{record.id}.json"
    path = failed if record.status == "failed" else folder / "runs" / failed.name
    write_text(path, to_json(record))
    if path != failed:
        failed.unlink(missing_ok=True)
    return path


def load(path: Path) -> Record:
    """Read one record file. Raises DamagedRecord, also where its name is not its ID; OSError."""
    record = from_json(path.read_bytes(), path.name)
    if path.stem != record.id:
        raise DamagedRecord(f"{path.name} is a copy or was renamed: its record is {record.id}")
    return record


def load_all(folder: Path) -> tuple[list[Record], list[str]]:
    """All records under `folder` in name order, and one line for each damaged file.

    Those of runs that failed come last; one may have the ID of a run that ended well before.
    """
    good: list[Record] = []
    damaged: list[str] = []
    for path in (*sorted(folder.glob("runs/*.json")), *sorted(folder.glob("failed/*.json"))):
        try:
            good.append(load(path))
        except (DamagedRecord, OSError) as error:
            damaged.append(str(error))
    return good, damaged


def load_some(folder: Path) -> list[Record]:
    """The same for who needs at least one; each damaged file is named on standard error.

    Raises ComparisonError where there is no folder, or no record in it.
    """
    if not folder.is_dir():
        raise ComparisonError(f"there is no folder {folder}")
    good, damaged = load_all(folder)
    for line in damaged:
        print(f"left out: {line}", file=sys.stderr)
    if not good:
        raise ComparisonError(f"there are no records under {folder / 'runs'}")
    return good
