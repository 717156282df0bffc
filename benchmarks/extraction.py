"""Frozen features: each engine's images in a second, beside what the machine can do at all."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.measure import Result, Side, alternate, ratio, result

ROUNDS = 5
IMAGES = 1024
BASES = (("mobilenet", (0.25, 96)), ("mobilenet", (0.25, 128)), ("mobilenet", (0.25, 160)),
         ("mobilenet", (0.25, 224)), ("vgg16", (32,)), ("vgg16", (64,)))  # fmt: skip
FEW = 256  # images of a base that takes ten times as long


def run(rounds: int) -> Result:
    """Random weights do: what they are changes nothing of the time."""
    import keras

    from comparisons import engines
    from comparisons.runtime import start
    from models import adapt, flops
    from models.catalog import MODELS

    start("cpu", 0, False)
    able = machine.able()
    of_machine: dict[str, list[float]] = {name: [] for name in able}
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
    sides: list[Side] = []
    for name, values in BASES:
        model = MODELS[name]
        options = dict(zip((o for o, _ in model.options), values, strict=True))
        keras.backend.clear_session()
        network = adapt.build(model, options, (32, 32, 3), 10)
        images = pixels[:FEW] if name == "vgg16" else pixels
        label = f"{name}@{'x'.join(map(str, values))}"
        work = flops.forward(network.backbone)
        ready = {f"{label} {n}": _ready(n, network.backbone, images) for n in _engines(engines)}
        taken = alternate({**able, **ready}, rounds)
        product, _ = machine.sides(taken)
        for side in ready:
            made = Side(side, taken[side], len(images), "image")
            share = machine.of_product(work, made, product)
            made.notes = {"MFLOP an image": round(work / 1e6), "of the product": share}
            sides.append(made)
        for side in able:
            of_machine[side] += taken[side]
    ratios = [
        ratio(slow, fast)
        for slow in sides
        for fast in sides
        if slow.name.endswith(" keras")
        and fast is not slow
        and fast.name.split()[0] == slow.name.split()[0]
    ]
    sides = [*machine.sides(of_machine), *sides]
    return result("extraction", "How fast are frozen features computed?", sides, ratios)


def _engines(engines: Any) -> list[str]:
    found = [name for name in engines.ENGINES if name != "openvino"]
    return [*found, "openvino"] if importlib.util.find_spec("openvino") else found


def _ready(engine: str, backbone: Any, images: np.ndarray) -> Any:
    """An engine, warmed up, as something to time."""
    from comparisons import engines

    extract = engines.ENGINES[engine](backbone)
    extract(images)
    return lambda: extract(images) is None or None
