"""What is to be run: a list of runs, each settled to the last number before any training."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import msgspec

from comparisons.core import records
from comparisons.plan import bases, recipes
from comparisons.plan.arms import Arm
from comparisons.plan.knobs import KNOBS, turned


class Run(msgspec.Struct, kw_only=True):
    """One arm, one seed, one training-set size, as handed to the process that runs it.

    `arm` is its name, as the record has it; `written` the same with the place of its base.
    """

    id: str
    arm: str
    written: str
    seed: int
    train_size: int
    phases: list[dict[str, Any]]
    settings: dict[str, Any]
    data: str
    data_dir: str | None = None
    notices: list[str] = []
    command: str = ""
    source: str | None = None
    save_base: str | None = None


@dataclass(frozen=True)
class SourceData:
    """What `complete` trains its base on first: a data set of `train_size` training images."""

    name: str
    fingerprint: str
    train_size: int


@dataclass(frozen=True)
class Settings:
    """What the flags say beyond arms, sizes and seeds."""

    data: str
    data_dir: Path | None = None
    epochs: int | None = None
    batch_size: int | None = None
    device: str = "auto"
    engine: str = "auto"
    deterministic: bool = False
    source: SourceData | None = None
    knob: str | None = None


def runs(
    arms: list[Arm],
    seeds: list[int],
    sizes: list[int],
    settings: Settings,
    fingerprint: str,
    notices: list[str],
    command: str,
) -> list[Run]:
    """Every run of a comparison: seeds within the knob's variants within arms within sizes."""
    planned = []
    knob = KNOBS[settings.knob] if settings.knob else None
    for size in sizes:
        for arm, (variant, changes) in product(arms, knob.all_changes if knob else [("", {})]):
            source = settings.source if arm.strategy.start == "source" else None
            phases = recipes.phases(
                arm,
                size,
                settings.epochs,
                settings.batch_size,
                source.train_size if source else None,
            )
            if variant:
                phases = [turned(phase, changes, size) for phase in phases]
            decides: dict[str, Any] = {
                "data": Path(settings.data).name,
                "device": settings.device,
                "engine": settings.engine,
                "backend": os.environ.get("KERAS_BACKEND") or "tensorflow",
                "deterministic": settings.deterministic,
                "phases": phases,
            }
            if arm.model.place:
                decides["base"] = bases.identity(arm.model)
            if source:
                decides["source"] = {"data": source.name, "fingerprint": source.fingerprint}
            if variant:
                decides |= {"knob": settings.knob, "variant": variant}
            for seed in seeds:
                planned.append(
                    Run(
                        id=run_id(
                            records.full_name(arm.name, decides), size, seed, decides, fingerprint
                        ),
                        arm=arm.name,
                        written=arm.written,
                        seed=seed,
                        train_size=size,
                        phases=phases,
                        settings=decides,
                        data=settings.data,
                        data_dir=str(settings.data_dir) if settings.data_dir else None,
                        notices=notices,
                        command=command,
                        source=source.name if source else None,
                    )
                )
    return planned


def run_id(
    name: str, train_size: int, seed: int, settings: dict[str, Any], fingerprint: str
) -> str:
    """A readable name that changes with everything that decides a run."""
    slug = re.sub(r"[^a-z0-9.]+", "-", name.lower()).rstrip("-")
    decides = [records.SCHEMA, name, train_size, seed, settings, fingerprint]
    return f"{slug}-n{train_size}-s{seed}-{records.digest(decides)}"


def command_line(module: str, arguments: list[str]) -> str:
    """The command as typed, without any absolute path, as it goes into the record."""
    shown = [
        Path(part).name if Path(part).is_absolute() else bases.shown(part) for part in arguments
    ]
    return " ".join(["python", "-m", module, *shown])
