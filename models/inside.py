"""What is inside a network: the filters it begins with, what they find, how it orders images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import keras
import numpy as np

from models.prediction import predict

Projection = Literal["pca", "t-sne"]
MOST_MAPS = 16


class NothingInside(ValueError):
    """A network without what is asked for; the message is one line."""


def filters(network: keras.Model) -> np.ndarray:
    """The kernels of the first convolution, float32 [n, h, w, c], from 0 to 1 with 0.5 for none.

    Each is scaled by its own largest weight, so that faint ones can be seen. Raises NothingInside.
    """
    _, first = _first_convolution(network)
    kernels = np.moveaxis(np.asarray(first.kernel, np.float32), 3, 0)
    most = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True)
    scaled = np.divide(kernels, most, out=np.zeros_like(kernels), where=most > 0)
    return 0.5 + scaled / 2


def maps(network: keras.Model, image: np.ndarray) -> np.ndarray:
    """What the first filters find in an image uint8 [h, w, c]: float32 [n, h', w'], from 0 to 1.

    Of at most MOST_MAPS filters, those that find most. Raises NothingInside.
    """
    holder, layer = _first_convolution(network)
    inputs = keras.ops.convert_to_tensor(image[None])
    for part in _before(network, holder):
        inputs = part(inputs, training=False)
    below = keras.Model(holder.inputs[0], layer.output)
    (found,) = np.asarray(below(inputs, training=False), np.float32)
    found = np.maximum(np.moveaxis(found, 2, 0), 0)
    strongest = np.argsort(-found.std(axis=(1, 2)), kind="stable")[:MOST_MAPS]
    chosen = found[strongest]
    most = chosen.max(axis=(1, 2), keepdims=True)
    return np.divide(chosen, most, out=np.zeros_like(chosen), where=most > 0)


def features(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """What the head reads of images uint8 [n, h, w, c]: float32 [n, features], maps averaged."""
    found = predict(network.get_layer("backbone"), images)
    return found.mean(axis=tuple(range(1, found.ndim - 1))) if found.ndim > 2 else found


def alike(found: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose nearest other one, by features [n, d], has the same label [n]."""
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=1).fit(found).kneighbors(return_distance=False)[:, 0]
    return float((labels[nearest] == labels).mean())


def projected(found: np.ndarray, how: Projection = "pca", seed: int = 0) -> np.ndarray:
    """Features [n, d] in the plane, float32 [n, 2]: what lies close there was alike.

    By principal components, which keeps large distances; or by t-SNE (van der Maaten and Hinton
    2008), which keeps neighbours alone: distances between its heaps mean nothing.
    """
    if how == "t-sne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, max(1.0, (len(found) - 1) / 3))
        return TSNE(perplexity=perplexity, random_state=seed).fit_transform(found)
    from sklearn.decomposition import PCA

    return PCA(2, random_state=seed).fit_transform(found).astype(np.float32)


def together(
    before: np.ndarray, after: np.ndarray, how: Projection = "pca", seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of features [n, d] in one plane, which both together make: float32 [n, 2] each.

    Of each its mean is taken off, and it is divided by its own root mean square: else the plane
    would show how far one lies from the other, or the larger one alone.
    """
    plane = projected(np.concatenate([_standard(before), _standard(after)]), how, seed)
    return plane[: len(before)], plane[len(before) :]


def _standard(found: np.ndarray) -> np.ndarray:
    """Features about their mean, with a root mean square of 1 where they differ at all."""
    around = found - found.mean(axis=0)
    size = np.sqrt(np.square(around).mean())
    return around / size if size else around


def _first_convolution(network: keras.Model) -> tuple[keras.Model, Any]:
    """The first convolution that sees colours, and the model that it is a layer of."""
    for holder, layer in _layers(network):
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel.shape[2] in (1, 3):
            return holder, layer
    raise NothingInside("this network does not begin with a convolution: it has no filters to show")


def _layers(model: keras.Model) -> Iterator[tuple[keras.Model, Any]]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        else:
            yield model, layer


def _before(network: keras.Model, holder: keras.Model) -> Iterator[Any]:
    """What an image passes through before it comes to a model within a network, in its order."""
    for part in network.layers:
        if isinstance(part, keras.layers.InputLayer):
            continue
        if part is holder:
            return
        if isinstance(part, keras.Model) and any(h is holder for h, _ in _layers(part)):
            yield from _before(part, holder)
            return
        yield part
