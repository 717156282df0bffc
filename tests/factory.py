"""Plausible records for tests: the shapes of real runs, without running any."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from comparisons.core.bill import summed
from comparisons.core.phases import Phase
from comparisons.core.records import (
    SCHEMA,
    Adapters,
    Bin,
    Calibration,
    Corrupted,
    Data,
    Environment,
    Epoch,
    Flops,
    Forgetting,
    Moved,
    Parameters,
    Record,
    Robustness,
    Seconds,
    Settings,
    Sizes,
    Source,
    Status,
    Test,
    Weights,
)
from comparisons.plan import arms as plans
from comparisons.plan import recipes
from comparisons.plan.request import Known, Request, check, runs
from comparisons.plan.runs import Run

CLASSES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip

# arm: accuracy, epochs, seconds per epoch, cold extraction, parameters, trainable parameters
ARMS: dict[str, tuple[float, int, float, float, int, int]] = {
    "cnn:scratch": (0.823, 4, 28.0, 0.0, 304_714, 304_714),
    "tutorial-cnn:scratch": (0.692, 10, 31.0, 0.0, 122_570, 122_570),
    "mobilenet@0.25x160:frozen": (0.840, 15, 1.0, 40.0, 287_000, 68_362),
    "mobilenet@0.25x96:scratch": (0.610, 5, 60.0, 0.0, 287_000, 281_000),
    "vgg16@64:frozen": (0.865, 8, 2.0, 95.0, 14_980_000, 265_482),
    "tiny:frozen": (0.730, 10, 1.0, 6.0, 90_000, 11_000),
}
# strategy: accuracy, epochs, seconds per epoch, trainable parameters, how far the last block moved
# and how much of that the one before it did, accuracy lost on the source
WAYS: dict[str, tuple[float, int, float, int, float, float, float]] = {
    "scratch": (0.512, 12, 14.0, 281_400, 0.0, 0.0, 0.0),
    "complete": (0.655, 12, 14.0, 281_400, 0.9, 0.95, 0.31),
    "frozen": (0.742, 15, 0.5, 68_362, 0.0, 0.0, 0.0),
    "probe": (0.721, 15, 0.3, 2_570, 0.0, 0.0, 0.0),
    "frozen-views": (0.751, 15, 6.0, 68_362, 0.0, 0.0, 0.0),
    "partial@2": (0.771, 12, 7.0, 150_000, 0.14, 0.5, 0.041),
    "full": (0.789, 12, 14.0, 281_400, 0.08, 0.92, 0.082),
    "full-hot": (0.684, 12, 14.0, 281_400, 0.7, 0.97, 0.264),
    "discriminative": (0.793, 12, 14.0, 281_400, 0.09, 0.6, 0.035),
    "lora@8": (0.786, 12, 11.0, 31_000, 0.05, 0.9, 0.022),
    "qlora@8": (0.784, 12, 12.0, 31_000, 0.05, 0.9, 0.024),
    "qlora4@8": (0.702, 12, 12.0, 31_000, 0.05, 0.9, 0.031),
    "hybrid@2": (0.791, 12, 12.0, 170_000, 0.13, 0.55, 0.038),
}
BLOCKS = {
    "mobilenet": ["stem", *(f"block {i}" for i in range(1, 14))],
    "tiny": ["block0", "block1", "block2", "block3", "block4"],
}

UPSTREAM = {"images_seen": 1_281_167 * 90, "source": "Howard et al. 2017, section 4"}


def record(
    arm: str = "cnn:scratch",
    seed: int = 0,
    train_size: int = 45_000,
    status: Status = "ok",
    accuracy: float | None = None,
    error: str | None = None,
    classes: list[str] | None = None,
    **changes: Any,
) -> Record:
    """One record; `accuracy` sets the test accuracy exactly, `changes` set any other field."""
    level, epochs, pace, cold, total, trainable = ARMS.get(arm, ARMS["cnn:scratch"])
    luck = random.Random(f"{arm} {seed} {train_size}")
    scale = train_size / 45_000
    level -= (0.02 if cold else 0.15) * max(0.0, math.log10(45_000 / train_size))
    reached = accuracy if accuracy is not None else level + luck.gauss(0, 0.004)
    names = CLASSES if classes is None else classes
    history = _history(reached, epochs, pace * scale, train_size, luck)
    if status == "failed":
        history = []
    if status == "diverged":
        history = [*history[:2], _burst(history[2])]
    seconds = bill(history, cold)
    phases = [
        Phase(name="head" if cold else "train", trainable="head" if cold else "all",
              optimizer="adam", epochs=epochs, batch_size=256, learning_rate=0.001,
              augment=("flip",))
    ]  # fmt: skip
    model, strategy = arm.rsplit(":", 1) if ":" in arm else (arm, "scratch")
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "id": f"{arm.replace(':', '-').replace('@', '-')}-{train_size}-{seed}",
        "arm": arm,
        "model": model,
        "strategy": strategy,
        "seed": seed,
        "train_size": train_size,
        "settings": Settings(data="cifar10", device="auto", engine="auto", backend="tensorflow",
                             deterministic=False),
        "status": status,
        "error": error,
        "data": Data(
            "cifar10", False, True, "c1fa2",
            Sizes(train_size, 5_000, 10_000), names,
        ),
        "weights": Weights("imagenet", "ab12cd34", dict(UPSTREAM)) if cold else Weights("random"),
        "phases": phases,
        "history": history,
        "test": _test(reached, names) if status == "ok" else None,
        "seconds": seconds,
        "parameters": Parameters(total, trainable),
        "flops": Flops(40_000_000, 40_000_000 * train_size * epochs * 3),
        "images_seen": train_size * len(history),
        "peak_memory": 1_400_000_000,
        "engine": "openvino" if cold else "keras",
        "started": f"2025-01-01T00:00:{seed:02d}Z",
        "environment": Environment(
            versions={"keras": "3.15.1", "tensorflow": "2.21.0"},
            device="cpu",
            cores=2,
            precision="float32",
            commit="0123abc",
            clean=True,
            command="python -m comparisons.cifar",
        ),
    }  # fmt: skip
    return Record(**{**fields, **changes})


def records(arms: list[str], seeds: int = 1, sizes: tuple[int, ...] = (45_000,)) -> list[Record]:
    """Every arm at every size for the first seeds."""
    return [record(a, s, size) for size in sizes for a in arms for s in range(seeds)]


def by_recipe(*runs: Record) -> list[Record]:
    """The runs with the phases that their arms' own recipes have."""
    for run in runs:
        run.phases = recipes.phases(plans.parse(run.arm), run.train_size, None, None)
    return list(runs)


