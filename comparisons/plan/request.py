"""What a user asks for, and the runs that it becomes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from msgspec.structs import replace

from comparisons.core.clock import timestamp
from comparisons.core.errors import ComparisonError, unknown
from comparisons.core.files import last_name
from comparisons.core.machine import backend
from comparisons.core.phases import SOURCE, Phase
from comparisons.core.records import Settings, SourceData, data_name, digest, full_name
from comparisons.plan import arms, bases, recipes
from comparisons.plan.arms import Arm
from comparisons.plan.knobs import KNOBS, turned
from comparisons.plan.presets import PRESETS, Preset
from comparisons.plan.runs import TRAINING_REVISION, Run, run_id
from models.catalog import SIZES

DEVICES = ("auto", "cpu", "gpu", "tpu")
HIGHEST_SEED = 2**32 - 1  # of NumPy's, which Keras sets as well
FEWEST = 20  # images: no smaller share of few is worth a run
BEST = "best"  # in place of an arm: the one that does best on validation images
EXPORTS = ("onnx", "tflite")
CLASS_WEIGHTS = ("auto", "on", "off")
ENGINES = ("auto", "openvino", "tensorflow", "keras")


@dataclass(frozen=True)
class Request:
    """What a user asks for; None means that the preset decides, or that of the knob.

    With `out` None nothing is written, unless `default_out`, which means a folder of results.
    `scheduler` is the address of a cluster; `workers` how many runs this machine does at once.
    `image_size` is what pictures of a folder are resized to, and what bases take that are named
    without one. `save_base` is the file that the trained base goes to, without its head; `tries`
    are the recipes that tuning tries; `live` marks runs that are shown live. `keep` is the arm
    whose trained network is kept, or `best`, which where it is `unasked` is no failure to be
    without; `export` are the formats that it goes to as well.
    """

    arms: tuple[str, ...] | None = None
    data: str = "auto"
    classes: tuple[str, ...] = ()
    train_sizes: tuple[int, ...] | None = None
    seeds: tuple[int, ...] | None = None
    preset: str = "standard"
    knob: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    device: str = "auto"
    engine: str = "auto"
    image_size: int | None = None
    source: str = "auto"
    validate_on: int | None = None
    test_on: int | None = None
    data_dir: Path | None = None
    robustness: bool = False
    class_weights: str = "auto"
    deterministic: bool = False
    scheduler: str | None = None
    workers: int | None = None
    out: Path | None = None
    default_out: bool = False
    fresh: bool = False
    tries: tuple[str, ...] | None = None
    save_base: Path | None = None
    live: bool = False
    keep: str | None = None
    unasked: bool = False
    export: tuple[str, ...] = ()
    command: str = ""

    @property
    def kept(self) -> str | None:
        """The arm whose network is kept, or `best`; None where none is."""
        return BEST if self.keep is None and self.export else self.keep

    def folder(self, data: str) -> Path | None:
        """Where results on a data set go, if anywhere."""
        if self.out or not self.default_out:
            return self.out
        if self.knob:
            return Path("results", "knobs", self.knob)
        some = [re.sub(r"[^\w-]+", "-", name)[:20] for name in sorted(set(self.classes))[:5]]
        name = last_name(data)
        if not Path(data).is_dir():
            name = Path(name).stem
        return Path("results", "-".join([name, *some]))


@dataclass(frozen=True)
class Known:
    """What planning knows of a data set.

    It has `images` to learn from, of which `most` may be trained on and the rest validate, and
    `tests` to test on; `tested` are the rows that each seed tests on, where those differ.
    `image_size` is what its pictures were resized to, where they were. `mirrors` says that an image
    means the same in a mirror, `classes` are those that are used where that is not all, which are
    `uneven` where some are much rarer than others; `class_count` is how many there are, 0 where
    nobody knows.
    """

    name: str
    fingerprint: str
    images: int
    most: int
    tests: int
    mirrors: bool = True
    classes: tuple[str, ...] = ()
    uneven: bool = False
    tested: Mapping[int, Sequence[int]] = field(default_factory=dict)
    image_size: int | None = None
    class_count: int = 0


def check(request: Request) -> tuple[Preset, list[Arm]]:
    """The preset and the arms of a request. Raises ComparisonError for what cannot be meant."""
    if request.preset not in PRESETS:
        raise unknown("preset", request.preset, PRESETS)
    for kind, name, known in (
        ("device", request.device, DEVICES),
        ("engine", request.engine, ENGINES),
        ("class weights", request.class_weights, CLASS_WEIGHTS),
    ):
        if name not in known:
            raise ComparisonError(f"unknown {kind} '{name}': known: {', '.join(known)}")
    for name in request.export:
        if name not in EXPORTS:
            raise unknown("export", name, EXPORTS)
    if request.kept and not (request.out or request.default_out):
        raise ComparisonError("a model is kept beside its results: name a folder by out")
    if request.knob == "":
        raise ComparisonError(f"name the knob to turn: {', '.join(KNOBS)}")
    if request.knob is not None and request.knob not in KNOBS:
        raise unknown("knob", request.knob, KNOBS)
    preset = KNOBS[request.knob].preset if request.knob else PRESETS[request.preset]
    for flag, value in (
        ("--epochs", request.epochs),
        ("--batch-size", request.batch_size),
        ("--validate-on", request.validate_on),
        ("--test-on", request.test_on),
        ("--workers", request.workers),
    ):
        if value is not None and value < 1:
            raise ComparisonError(f"{flag} must be 1 or more, not {value}")
    size = request.image_size
    if size is not None and size not in SIZES:
        raise ComparisonError(f"--image-size {size}: give {SIZES.start} to {SIZES.stop - 1} pixels")
    if request.scheduler is not None and request.workers is not None:
        raise ComparisonError("--workers are on this machine, --scheduler has its own: name one")
    backend()
    for seed in request.seeds or ():
        if not 0 <= seed <= HIGHEST_SEED:
            raise ComparisonError(f"--seeds {seed}: seeds are numbers from 0 to {HIGHEST_SEED}")
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
    parsed = (sized(text, size) for text in named)
    wanted = list(dict.fromkeys(parsed))
    names = [arm.name for arm in wanted]
    for name in names:
        if names.count(name) > 1:
            raise ComparisonError(f"two different bases would both be called {name}: rename one")
    return preset, wanted


def sized(text: str, size: int | None) -> Arm:
    """An arm; where its base's options are not spelled out, for pictures of `size`."""
    arm = arms.parse(text)
    return arm if size is None or "@" in text.rpartition(":")[0] else arms.at_size(arm, size)


