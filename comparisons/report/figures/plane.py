"""The figure of a base that moved: the same held-out images before and after, in one plane."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from comparisons.core.card import Card, Plane
from comparisons.findings import looks, text
from comparisons.findings import plane as said_of_plane
from comparisons.findings.names import arm_name
from comparisons.report.figures.arm_styles import Style, style
from comparisons.report.figures.paper import PALE, WIDE, Paper, Sheet, sheet, styled
from comparisons.report.figures.style import End, key_height, name_lines

MOST = 300  # images that are drawn
HEADING = "The same images before and after fine-tuning"
HOW_TO_READ = (
    "A point is an image that was not trained on, its colour and sign are its class; those are "
    "alike to the network that lie close. A head can only part what lies apart in the base's "
    "features. What lies together here may still lie apart in directions that the plane has not."
)


@styled
def before_and_after(card: Card, paper: Paper = WIDE) -> Sheet:
    """Held-out images by the features of a base before and after fine-tuning, on common axes."""
    plane = card.plane
    assert plane is not None
    images = len(plane.classes)
    some = f", {MOST} of them drawn" if images > MOST else ""
    note = (
        f"{card.data.name}, {arm_name(card.arm)}: {images} held-out images{some}. Two principal "
        "components (PCA), fitted once on both: from each set of features its mean is taken, and "
        "it is divided by its own root mean square. Shares are by all features; by chance: "
        f"{text.percent(said_of_plane.by_chance(plane), 0)}."
    )
    groups = _groups(plane, card.classes)
    height = (2 * 2.6 if paper.narrow else 3.6) + key_height([*groups], paper)
    grid = (2, 1) if paper.narrow else (1, 2)
    fig, axes = sheet(
        said_of_plane.title(plane), note, paper, height, grid, sharex=True, sharey=True
    )
    for ax, when, places in zip(axes, ("before", "after"), plane.places, strict=True):
        ax.set_title(f"{when} fine-tuning", color=PALE)
        for rows, own in groups.values():
            ax.plot(*places[:MOST][rows].T, ls="", color=own.colour, marker=own.marker, ms=4.5,
                    alpha=0.8, mew=0)  # fmt: skip
        _without_ticks(ax)
    name_lines(fig, axes, [[End(0, 0, name, "", own) for name, (_, own) in groups.items()]], paper)
    return fig


def _groups(plane: Plane, names: list[str]) -> dict[str, tuple[np.ndarray, Style]]:
    """Which rows are of which class, and its look; classes beyond those with a look as one."""
    classes = plane.classes[:MOST]
    looked = looks.CLASSES[: len(names)]
    found = {
        name: (classes == label, style(look))
        for label, (name, look) in enumerate(zip(names, looked, strict=False))
    }
    if len(names) > len(looked):
        rest = style(looks.Look("#b5b5b5", "●"))
        found |= {f"{len(names) - len(looked)} other classes": (classes >= len(looked), rest)}
    return found


def _without_ticks(ax: Axes) -> None:
    """Only how points lie to each other means something."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(True)
    ax.margins(0.04)
