"""Where test pictures are too few to tell, the page below the headline tells no more than that."""

from __future__ import annotations

import factory
import numpy as np
import pytest
from test_page import headings, parsed, texts

from comparisons.findings import verdict
from comparisons.findings.headline import too_few
from comparisons.findings.view import view
from comparisons.report import page
from comparisons.report.figures import bars, catalog
from comparisons.report.figures.paper import NARROW, WIDE

CNN, FROZEN = "cnn:scratch", "mobilenet@0.25x160:frozen"
TELLING = {"accuracy-time", "reliability", "risk-coverage"}


def runs(images):
    """Two arms of three seeds, each with test images of its own; one always right, one by half."""
    found = []
    for arm, share in ((CNN, 1.0), (FROZEN, 0.5)):
        for seed in range(3):
            run = factory.record(arm, seed, 40, accuracy=share, classes=["a", "b"])
            right = np.arange(images) < share * images
            hits = int(right.sum())
            run.test.confusion = [[hits, images - hits], [0, 0]]
            run.test.right = np.packbits(right).tobytes()
            run.data.sizes.test, run.data.drawn_from = images, 5 * images
            found.append(run)
    return found


@pytest.mark.parametrize(("images", "told"), [(2, False), (40, True)])
def test_a_page_that_cannot_tell_gives_no_reasons_no_certainty_and_no_advice(images, told):
    few = runs(images)
    assert too_few(view(few)) != told == verdict.headline(few)[0].startswith("With 40")
    html = page.render(view(few), [])
    tree = parsed(html)
    for name in ("why", "advice"):
        assert (f'id="{name}"' in html) == (f'href="#{name}"' in html) == told, name
    words = texts(tree)
    for phrase in ("What certainty is", "temperature", "of learning sooner", "calibration error"):
        assert (phrase in words) == told, phrase
    assert ("calibration error" in headings(tree, "sure")) == told
    drawn = {plot.name for plot in catalog.drawable(few)}
    assert {"accuracy", "loss", "final-accuracy", "time-split"} <= drawn
    assert (drawn >= TELLING) == told and (not drawn & TELLING) != told


@pytest.mark.parametrize("paper", [WIDE, NARROW])
def test_no_accuracy_of_few_pictures_is_drawn_beyond_all(paper):
    few = [r for r in runs(2) if r.arm == FROZEN or r.seed]  # two seeds and three
    (ax,) = bars.final(few, paper).axes
    ticks = ax.xaxis.get_majorticklocs()
    assert min(ticks) >= 0 and max(ticks) <= 1
    assert all(0 <= x <= 1 for line in ax.lines for x in line.get_xdata())
