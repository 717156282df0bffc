"""Looking inside networks: filters as they are, what they find, and images in the plane."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from models import adapt, catalog, inside


def by_hand() -> keras.Model:
    """A network whose two filters find what is red, and edges from dark to bright downwards."""
    images = keras.Input((16, 16, 3), dtype="uint8")
    scaled = keras.Sequential([keras.Input((16, 16, 3)), layers.Rescaling(1 / 255)])
    inputs = keras.Input((16, 16, 3))
    convolution = layers.Conv2D(2, 2, padding="same", use_bias=False)
    base = keras.Model(inputs, layers.GlobalAveragePooling2D()(convolution(inputs)))
    kernel = np.zeros((2, 2, 3, 2), np.float32)
    kernel[:, :, 0, 0] = 0.25
    kernel[0, :, :, 1], kernel[1, :, :, 1] = -2.0, 2.0
    convolution.set_weights([kernel])
    backbone = keras.Model(images, base(scaled(images)), name="backbone")
    return keras.Model(images, layers.Dense(2, name="head")(backbone(images)), name="whole")


def test_filters_are_the_kernels_each_by_its_own_largest_weight():
    shown = inside.filters(by_hand())
    assert shown.shape == (2, 2, 2, 3)
    assert (shown[0, ..., 0] == 1).all() and (shown[0, ..., 1:] == 0.5).all()
    assert (shown[1, 0] == 0).all() and (shown[1, 1] == 1).all()


def test_maps_are_bright_where_a_filter_finds_what_it_looks_for():
    image = np.zeros((16, 16, 3), np.uint8)
    image[4:12, 4:12, 0] = 255
    for found in inside.maps(by_hand(), image):
        bright = np.argwhere(found == 1)
        # One filter is bright within the red square, the other along its upper edge alone.
        assert len(bright) and (bright >= 3).all() and (bright <= 11).all()
    edges = min(inside.maps(by_hand(), image), key=np.count_nonzero)
    assert set(np.argwhere(edges == 1)[:, 0]) == {3}


@pytest.mark.parametrize("name", ["tiny", "cnn", "tutorial-cnn", "mobilenet"])
def test_networks_of_the_catalogue_can_be_looked_into(name):
    keras.utils.set_random_seed(0)
    model = catalog.with_options(catalog.MODELS[name], "0.25x64" if name == "mobilenet" else "")
    network = adapt.build(model, (32, 32, 3), 10).whole
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    shown, found = inside.filters(network), inside.maps(network, images[0])
    assert shown.ndim == 4 and shown.shape[3] == 3 and shown.min() >= 0 and shown.max() <= 1
    assert found.ndim == 3 and len(found) <= inside.MOST_MAPS and found.max() == 1
    assert inside.features(network, images).shape[0] == 5


def test_a_network_without_convolutions_has_no_filters():
    network = adapt.build(catalog.MODELS["mlp"], (28, 28, 1), 10).whole
    with pytest.raises(inside.NothingInside, match="no filters"):
        inside.filters(network)


@pytest.mark.parametrize("how", ["pca", "t-sne"])
def test_heaps_that_lie_apart_lie_apart_in_the_plane(how):
    generator = np.random.default_rng(0)
    middles = np.repeat([[10.0] * 20, [-10.0] * 20], 25, axis=0)
    plane = inside.projected(middles + generator.normal(size=(50, 20)), how)
    assert plane.shape == (50, 2)
    first, second = plane[:25], plane[25:]
    between = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert between > 2 * max(first.std(axis=0).max(), second.std(axis=0).max())


def test_images_are_alike_where_the_nearest_other_one_is_of_the_same_class():
    found = np.array([[0.0], [1.0], [10.0], [11.0], [12.5]])
    assert inside.alike(found, np.array([0, 0, 1, 1, 1])) == 1
    assert inside.alike(found, np.array([0, 1, 1, 1, 0])) == 0.4


def test_two_sets_share_a_plane_whatever_their_sizes_and_means():
    generator = np.random.default_rng(0)
    before = generator.normal(size=(40, 6))
    for after in (before, 100 * before + 7):
        then, now = inside.together(before, after)
        np.testing.assert_allclose(then, now, atol=1e-4)
    # What draws apart in one of them alone is seen in the plane of both.
    heaps = before + np.repeat([[9.0] * 6, [-9.0] * 6], 20, axis=0)
    apart = [abs(p[:20].mean(axis=0) - p[20:].mean(axis=0)).max() for p in
             inside.together(before, heaps)]  # fmt: skip
    assert apart[1] > 3 * apart[0]
    then, now = inside.together(before, np.zeros((40, 6)))
    assert np.ptp(then) > 1 and np.abs(now).max() < 1e-6  # one that tells nothing apart


def test_few_images_can_be_projected_too():
    assert inside.projected(np.eye(3), "t-sne").shape == (3, 2)
    assert inside.projected(np.eye(3)).shape == (3, 2)
