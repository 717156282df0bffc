"""Networks side by side, looked into: first filters, what these find, pictures in the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from comparisons.core.errors import ComparisonError
from comparisons.predict import paths
from comparisons.predict.answers import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from models.inside import Projection

MOST = 500  # pictures in the plane
FILTERS = 32  # that are shown, of the first convolution
WIDE = 8  # small pictures in a row
HEADS = ("first filters", "what these find in the first picture", "all pictures in the plane")


def show(
    models: Mapping[str, Model],
    named: str | Path | Sequence[str | Path],
    how: Projection = "pca",
) -> Figure:
    """A row for each model by its name: first filters, what they find, pictures in the plane.

    `named` are files, folders or patterns; pictures are coloured by the folder that each lies in.
    The plane is that of the features which each network's head reads, by principal components or
    by `how="t-sne"`. Raises ComparisonError.
    """
    from matplotlib.figure import Figure

    from models import inside

    files = paths.files([named] if isinstance(named, str | Path) else named)[:MOST]
    folders = [Path(file).parent.name for file in files]
    figure = Figure(figsize=(11, 3.4 * len(models)), layout="constrained")
    rows = figure.subplots(len(models), 3, squeeze=False)
    for (name, model), (filters, found, plane) in zip(models.items(), rows, strict=True):
        images = np.stack([model.image(file) for file in files])
        whole = model.network.get_layer("whole")
        try:
            _tiles(filters, inside.filters(whole)[:FILTERS])
            _tiles(found, inside.maps(whole, images[0])[..., None])
        except inside.NothingInside as why:
            raise ComparisonError(f"{name}: {why}") from None
        _scatter(plane, inside.projected(inside.features(whole, images), how), folders)
        filters.set_ylabel(name)
    for axes, head in zip(rows[0], HEADS, strict=True):
        axes.set_title(head)
    return figure


def _tiles(axes: Axes, images: np.ndarray) -> None:
    """Small pictures [n, h, w, c], 0 to 1, in rows."""
    count, height, width, channels = images.shape
    wide = min(WIDE, count)
    tall = -(-count // wide)
    wall = np.ones((tall * (height + 1), wide * (width + 1), channels))
    for place, image in enumerate(images):
        row, column = divmod(place, wide)
        top, left = row * (height + 1), column * (width + 1)
        wall[top : top + height, left : left + width] = image
    axes.imshow(wall[:-1, :-1], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def _scatter(axes: Axes, plane: np.ndarray, groups: Sequence[str]) -> None:
    for number, group in enumerate(sorted(set(groups))):
        chosen = plane[np.array([g == group for g in groups])]
        marker = "osD^vP*X"[number % 8]  # told apart without colour, too
        axes.scatter(chosen[:, 0], chosen[:, 1], s=14, marker=marker, alpha=0.7, label=group)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend(fontsize=8)
