"""Views of training images: drawn per image, the same again for the same seed and epoch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from comparisons.data import views
from comparisons.training import augment

seeds = some.integers(0, 2**31)
epochs = some.integers(0, 50)
names = some.lists(some.sampled_from(sorted(augment.AUGMENTATIONS)), max_size=2, unique=True)


def seen(names: list[str], images: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """The views of images."""
    return augment.augmented(names, images, one_hot(len(images)), seed, epoch)[0]


def aimed(names: list[str], targets: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """The targets of views."""
    images = np.zeros((len(targets), 8, 8, 1), np.uint8)
    return augment.augmented(names, images, targets, seed, epoch)[1]


def one_hot(count: int, classes: int = 4) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[np.arange(count) % classes]


@some.composite
def pictures(draw: some.DrawFn, most: int = 30) -> np.ndarray:
    """Images uint8 [n, h, w, 1 or 3], no two alike and none its own mirror image."""
    shape = draw(some.tuples(*[some.integers(8, 14)] * 2, some.sampled_from([1, 3])))
    generator = np.random.default_rng(draw(seeds))
    return generator.integers(0, 256, (draw(some.integers(1, most)), *shape), np.uint8)


@given(pictures(), names, seeds, epochs)
def test_shape_type_and_originals_are_kept(images, chosen, seed, epoch):
    before = images.copy()
    views = seen(chosen, images, seed, epoch)
    assert views.shape == images.shape
    assert views.dtype == np.uint8
    assert (images == before).all()
    if not chosen:
        assert (views == images).all()


@given(pictures(), names, seeds, epochs)
def test_same_seed_and_epoch_same_views(images, chosen, seed, epoch):
    first, again = (seen(chosen, images, seed, epoch) for _ in range(2))
    assert (first == again).all()


@pytest.mark.parametrize("name", sorted(augment.AUGMENTATIONS))
def test_another_seed_or_epoch_gives_other_views(name):
    images = np.random.default_rng(0).integers(0, 256, (64, 24, 24, 3), np.uint8)
    views = seen([name], images, 0, 0)
    for seed, epoch in ((1, 0), (0, 1)):
        other = seen([name], images, seed, epoch)
        assert (other != views).any(axis=(1, 2, 3)).sum() > 16


@given(pictures(), seeds, epochs)
def test_flip_alternates(images, seed, epoch):
    now, after, then = (seen(["flip"], images, seed, epoch + k) for k in range(3))
    assert (after == now[:, :, ::-1]).all()
    assert (then == now).all()
    as_it_was = (now == images).all(axis=(1, 2, 3))
    mirrored = (now == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (as_it_was ^ mirrored).all()


def test_flip_mirrors_half_of_the_images_each_its_own():
    images = np.random.default_rng(0).integers(0, 256, (1000, 8, 8, 3), np.uint8)
    mirrored = (seen(["flip"], images, 3, 0) != images).any(axis=(1, 2, 3))
    assert 420 < mirrored.sum() < 580
    assert 100 < (mirrored[1:] != mirrored[:-1]).sum() < 900


def shifted(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """What is seen of an image through a window moved by so many pixels, borders mirrored."""
    height, width = image.shape[:2]

    def inside(index: int, size: int) -> int:
        return -index if index < 0 else 2 * (size - 1) - index if index >= size else index

    rows = [inside(row + down, height) for row in range(height)]
    columns = [inside(column + right, width) for column in range(width)]
    return image[rows][:, columns]


def offset(image: np.ndarray, view: np.ndarray) -> tuple[int, int]:
    """The one shift that makes the view from the image."""
    reach = range(-views.SHIFT, views.SHIFT + 1)
    found = [(y, x) for y in reach for x in reach if (shifted(image, y, x) == view).all()]
    assert len(found) == 1
    return found[0]


@settings(max_examples=30)
@given(pictures(most=8), seeds, epochs)
def test_crop_shifts_and_reflects(images, seed, epoch):
    views = seen(["crop"], images, seed, epoch)
    for image, view in zip(images, views, strict=True):
        offset(image, view)


@settings(max_examples=30)
@given(some.tuples(some.integers(8, 40), some.integers(8, 40)), seeds, epochs)
def test_a_window_is_a_part_of_its_image(sides, seed, epoch):
    height, width = sides
    images = np.arange(5 * height * width).reshape(5, height, width, 1) % 251
    images = np.concatenate([images, images // 7], axis=-1).astype(np.uint8)
    views = seen(["window"], images, seed, epoch)
    down, right = augment.window_sides(height, width)
    for side, part in ((height, down), (width, right)):
        assert part == (side if side <= 16 else max(16, round(0.75 * side)))
    assert views.shape == (5, down, right, 2)
    for image, view in zip(images, views, strict=True):
        parts = np.lib.stride_tricks.sliding_window_view(image, (down, right), axis=(0, 1))
        assert (np.moveaxis(parts, 2, -1) == view).all(axis=(2, 3, 4)).any()


def test_windows_lie_anywhere_in_their_images():
    places = np.arange(24 * 24).reshape(1, 24, 24, 1)
    images = np.repeat(np.concatenate([places // 24, places % 24], axis=-1), 500, axis=0)
    corners = seen(["window"], images.astype(np.uint8), 0, 0)[:, 0, 0]
    assert {tuple(corner) for corner in corners} == {(y, x) for y in range(7) for x in range(7)}


def test_views_are_what_their_names_say():
    images = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)
    made = {name: view(images) for name, view in views.VIEWS.items()}
    assert {view.shape for view in made.values()} == {images.shape}
    assert (made["original"] == images).all()
    assert (made["mirror"] == images[:, :, ::-1]).all()
    assert (made["left"][:, :, : -views.SHIFT] == images[:, :, views.SHIFT :]).all()
    assert (made["right"][:, :, views.SHIFT :] == images[:, :, : -views.SHIFT]).all()


def test_crop_draws_every_shift_for_each_image_alone():
    images = np.random.default_rng(0).integers(0, 256, (400, 8, 8, 3), np.uint8)
    views = seen(["crop"], images, 0, 0)
    shifts = [offset(image, view) for image, view in zip(images, views, strict=True)]
    assert len(set(shifts)) == 25
    assert (0, 0) in shifts
    # Neighbours in the array are drawn apart.
    assert sum(a == b for a, b in pairwise(shifts)) < 50


def test_crop_is_the_same_across_the_chunks_it_works_in(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), np.uint8)
    whole = seen(["crop"], images, 0, 0)
    monkeypatch.setattr(augment, "CHUNK", 7)
    assert (seen(["crop"], images, 0, 0) == whole).all()


def test_flip_and_crop_are_drawn_apart():
    images = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 3), np.uint8)
    cropped = seen(["crop"], images, 0, 0)
    both = seen(["flip", "crop"], images, 0, 0)
    mirrored = seen(["flip"], images, 0, 0)
    right = [offset(image, view)[1] for image, view in zip(images, cropped, strict=True)]
    flipped = (mirrored != images).any(axis=(1, 2, 3))
    for direction in range(-views.SHIFT, views.SHIFT + 1):
        share = flipped[np.array(right) == direction].mean()
        assert 0.25 < share < 0.75
    for view, image in zip(both[:20], mirrored[:20], strict=True):
        offset(image, view)


@given(pictures(), seeds, epochs)
def test_cutout_covers_one_square_of_each_image_alone(images, seed, epoch):
    views = seen(["cutout"], images, seed, epoch)
    side = round(augment.HOLE * min(images.shape[1:3]))
    for image, view in zip(images, views, strict=True):
        rows, columns = np.nonzero((view != image).any(axis=-1))
        # Nothing shows where every pixel of the hole was grey already.
        if len(rows):
            assert np.ptp(rows) < side and np.ptp(columns) < side
            box = view[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert (box == augment.GREY).all()


def test_cutout_is_anywhere_and_reaches_over_the_edge():
    images = np.zeros((400, 8, 8, 1), np.uint8)
    holes = seen(["cutout"], images, 0, 0)[..., 0] == augment.GREY
    assert holes.any(axis=0).all()
    sizes = holes.sum(axis=(1, 2))
    assert sizes.max() == 16 and sizes.min() < 16
    assert len({hole.tobytes() for hole in holes}) > 40


@given(pictures(), seeds, epochs)
def test_colour_turns_whole_images_and_stays_in_range(images, seed, epoch):
    views = seen(["colour"], images, seed, epoch)
    flat = np.full_like(images, 100)
    # A uniform grey has neither contrast nor saturation: only brightness is left.
    bright = seen(["colour"], flat, seed, epoch)
    assert (bright == bright[:, :1, :1, :1]).all()
    low, high = 100 * (1 - augment.STRENGTH), 100 * (1 + augment.STRENGTH)
    assert low - 1 <= bright.min() and bright.max() <= high + 1
    assert views.dtype == np.uint8


def test_colour_is_drawn_for_each_image_alone_and_the_same_across_chunks(monkeypatch):
    images = np.repeat(np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), np.uint8), 50, 0)
    views = seen(["colour", "mixup"], images, 0, 0)
    assert len({view.tobytes() for view in seen(["colour"], images, 0, 0)}) > 45
    monkeypatch.setattr(augment, "CHUNK", 7)
    assert (seen(["colour", "mixup"], images, 0, 0) == views).all()


@given(names, some.integers(1, 40), seeds, epochs)
def test_targets_are_mixed_by_mixup_alone_and_add_up_to_one(chosen, count, seed, epoch):
    targets = one_hot(count)
    found = aimed(chosen, targets, seed, epoch)
    assert found.shape == targets.shape and found.dtype == np.float32
    assert found.sum(axis=1) == pytest.approx(np.ones(count), abs=1e-6)
    assert (found >= 0).all()
    assert (targets == one_hot(count)).all()
    if "mixup" not in chosen:
        assert (found == targets).all()


@given(some.integers(2, 60), seeds, epochs)
def test_images_and_targets_are_mixed_alike(count, seed, epoch):
    # An image of one brightness for each class: the mixture tells the shares.
    levels = np.array([0, 60, 120, 240], np.float32)
    targets = one_hot(count)
    images = np.broadcast_to((targets @ levels)[:, None, None, None], (count, 8, 8, 1))
    views = seen(["mixup"], images.astype(np.uint8), seed, epoch)
    expected = aimed(["mixup"], targets, seed, epoch) @ levels
    assert np.abs(views[:, 0, 0, 0] - expected).max() <= 0.51


def test_augmentations_of_one_run_are_drawn_apart():
    images = np.zeros((300, 16, 16, 1), np.uint8)
    images[:, 8, 8] = 255
    cropped = seen(["crop"], images, 0, 0)[..., 0].argmax(axis=(1)).max(axis=1)
    holes = (seen(["cutout"], np.zeros_like(images), 0, 0)[..., 0] > 0).argmax(axis=1)
    assert abs(np.corrcoef(cropped, holes.max(axis=1))[0, 1]) < 0.25
