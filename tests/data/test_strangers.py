"""Pictures of no class: drawn, the same every time, in the shape that a network takes."""

from __future__ import annotations

import numpy as np
import pytest

from comparisons.data.strangers import IMAGES, strangers


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (64, 48, 3)])
def test_they_come_in_any_shape_and_are_the_same_every_time(shape):
    found = strangers(shape)
    assert found.shape == (IMAGES, *shape) and found.dtype == np.uint8
    assert found.std() > 20 and not (found[0] == found[1]).all()
    np.testing.assert_array_equal(found, strangers(shape))
