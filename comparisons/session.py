"""A comparison from request to records: supplies, plan, runs. The command line and Python's
`compare` both end here, so that they say and do the same."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from comparisons import arms, bases, plan, rehearsal, runner, supplies
from comparisons.arms import Arm
from comparisons.data import SOURCES, describe
from comparisons.data.dataset import validation_size
from comparisons.errors import ComparisonError, unknown
from comparisons.files import cache_limit
from comparisons.presets import PRESETS, Preset
from comparisons.progress import Display
from comparisons.records import Record
from comparisons.variants import KNOBS


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


@dataclass(frozen=True)
class Session:
    """What came of a request."""

    records: list[Record]
    out: Path | None


def run_session(request: Request, console: Console | None = None) -> Session:
    """Have data and weights ready, run what is not yet done, and return all records.

    Raises ComparisonError before any training when something asked for cannot be had, and
    when a record cannot be written.
    """
    console = console or plain_console()
    preset, wanted = check(request)
    cache_limit()  # said now, not after an hour of training
    say = _sayer(console)
    name, dataset, notices = supplies.dataset(request.data, request.data_dir, say)
    wanted, more = supplies.weights(wanted, request.arms is not None, say)
    notices = notices + more
    for notice in notices:
        console.print(Panel(notice, style="bold yellow", title="please note", width=console.width))
    must_fit(wanted, dataset.image_shape)
    for arm in wanted:
        bases.must_be_transferred(arm.model, dataset.fingerprint, arm.name)
    source = None
    if any(arm.strategy.start == "source" for arm in wanted):
        source = supplies.source(request.source, name, dataset, request.data_dir, say)
    sizes = train_sizes(request, preset, len(dataset.y_train))
    out = Path("results") / Path(name).stem if request.default_out else request.out
    if out:
        must_be_writable(out)
    planned = runs(request, preset, wanted, sizes, name, dataset.fingerprint, notices, source)
    kept = () if request.fresh or out is None else [r for r in planned if runner.finished(r, out)]
    rehearsal.rehearse([run for run in planned if run not in kept], dataset, say)
    with Display(planned, console) as display:
        records = runner.run_all(planned, dataset.described(), out, request.fresh, display.tell)
    return Session(records, out)


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


def planned_without_supplies(request: Request) -> tuple[str, list[plan.Run]]:
    """The data set's name and the runs of a request, by what is known without fetching."""
    preset, wanted = check(request)
    name = "cifar10" if request.data == "auto" else request.data
    if name in SOURCES:
        about = describe(name, request.data_dir)
        count = about["train"] if about else SOURCES[name].sizes[0]
        fingerprint = about["fingerprint"] if about else ""
    else:
        name, dataset, _ = supplies.dataset(name, request.data_dir, lambda text: None)
        count, fingerprint = len(dataset.y_train), dataset.fingerprint
    sizes = train_sizes(request, preset, count)
    source = None
    if any(arm.strategy.start == "source" for arm in wanted):
        source = supplies.described_source(request.source, name, request.data_dir)
    return name, runs(request, preset, wanted, sizes, name, fingerprint, [], source)


def must_be_writable(folder: Path) -> None:
    """Raise ComparisonError unless files can be written under `folder`; leaves nothing there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise runner.cannot_write(folder, error) from None


def plain_console(width: int = 100) -> Console:
    """A console of at most `width` columns, to standard output."""
    console = Console(force_jupyter=False, highlight=False)
    console.width = min(width, console.width)
    return console


def _sayer(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(f"… {text}", style="dim")
