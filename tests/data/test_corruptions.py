"""Corruptions: what each does to images whose answer is known, and the same every time."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from comparisons.data.corruptions import CORRUPTIONS, SEVERITIES, SIDE, corrupted

EVERY = [(name, severity) for name in CORRUPTIONS for severity in SEVERITIES]
images = some.tuples(
    some.integers(1, 3), some.integers(1, 20), some.integers(1, 20), some.sampled_from([1, 3])
).flatmap(lambda shape: arrays.arrays(np.uint8, shape))


def drawn(count: int = 20, side: int = SIDE) -> np.ndarray:
    """Smooth coloured images, in the middle of all values."""
    generator = np.random.default_rng(3)
    along = np.linspace(-1, 1, side)
    down, right = generator.uniform(-50, 50, (2, count, 1, 1, 3))
    values = 128 + down * along[:, None, None] + right * along[None, :, None]
    return values.astype(np.uint8)


@settings(max_examples=25, deadline=None)
@given(images)
def test_any_image_keeps_its_shape_and_comes_out_the_same_twice(given):
    before = given.copy()
    for name, severity in EVERY:
        one, two = (corrupted(given, name, severity) for _ in range(2))
        assert one.shape == given.shape and one.dtype == np.uint8
        assert (one == two).all()
    assert (given == before).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_higher_severity_is_further_from_the_image(name):
    generator = np.random.default_rng(0)
    real = (drawn() * 0.7 + generator.integers(0, 60, (20, SIDE, SIDE, 3))).astype(np.uint8)
    away = [np.abs(corrupted(real, name, s).astype(float) - real).mean() for s in SEVERITIES]
    assert 0 < away[0] < away[1] < away[2]


def test_what_happens_to_one_image_does_not_depend_on_those_beside_it():
    several = drawn(5)
    for name, severity in EVERY:
        whole = corrupted(several, name, severity)
        assert (corrupted(several[:2], name, severity) == whole[:2]).all()


@pytest.mark.parametrize(("severity", "spread"), [(1, 0.04), (3, 0.08), (5, 0.10)])
def test_noise_has_the_spread_of_its_severity_and_differs_from_image_to_image(severity, spread):
    grey = np.full((30, SIDE, SIDE, 3), 128, np.uint8)
    found = corrupted(grey, "noise", severity).astype(float) - 128
    assert found.std() / 255 == pytest.approx(spread, rel=0.02)
    assert abs(found.mean()) < 0.3
    assert abs(np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1]) < 0.1


def test_a_blurred_line_is_a_gaussian_that_grows_with_the_image():
    for side, sigma in ((SIDE, 1.0), (4 * SIDE, 4.0)):
        image = np.zeros((1, side, side, 1), np.uint8)
        image[0, side // 2] = 255
        profile = corrupted(image, "blur", 5)[0, :, side // 2, 0].astype(float)
        at = np.arange(side) - side // 2
        assert np.sqrt((profile * at**2).sum() / profile.sum()) == pytest.approx(sigma, rel=0.05)


@given(some.tuples(*[some.integers(0, 255)] * 3), some.sampled_from([0.05, 0.15, 0.3]))
def test_brightness_raises_the_value_of_hsv_alone(colour, share):
    severity = SEVERITIES[(0.05, 0.15, 0.3).index(share)]
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in colour))
    wanted = colorsys.hsv_to_rgb(hue, saturation, min(value + share, 1.0))
    found = corrupted(np.array(colour, np.uint8).reshape(1, 1, 1, 3), "brightness", severity)
    np.testing.assert_allclose(found[0, 0, 0] / 255, wanted, atol=0.5001 / 255)


def test_contrast_draws_each_channel_to_its_mean():
    image = np.array([0, 100, 200, 100], np.uint8).reshape(1, 2, 2, 1)
    found = corrupted(image, "contrast", 3)
    assert found.ravel().tolist() == [60, 100, 140, 100]


def test_a_jpeg_keeps_a_plain_image_and_loses_a_checkerboard():
    plain = np.full((1, SIDE, SIDE, 3), 77, np.uint8)
    assert np.abs(corrupted(plain, "JPEG", 5).astype(int) - plain).max() <= 1
    board = np.indices((SIDE, SIDE)).sum(axis=0) % 2 * 40 + 100
    colours = np.stack([board, board[::-1], board.T], -1).astype(np.uint8)[None]
    assert np.abs(corrupted(colours, "JPEG", 5).astype(int) - colours).max() > 5
