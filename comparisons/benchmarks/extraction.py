"""Frozen features: each engine's images in a second, beside what the machine can do at all."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np

from comparisons.benchmarks import bases, machine
from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result, warmed
from comparisons.benchmarks.waits import left_out, noted
from comparisons.core.machine import cores

ROUNDS = 5
IMAGES = 2048
BASES = (("mobilenet", (0.25, 96)), ("mobilenet", (0.25, 128)), ("mobilenet", (0.25, 160)),
         ("mobilenet", (0.25, 224)), ("vgg16", (32,)), ("vgg16", (64,)))  # fmt: skip
FEW = 256  # images of a base that takes ten times as long
# Keras's own, as it is by default, with batches of 32; the engine of this name has larger ones.
PREDICT = "predict"


def run(rounds: int) -> Result:
    """Every engine that is installed, in turn with the matrix product and the copy of memory."""
    from comparisons.training.device import start
    from models import flops

    start("cpu", 0, False)
    able = machine.able()
    of_machine: dict[str, list[float]] = {name: [] for name in able}
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
    sides: list[Side] = []
    shares = []
    for name, values in BASES:
        backbone = bases.frozen(name, values)
        images = pixels[:FEW] if name == "vgg16" else pixels
        flop, moved = flops.forward(backbone), moved_bytes(backbone)
        label = bases.label(name, values)
        waited: list[float] = []
        predict = left_out(partial(backbone.predict, images, verbose=0), waited)
        ready: dict[str, Callable[[], float | None]] = {f"{label} {PREDICT}": predict}
        ready |= {f"{label} {e}": warm(e, backbone, images) for e in engines()}
        taken = alternate({**able, **ready}, rounds)
        product, copy = machine.sides(taken)
        for side in ready:
            made = Side(side, taken[side], len(images), "image")
            made.notes = {
                "MFLOP an image": round(flop / 1e6),
                "GFLOP/s": round(flop * made.rate / 1e9),
                "of the product": machine.share(flop, made, product),
                "of the copy": machine.share(moved, made, copy),
            }
            if side.endswith(PREDICT):
                made.notes["left out as waiting"] = noted(waited)
            sides.append(made)
            shares.append(ratio(product, Side(side, made.seconds, flop * len(images), "FLOP")))
        for side in able:
            of_machine[side] += taken[side]
    ratios = []
    for slow, fast in permutations(sides, 2):
        (base, engine), (other, against) = slow.name.split(), fast.name.split()
        if base == other and engine in (PREDICT, "keras") and against != PREDICT:
            ratios.append(ratio(slow, fast))
    sides = [*machine.sides(of_machine), *sides]
    question = "How fast are frozen features computed?"
    return result("extraction", question, sides, [*ratios, *shares])


def engines() -> list[str]:
    """The names of all engines that are installed."""
    from models.engines import ENGINES

    missing = [] if importlib.util.find_spec("openvino") else ["openvino"]
    return sorted(set(ENGINES) - set(missing))


def warm(engine: str, backbone: Any, images: np.ndarray, **options: int) -> Callable[[], None]:
    """An engine, warmed up, as something to time."""
    from models.engines import ENGINES

    return warmed(partial(ENGINES[engine](backbone, cores(), **options), images))


def moved_bytes(backbone: Any) -> int:
    """Bytes of one image's maps, float32, written once by each layer with weights, read once.

    What a processor's caches do not hold has to pass through memory, so this is a bound above.
    """
    from models.adapt import all_layers

    values = (math.prod(layer.output.shape[1:]) for layer in all_layers(backbone) if layer.weights)
    return 2 * 4 * sum(values)
