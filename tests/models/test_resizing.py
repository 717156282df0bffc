"""Resizing as matrix products: the same pictures as Keras's, wherever it takes less work."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from models import engines, resizing

ov = pytest.importorskip("openvino")
SIDES = st.integers(2, 40)


def converted(model: keras.Model) -> object:
    """A network as OpenVINO's, for one image at a time."""
    read = engines.read_by_openvino(model)
    read.reshape([1, *model.input_shape[1:]])
    return read


def resizer(height: int, width: int, channels: int, wanted: tuple[int, int], how: str = "bilinear"):
    inputs = keras.Input((height, width, channels), dtype="uint8")
    return keras.Model(inputs, layers.Resizing(*wanted, interpolation=how)(inputs))


def kinds(model: object) -> list[str]:
    return [node.get_type_name() for node in model.get_ops()]  # type: ignore[attr-defined]


@settings(max_examples=15)
@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from([1, 3]))
def test_products_make_the_pictures_that_keras_makes(
    height, width, out_height, out_width, channels
):
    keras.backend.clear_session()
    model = resizer(height, width, channels, (out_height, out_width))
    read = converted(model)
    there = kinds(read).count("Interpolate")
    replaced = resizing.as_products(read)
    assert kinds(read).count("Interpolate") == there - replaced
    image = np.random.default_rng(0).integers(0, 256, (1, height, width, channels), np.uint8)
    got = ov.Core().compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(image)[0]
    np.testing.assert_allclose(got, model.predict(image, verbose=0), atol=1e-3)


@pytest.mark.parametrize(
    ("side", "channels", "wanted", "how", "replaced"),
    [
        (32, 3, 160, "bilinear", 1),
        (64, 3, 224, "bilinear", 1),
        (224, 3, 160, "bilinear", 0),  # from a large image it is more work
        (32, 64, 64, "bilinear", 0),  # and of many channels
        (32, 3, 64, "nearest", 0),
    ],
)
def test_only_resizing_that_becomes_less_work_is_replaced(side, channels, wanted, how, replaced):
    read = converted(resizer(side, side, channels, (wanted, wanted), how))
    assert kinds(read).count("Interpolate") == 1
    assert resizing.as_products(read) == replaced
    assert kinds(read).count("Interpolate") == 1 - replaced
