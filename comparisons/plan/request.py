"""What a user asks for, and the runs that it becomes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from comparisons.core.errors import ComparisonError, unknown
from comparisons.data.dataset import validation_size
from comparisons.plan import arms
from comparisons.plan import runs as plan
from comparisons.plan.arms import Arm
from comparisons.plan.knobs import KNOBS
from comparisons.plan.presets import PRESETS, Preset


@dataclass(frozen=True)
class Request:
    """What a user asks for; None means that the preset decides, or that of the knob.

    With `out` None nothing is written, unless `default_out`, which means results/DATASET.
    """

    arms: tuple[str, ...] | None = None
    data: str = "auto"
    train_sizes: tuple[int, ...] | None = None
    seeds: tuple[int, ...] | None = None
    preset: str = "standard"
    knob: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    device: str = "auto"
    engine: str = "auto"
    source: str = "auto"
    data_dir: Path | None = None
    deterministic: bool = False
    out: Path | None = None
    default_out: bool = False
    fresh: bool = False
    command: str = ""


def check(request: Request) -> tuple[Preset, list[Arm]]:
    """The preset and the arms of a request. Raises ComparisonError for what cannot be meant."""
    if request.preset not in PRESETS:
        raise unknown("preset", request.preset, PRESETS)
    if request.knob is not None and request.knob not in KNOBS:
        raise unknown("knob", request.knob, KNOBS)
    preset = KNOBS[request.knob].preset if request.knob else PRESETS[request.preset]
    for flag, value in (("--epochs", request.epochs), ("--batch-size", request.batch_size)):
        if value is not None and value < 1:
            raise ComparisonError(f"{flag} must be 1 or more, not {value}")
    if any(seed < 0 for seed in request.seeds or ()):
        raise ComparisonError("seeds must be 0 or more")
    for flag, values in (
        ("--arms", request.arms),
        ("--seeds", request.seeds),
        ("--train-size", request.train_sizes),
    ):
        if values is not None and not values:
            raise ComparisonError(f"{flag} names nothing")
    named = request.arms or preset.arms
    if request.arms is None and has_accelerator(request.device):
        named += preset.arms_on_accelerator
    wanted = list(dict.fromkeys(arms.parse(text) for text in named))
    names = [arm.name for arm in wanted]
    for name in names:
        if names.count(name) > 1:
            raise ComparisonError(f"two different bases would both be called {name}: rename one")
    return preset, wanted


def has_accelerator(device: str) -> bool:
    """Whether a GPU or TPU seems to be here, told without loading a framework."""
    marks = ("/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/dev/accel0")
    present = bool(os.environ.get("TPU_NAME")) or any(Path(mark).exists() for mark in marks)
    return device in ("gpu", "tpu") or (device == "auto" and present)


def must_fit(wanted: Sequence[Arm], image_shape: tuple[int, int, int]) -> None:
    """Raise ComparisonError for an arm whose network needs larger images than these."""
    for arm in wanted:
        if min(image_shape[:2]) < arm.model.smallest:
            raise ComparisonError(
                f"{arm.name} needs images of {arm.model.smallest} pixels a side or more, these "
                f"have {image_shape[0]}x{image_shape[1]}"
            )


def train_sizes(request: Request, preset: Preset, count: int) -> list[int]:
    """The training-set sizes of a request, for `count` images before validation is carved.

    Raises ComparisonError for sizes that cannot be.
    """
    most = count - validation_size(count)
    if request.train_sizes is None:
        return [min(preset.train_size or most, most)]
    for size in request.train_sizes:
        if not 2 <= size <= most:
            raise ComparisonError(
                f"--train-size {size}: 2 to {most:,} images can be had "
                f"({count:,} less {count - most:,} for validation)"
            )
    return list(dict.fromkeys(request.train_sizes))


def runs(
    request: Request,
    preset: Preset,
    wanted: Sequence[Arm],
    sizes: Sequence[int],
    name: str,
    fingerprint: str,
    notices: Sequence[str],
    source: plan.SourceData | None,
) -> list[plan.Run]:
    """Every run of a request, settled."""
    epochs = request.epochs
    if epochs is None and (request.train_sizes is None or request.knob):
        epochs = preset.epochs
    settings = plan.Settings(
        data=name,
        data_dir=request.data_dir,
        epochs=epochs,
        batch_size=request.batch_size,
        device=request.device,
        engine=request.engine,
        deterministic=request.deterministic,
        source=source,
        knob=request.knob,
    )
    seeds = list(dict.fromkeys(request.seeds or preset.seeds))
    return plan.runs(
        list(wanted), seeds, list(sizes), settings, fingerprint, list(notices), request.command
    )
