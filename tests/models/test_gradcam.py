"""Where a network looked: on drawn images whose evidence is known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import networks
import numpy as np
import pytest
from keras import layers

from models import adapt, catalog
from models.gradcam import NoMaps, looked

SIDE = 32


def by_hand(pooling: layers.Layer) -> keras.Model:
    """A network whose class 0 is whatever is bright, and whose class 1 is whatever is dark."""
    inputs = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(2, 4, strides=4, activation="relu", name="maps")(x)
    base = keras.Model(inputs, pooling(x), name="base")
    kernel = np.full((4, 4, 3, 2), 1 / 48, np.float32) * np.array([1, -1], np.float32)
    base.get_layer("maps").set_weights([kernel, np.array([-0.5, 0.5], np.float32)])
    inputs = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    backbone = keras.Model(inputs, base(inputs), name="backbone")
    width = backbone.output_shape[1]
    logits = layers.Dense(2, name="logits")
    # Dropout that were to drop anything here would leave little.
    head = keras.Sequential([keras.Input((width,)), layers.Dropout(0.9), logits], name="head")
    each = np.tile(np.eye(2, dtype=np.float32), (width // 2, 1))
    logits.set_weights([each, np.zeros(2, np.float32)])
    inputs = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    return keras.Model(inputs, head(backbone(inputs)), name="whole")


def squares(places: list[tuple[int, int]], ground: int, ink: int) -> np.ndarray:
    """Images of a square of eight pixels a side, at each of the places."""
    images = np.full((len(places), SIDE, SIDE, 3), ground, np.uint8)
    for image, (top, left) in zip(images, places, strict=True):
        image[top : top + 8, left : left + 8] = ink
    return images


PLACES = [(0, 0), (4, 20), (24, 8)]


@pytest.mark.parametrize("pooling", ["average", "largest", "none"])
@pytest.mark.parametrize("called", [0, 1])
def test_the_maximum_lies_in_the_square_that_is_the_evidence(pooling, called):
    pool = {
        "average": layers.GlobalAveragePooling2D,
        "largest": layers.GlobalMaxPooling2D,
        "none": layers.Flatten,
    }[pooling]
    images = squares(PLACES, 20, 250) if called == 0 else squares(PLACES, 235, 5)
    found = looked(by_hand(pool()), images, np.full(len(PLACES), called))
    assert found.shape == images.shape[:3] and found.dtype == np.float32
    assert found.min() == 0
    for heat, (top, left) in zip(found, PLACES, strict=True):
        y, x = np.unravel_index(heat.argmax(), heat.shape)
        assert top <= y < top + 8 and left <= x < left + 8
        assert heat.max() > 0.9 and heat[top : top + 8, left : left + 8].mean() > 0.5
        assert heat.mean() < 0.2


def test_where_nothing_speaks_for_a_class_nothing_was_looked_at():
    images = squares(PLACES, 20, 250)
    dark = looked(
        by_hand(layers.GlobalAveragePooling2D()), np.full_like(images, 250), np.ones(3, int)
    )
    assert (dark == 0).all()


@pytest.mark.parametrize("name", ["tiny", "cnn", "tutorial-cnn", "mobilenet@0.25x64"])
def test_every_kind_of_network_tells_where_it_looked(name):
    from comparisons.plan import arms

    model = arms.parse(f"{name}:scratch").model
    network = adapt.build(model, networks.SHAPE, 3)
    images = np.random.default_rng(0).integers(0, 256, (2, *networks.SHAPE), np.uint8)
    before = networks.through(network.whole, images)
    found = looked(network.whole, images, np.array([0, 2]))
    assert found.shape == images.shape[:3] and np.isfinite(found).all()
    assert found.min() >= 0 and found.max() <= 1
    np.testing.assert_array_equal(networks.through(network.whole, images), before)


def test_a_network_without_maps_says_so():
    network = adapt.build(catalog.MODELS["mlp"], networks.SHAPE, 3)
    with pytest.raises(NoMaps, match="has no maps"):
        looked(network.whole, np.zeros((1, *networks.SHAPE), np.uint8), np.array([0]))


def test_jax_sees_the_same():
    pytest.importorskip("jax")
    images = squares(PLACES, 20, 250)
    here = looked(by_hand(layers.Flatten()), images, np.zeros(3, int))
    program = (
        "import sys; sys.path += sys.argv[1:]\n"
        "import numpy as np, test_gradcam as t\n"
        "found = t.looked(t.by_hand(t.layers.Flatten()), t.squares(t.PLACES, 20, 250), "
        "np.zeros(3, int))\n"
        "assert t.keras.backend.backend() == 'jax'\n"
        "print(*np.float64(found).ravel())"
    )
    folders = [str(Path(file).parent) for file in (__file__, networks.__file__)]
    done = subprocess.run(
        [sys.executable, "-c", program, *folders],
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    there = np.array(done.stdout.split()[-here.size :], float).reshape(here.shape)
    np.testing.assert_allclose(there, here, atol=1e-5)
