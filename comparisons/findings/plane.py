"""What held-out images in one plane say: whether classes drew apart as a base was fine-tuned."""

from __future__ import annotations

import numpy as np

from comparisons.core.card import Plane
from comparisons.findings import intervals, text


def title(plane: Plane) -> str:
    """How many images have one of their own class nearest, before and after."""
    before, after = plane.alike_before, plane.alike_after
    luck = intervals.sampling_noise(after, len(plane.classes))
    if abs(after - before) < luck:
        said = "Classes clearly drew neither apart nor together"
    else:
        said = f"Classes drew {'apart' if after > before else 'together'}"
    return (
        f"{said}: the most alike other image is of the same class for {text.percent(before, 0)} "
        f"before fine-tuning, {text.percent(after, 0)} after"
    )


def by_chance(plane: Plane) -> float:
    """The share of images that had one of their own class nearest if nearness meant nothing."""
    images = len(plane.classes)
    counts = np.unique_counts(plane.classes).counts
    return float((counts * (counts - 1)).sum() / (images * max(images - 1, 1)))