def seeds(request: Request, preset: Preset) -> list[int]:
    """The seeds of a request, each once."""
    return list(dict.fromkeys(request.seeds or preset.seeds))


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


def train_sizes(request: Request, preset: Preset, target: Known) -> list[int]:
    """The training-set sizes of a request. Raises ComparisonError for sizes that cannot be."""
    most = target.most
    if request.train_sizes is None:
        shares = [round(most * share) for share in preset.shares]
        enough = [size for size in shares if size >= min(FEWEST, most)]
        wanted = preset.train_sizes or enough or (most,)
        return list(dict.fromkeys(min(size, most) for size in wanted))
    for size in request.train_sizes:
        if not 2 <= size <= most:
            raise ComparisonError(
                f"--train-size {size}: 2 to {most:,} images can be had "
                f"({target.images:,} less {target.images - most:,} for validation)"
            )
        if size < target.class_count:
            raise ComparisonError(
                f"--train-size {size}: {target.name} has {target.class_count} classes, and each "
                "takes an image at least"
            )
    return list(dict.fromkeys(request.train_sizes))


def runs(
    request: Request,
    preset: Preset,
    wanted: Sequence[Arm],
    target: Known,
    source: Known | None,
    notices: Sequence[str] = (),
) -> list[Run]:
    """Every run of a request: the knob's variants within arms within seeds within sizes.

    So that a machine that grows slower does so for all arms. `wanted` are the arms whose weights
    can be had; `source` is what `complete` trains its base on first. Raises ComparisonError for
    sizes that cannot be.
    """
    epochs = request.epochs
    if epochs is None and (request.train_sizes is None or request.knob):
        epochs = preset.epochs
    variants = KNOBS[request.knob].all_changes if request.knob else [("", {})]
    since = timestamp() if request.fresh else ""
    weighed = weighs_classes(request, target)
    planned = []
    for size, seed, arm, (variant, changes) in product(
        train_sizes(request, preset, target), seeds(request, preset), wanted, variants
    ):
        first = source if arm.strategy.start == "source" else None
        phases = recipes.phases(
            arm, size, epochs, request.batch_size, first.most if first else None
        )
        phases = [replace(p, views_at_test=preset.views_at_test) for p in phases]
        if variant:
            phases = [turned(phase, changes, size) for phase in phases]
        phases = [
            phase if _mirrors(phase, target, first) else recipes.unmirrored(phase)
            for phase in phases
        ]
        # The classes of a source are not those that are uneven here.
        phases = [replace(p, class_weights=weighed and p.name != SOURCE) for p in phases]
        settings = Settings(
            data=data_name(target.name, target.classes),
            device=request.device,
            engine=request.engine,
            backend=backend(),
            deterministic=request.deterministic,
            base=bases.identity(arm.model) if arm.model.place else None,
            source=SourceData(first.name, first.fingerprint) if first else None,
            knob=request.knob if variant else None,
            variant=variant or None,
            model_revision=arm.model.revision,
            training_revision=TRAINING_REVISION,
            validate_on=_cap(
                request.validate_on or preset.validate_on, target.images - target.most
            ),
            test_on=_cap(request.test_on, target.tests),
            robustness=request.robustness,
            live=request.live,
            image_size=target.image_size,
        )
        name = full_name(arm.name, settings.variant)
        tested = list(target.tested.get(seed, ()))
        content = f"{target.fingerprint} {digest(tested)}" if tested else target.fingerprint
        planned.append(
            Run(
                id=run_id(name, size, seed, settings, phases, content),
                arm=arm.name,
                written=arm.written,
                seed=seed,
                train_size=size,
                phases=phases,
                settings=settings,
                data=target.name,
                data_dir=str(request.data_dir) if request.data_dir else None,
                classes=list(target.classes),
                tested=tested,
                notices=list(notices),
                command=request.command,
                save_base=str(request.save_base) if request.save_base else None,
                since=since,
            )
        )
    return planned


def weighs_classes(request: Request, target: Known) -> bool:
    """Whether rare classes weigh as much as others in training, the same for every arm."""
    return request.class_weights == "on" or (request.class_weights == "auto" and target.uneven)


def _mirrors(phase: Phase, target: Known, source: Known | None) -> bool:
    """Whether the images that a phase trains on mean the same in a mirror."""
    return source.mirrors if source and phase.name == SOURCE else target.mirrors


def _cap(asked: int | None, there: int) -> int | None:
    """How many images to measure on; None for all of them."""
    return asked if asked is not None and asked < there else None
