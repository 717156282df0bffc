"""Adapters: nothing changes before training, and merging changes nothing after it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from models import lora
from models.backbones import BACKBONES
from models.catalog import MODELS, weights_file


@pytest.fixture(scope="module")
def base() -> keras.Model:
    tiny = MODELS["tiny"]
    return BACKBONES["tiny"](tiny, (32, 32, 3), weights_file(tiny)).base


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (8, 32, 32, 3)).astype(np.float32)


def outputs(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(images, verbose=0))


def moved(adapted: list[lora.Adapted]) -> None:
    """Give every adapter something to say."""
    generator = np.random.default_rng(1)
    for one in adapted:
        b = one.layer.lora_kernel_b
        b.assign(generator.normal(0, 0.2, b.shape))


def test_a_pointwise_convolution_and_its_dense_layer_agree_to_the_last_bit(base, images):
    copy, adapted = lora.with_adapters(base, rank=4, bits=32)
    assert len(adapted) == 7
    assert (outputs(copy, images) == outputs(base, images)).all()


@pytest.mark.parametrize(("bits", "most"), [(8, 0.05), (4, 0.6)])
def test_before_training_only_the_quantization_shows(base, images, bits, most):
    copy, adapted = lora.with_adapters(base, rank=4, bits=bits)
    before = outputs(copy, images)
    for one in adapted:
        assert not np.array(one.layer.lora_kernel_b).any()
        one.layer.lora_kernel_a.assign(np.zeros(one.layer.lora_kernel_a.shape))
    # Without adapters, the same quantized base to the last bit.
    assert (outputs(copy, images) == before).all()
    plain = outputs(base, images)
    error = np.abs(before - plain).max() / np.abs(plain).max()
    assert 0 < error < most


def test_what_an_adapter_adds_is_the_product_of_its_two_matrices(base):
    _, adapted = lora.with_adapters(base, rank=2, bits=32)
    one = adapted[0]
    assert not lora.change(one).any()
    moved(adapted)
    scale = one.layer.lora_alpha / 2
    a, b = np.array(one.layer.lora_kernel_a), np.array(one.layer.lora_kernel_b)
    np.testing.assert_allclose(lora.change(one), scale * a @ b, rtol=1e-6)
    assert np.linalg.matrix_rank(lora.change(one)) == 2


def test_quantized_weights_of_mobilenet_take_a_quarter_of_the_bytes():
    base = keras.applications.MobileNet(
        input_shape=(96, 96, 3), alpha=0.25, include_top=False, weights=None
    )
    by_bits = {}
    for bits in (32, 8, 4):
        _, adapted = lora.with_adapters(base, rank=8, bits=bits)
        held, full = lora.held_bytes(adapted)
        assert full == 4 * 196_224
        by_bits[bits] = held / full
    assert by_bits[32] == 1
    assert by_bits[8] <= 0.27
    assert by_bits[4] < 0.16


def test_a_rank_larger_than_a_layer_is_refused(base):
    with pytest.raises(
        ValueError, match=r"rank 33 is larger than block1_pointwise \(32x64\): 1 to 32"
    ):
        lora.with_adapters(base, rank=33, bits=32)


@pytest.fixture(scope="module")
def vgg16() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.applications.VGG16(input_shape=(32, 32, 3), include_top=False, weights=None)


def test_ordinary_convolutions_carry_adapters_where_a_base_has_no_others(vgg16, images):
    copy, adapted = lora.with_adapters(vgg16, rank=4, bits=32)
    assert len(adapted) == 13
    before = outputs(vgg16, images)
    assert (outputs(copy, images) == before).all()
    moved(adapted)
    after = outputs(copy, images)
    assert np.abs(after - before).max() > 0.01 * np.abs(before).max()
    # Merged: the same base with what the adapters add put into its kernels.
    merged = keras.models.clone_model(vgg16)
    merged.set_weights(vgg16.get_weights())
    for one in adapted:
        layer = merged.get_layer(one.layer.name)
        layer.kernel.assign(one.original + lora.change(one))
    np.testing.assert_allclose(outputs(merged, images), after, rtol=1e-3, atol=1e-4)


def test_what_cannot_be_adapted_or_quantized_names_bases_that_can(vgg16):
    bare = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.MaxPooling2D()])
    for model, bits in ((bare, 32), (vgg16, 8)):
        with pytest.raises(ValueError, match="mobilenet, resnet50, efficientnetb0 and tiny have"):
            lora.with_adapters(model, rank=1, bits=bits)
    for name in ("mobilenet", "resnet50", "efficientnetb0", "tiny"):
        assert name in MODELS


def test_a_rank_larger_than_a_convolution_is_refused(vgg16):
    with pytest.raises(ValueError, match=r"rank 28 is larger than block1_conv1 \(27x64\)"):
        lora.with_adapters(vgg16, rank=28, bits=32)
