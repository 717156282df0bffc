"""A task that a small network learns in seconds: stripes that stand, lie, or do both."""

from __future__ import annotations

import numpy as np


def patterns(count: int, seed: int, side: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Noisy stripes, uint8 [count, side, side, 3]: upright, lying, or both; a mirror keeps them."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    wave = np.sin(np.arange(side) * np.pi / 2 + generator.uniform(0, 6, (count, 1)))
    upright, lying = wave[:, None, :], wave[:, :, None]
    both = upright * lying
    drawn = np.select(
        [labels[:, None, None] == 0, labels[:, None, None] == 1],
        [np.broadcast_to(upright, both.shape), np.broadcast_to(lying, both.shape)],
        both,
    )
    colours = generator.uniform(20, 60, (count, 1, 1, 3))
    noise = generator.normal(0, 25, (count, side, side, 3))
    images = 128 + drawn[..., None] * colours + noise
    return images.clip(0, 255).astype(np.uint8), labels.astype(np.int64)
