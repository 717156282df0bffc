"""What is inside a kept network, as pages show it: filters, what these find, the plane."""

from __future__ import annotations

from contextlib import suppress

import keras
import numpy as np

from comparisons.core.card import Plane
from comparisons.core.events import Inside
from comparisons.core.samples import data_uri
from models import inside

FILTERS = 32  # that are shown, of the first convolution
FEWEST, MOST = 3, 500  # images that make a plane


def filters(network: keras.Model) -> list[str]:
    """The first filters as data URIs; none where it does not begin with a convolution."""
    with suppress(inside.NothingInside):
        return _uris(inside.filters(network.get_layer("whole"))[:FILTERS])
    return []


def found(network: keras.Model, image: np.ndarray) -> list[str]:
    """What the first filters find in an image uint8 [h, w, c], as data URIs; none without any."""
    with suppress(inside.NothingInside):
        return _uris(inside.maps(network.get_layer("whole"), image)[..., None])
    return []


def all_of(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> Inside:
    """What there is to tell, by images uint8 [n, h, w, c] of classes [n]; no plane below FEWEST."""
    told = Inside(filters(network), found(network, images[0]))
    if len(images) >= FEWEST:
        features = inside.features(network.get_layer("whole"), images)
        told.plane = [(float(x), float(y)) for x, y in inside.projected(features)]
        told.alike = inside.alike(features, labels)
    return told


def moved(
    before: keras.Model, after: keras.Model, images: np.ndarray, labels: np.ndarray
) -> Plane | None:
    """Where images uint8 [n, h, w, c] of classes [n] lie by two networks; None below FEWEST."""
    if len(images) < FEWEST:
        return None
    then, now = (inside.features(network, images) for network in (before, after))
    places = inside.together(then, now)
    return Plane(
        labels=labels.astype("<u2").tobytes(),
        before=places[0].astype("<f2").tobytes(),
        after=places[1].astype("<f2").tobytes(),
        alike_before=inside.alike(then, labels),
        alike_after=inside.alike(now, labels),
    )


def _uris(images: np.ndarray) -> list[str]:
    """Images [n, h, w, c] from 0 to 1 as data URIs."""
    return [data_uri(image) for image in np.round(images * 255).astype(np.uint8)]
