"""Frozen features: each engine's images in a second, beside the machine's matrix product."""

from __future__ import annotations

import importlib.util
import time
from typing import Any

import numpy as np

from benchmarks.measure import Result, Side, alternate, ratio, result

ROUNDS = 5
IMAGES = 1024
BASES = (("mobilenet", (0.25, 96)), ("mobilenet", (0.25, 128)), ("mobilenet", (0.25, 160)),
         ("mobilenet", (0.25, 224)), ("vgg16", (32,)), ("vgg16", (64,)))  # fmt: skip
FEW = 256  # images of a base that takes ten times as long
MATRIX = 2048


def run(rounds: int) -> Result:
    """Random weights do: what they are changes nothing of the time."""
    import keras

    from comparisons import engines
    from comparisons.runtime import start
    from models import adapt, flops
    from models.catalog import MODELS

    start("cpu", 0, False)
    product = _matrix_product()
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
    sides: list[Side] = [Side("matrix product", [], 2 * MATRIX**3, "FLOP")]
    for name, values in BASES:
        model = MODELS[name]
        options = dict(zip((o for o, _ in model.options), values, strict=True))
        keras.backend.clear_session()
        network = adapt.build(model, options, (32, 32, 3), 10)
        images = pixels[:FEW] if name == "vgg16" else pixels
        label = f"{name}@{'x'.join(map(str, values))}"
        work = flops.forward(network.backbone)
        ready = {f"{label} {n}": _ready(n, network.backbone, images) for n in _engines(engines)}
        taken = alternate({"matrix product": product, **ready}, rounds)
        sides[0].seconds += taken.pop("matrix product")
        rate = sides[0].amount / sides[0].median
        for side, seconds in taken.items():
            made = Side(side, seconds, len(images), "image")
            share = work * len(images) / made.median / rate
            made.notes = {"MFLOP an image": round(work / 1e6), "of the product": f"{share:.0%}"}
            sides.append(made)
    ratios = [
        ratio(slow, fast)
        for slow in sides
        for fast in sides
        if slow.name.endswith(" keras")
        and fast is not slow
        and fast.name.split()[0] == slow.name.split()[0]
    ]
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


def _matrix_product() -> Any:
    """TensorFlow's product of two float32 matrices, three times; the seconds of one."""
    import tensorflow as tf

    one = tf.random.normal((MATRIX, MATRIX))
    product = tf.function(lambda: tf.reduce_sum(one @ one))
    float(product())

    def measure() -> float:
        started = time.perf_counter()
        for _ in range(3):
            float(product())
        return (time.perf_counter() - started) / 3

    return measure