def way(strategy: str, seed: int = 0, base: str = "mobilenet@0.25x96", **changes: Any) -> Record:
    """One record of a way to train a base, with 5,000 images unless `changes` say otherwise."""
    reached, epochs, pace, trainable, top, decay, lost = WAYS[strategy]
    luck = random.Random(f"{base} {strategy} {seed}")
    names = BLOCKS[base.partition("@")[0]]
    size = changes.get("train_size", 5_000)
    cold = 9.0 if strategy in ("frozen", "probe") else 0.0
    source = 95.0 if strategy == "complete" else 0.0
    accuracy = changes.pop("accuracy", reached + luck.gauss(0, 0.006))
    history = _history(accuracy, epochs, pace, size, luck)
    fields: dict[str, Any] = {
        "history": history,
        "seconds": bill(history, cold, source),
        "parameters": Parameters(287_000, trainable),
        "weights": Weights("random" if strategy in ("scratch", "complete") else "imagenet"),
    }
    if top:
        moved = [top * decay**k * luck.uniform(0.9, 1.1) for k in reversed(range(len(names)))]
        if strategy.startswith("partial"):
            moved[:-2] = [0.0] * (len(names) - 2)
        fields["moved"] = [Moved(n, m) for n, m in zip(names, moved, strict=True)]
        before = 0.9 + luck.gauss(0, 0.004)
        fields["forgetting"] = Forgetting(
            "shapes-source", 1_000, before, before - lost * luck.uniform(0.9, 1.1)
        )
    if "lora" in strategy:
        bits = 4 if strategy.startswith("q") else 32
        fields["adapters"] = Adapters(8, bits, 850_000 * bits // 32, 850_000)
    made = record(f"{base}:{strategy}", seed, size, accuracy=accuracy, **{**fields, **changes})
    if strategy == "complete":
        made.source = Source(made.data, history, 0.91, 10**12)
    return made


def ways(base: str = "mobilenet@0.25x96", seeds: int = 3) -> list[Record]:
    """Every way to train one base."""
    return [way(strategy, seed, base) for strategy in WAYS for seed in range(seeds)]


def classroom() -> list[Record]:
    """Two arms with three seeds each, and a third arm of which one run diverged."""
    first, second, third = "cnn:scratch", "mobilenet@0.25x160:frozen", "tutorial-cnn:scratch"
    return [
        *records([first, second], seeds=3),
        *records([third], seeds=2),
        record(third, 2, status="diverged", error="the loss is not finite"),
    ]


def bill(
    history: Sequence[Epoch], extract: float = 0.0, source: float = 0.0, ready: bool = False
) -> Seconds:
    """Where the time went, and each epoch told when it ended.

    Extraction takes `extract` seconds for the training images, a tenth of that for those of
    validation and a fifth for those of the test, and two seconds to prepare its engine; with
    `ready` none of that and no source phase was needed in this run.
    """
    train = sum(e.seconds for e in history)
    engine = 2.0 if extract else 0.0
    made = {"extract_train": extract, "extract_validation": extract / 10, "source": source}
    made |= {"extract_test": extract / 5, "setup": engine}
    spent = {"read": 0.5, "setup": 1.5, "compile": 1.5, "train": train, "validate": 1.0}
    spent |= {"test": 2.0}
    if not ready:
        spent = {part: spent.get(part, 0.0) + made.get(part, 0.0) for part in {**spent, **made}}
    seconds = summed(spent, made if ready else {}, engine)
    before, cold = seconds.learning - train, seconds.learning_cold - train
    for e in history:
        before, cold = before + e.seconds, cold + e.seconds
        e.elapsed, e.elapsed_cold = before, cold
    return seconds


def _history(
    reached: float, epochs: int, pace: float, size: int, luck: random.Random
) -> list[Epoch]:
    rows = []
    for i in range(epochs):
        share = 1 - math.exp(-3 * (i + 1) / epochs)
        validation = 0.3 + (reached - 0.3) * share / 0.95 + luck.gauss(0, 0.003)
        validation = min(0.999, max(0.0, validation))
        train = min(0.999, validation + 0.1 * share * (i / epochs))
        loss = -math.log(max(0.05, validation)) * 2.2
        rising = 0.08 * max(0.0, i - 0.7 * epochs)
        rows.append(
            Epoch("train", i + 1, loss * (1 - 0.3 * share), train, loss + rising, validation,
                  1e-3, pace * luck.uniform(0.97, 1.03), size * (i + 1))
        )  # fmt: skip
    return rows


def _burst(epoch: Epoch) -> Epoch:
    return Epoch("train", epoch.epoch, None, 0.1, None, 0.1, 1e-3, epoch.seconds, epoch.images_seen)


def _test(accuracy: float, names: list[str], images: int = 1_000) -> Test:
    """A confusion matrix with about that accuracy; each class is mostly taken for the next."""
    k = len(names)
    hits = round(images * accuracy)
    matrix = []
    for i in range(k):
        row = [(images - hits) // max(1, 2 * (k - 1))] * k
        row[i] = hits
        row[(i + 1) % k if k > 1 else i] += images - sum(row)
        matrix.append(row)
    found = Test(accuracy, max(0.0, accuracy - 0.002), 2.0 * (1 - accuracy), matrix)
    found.calibration = _calibration(accuracy, images * k)
    return found


def _calibration(accuracy: float, images: int) -> Calibration:
    """A network that is five points surer than it is right, over five of the fifteen bins."""
    plain, scaled = ([Bin(0, (i + 0.5) / 15, 0.0) for i in range(15)] for _ in range(2))
    for i in range(10, 15):
        sure = (i + 0.5) / 15
        plain[i] = Bin(images // 5, sure, max(sure - 0.05, 0.0))
        scaled[i] = Bin(images // 5, sure, sure)
    risks = [(1 - accuracy) * (i / 20) ** 2 for i in range(1, 21)]
    return Calibration(
        1.3, 0.05, 0.0, 1.9 * (1 - accuracy), plain, scaled, 0.9, 0.5, (1 - accuracy) / 4, risks
    )


def robustness(clean: float, lost: dict[str, float]) -> Robustness:
    """Corruptions that each cost so much at severity 3, nothing at 1 and twice that at 5."""
    corrupted = [
        Corrupted(name, severity, clean - cost * (severity - 1) / 2)
        for name, cost in lost.items()
        for severity in (1, 3, 5)
    ]
    return Robustness(1_000, clean, corrupted)


def planned(
    arm: str,
    size: int,
    *,
    data: str = "shapes",
    fingerprint: str = "f",
    source: Known | None = None,
    seed: int = 0,
    notices: Sequence[str] = (),
    **asked: Any,
) -> Run:
    """The one run that a request for an arm on `size` images becomes."""
    request = Request(arms=(arm,), train_sizes=(size,), seeds=(seed,), **asked)
    preset, wanted = check(request)
    (run,) = runs(
        request, preset, wanted, Known(data, fingerprint, 60_000, 60_000, 10_000), source, notices
    )
    return run
