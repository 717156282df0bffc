"""How many images should go through a frozen base at once?"""

from __future__ import annotations

import numpy as np

from comparisons.benchmarks import bases
from comparisons.benchmarks.extraction import engines, warm
from comparisons.benchmarks.measure import Result, Side, alternate, ratio, result

ROUNDS = 5
# Images of each base, so that all take a similar time, and the sizes of batches.
BASES = (
    ("mobilenet", (0.25, 96), 2048),
    ("mobilenet", (0.25, 160), 1024),
    ("mobilenet", (0.25, 224), 512),
    ("vgg16", (32,), 256),
)
SIZES = (4, 16, 64, 256)  # and those in use


def run(rounds: int) -> Result:
    """Every engine that is installed; ratios against the size that it is used with."""
    from comparisons.training.device import start
    from models.engines import BATCHES

    start("cpu", 0, False)
    sizes = sorted({*SIZES, *BATCHES.values()})
    sides: list[Side] = []
    ratios = []
    for name, values, count in BASES:
        backbone = bases.frozen(name, values)
        images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)
        for engine in engines():
            label = f"{bases.label(name, values)} {engine}, batches of"
            ready = {f"{label} {n}": warm(engine, backbone, images, size=n) for n in sizes}
            taken = alternate(ready, rounds)
            made = {side: Side(side, taken[side], count, "image") for side in ready}
            used = made[f"{label} {BATCHES[engine]}"]
            ratios += [ratio(side, used) for side in made.values() if side is not used]
            sides += made.values()
    return result("batches", "How many images should go through a base at once?", sides, ratios)
