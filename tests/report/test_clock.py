"""Where time is an axis: only where it is what differs, linear, and preparation readable."""

from __future__ import annotations

import factory
import pytest
from matplotlib.figure import Figure
from msgspec.structs import replace

from comparisons.findings import text
from comparisons.report import page
from comparisons.report.figures import catalog, curves, paper

FROZEN, CNN, TUTORIAL = "mobilenet@0.25x160:frozen", "cnn:scratch", "tutorial-cnn:scratch"


def turned(knob: str, sizes: dict[str, int]) -> list:
    """Records of a knob: for each variant the images in a step."""
    made = []
    for variant, size in sizes.items():
        one = factory.record(TUTORIAL, train_size=2000)
        one.settings = replace(one.settings, knob=knob, variant=variant)
        one.phases = [replace(one.phases[0], batch_size=size)]
        one.id = variant
        made.append(one)
    return made


def drawn(records) -> list[str]:
    return [plot.name for plot in catalog.drawable(records)]


def test_a_knob_that_leaves_epochs_as_long_is_raced_in_epochs():
    names = drawn(turned("optimizer", {"SGD": 32, "Adam": 32}))
    assert names[0] == "accuracy"
    assert not {"accuracy-time", "time-split"} & set(names)


def test_a_knob_that_changes_how_long_an_epoch_takes_is_raced_in_seconds():
    names = drawn(turned("batch-size", {"1": 1, "256": 256}))
    assert names[0] == "accuracy-time"
    assert "time-split" in names


def test_arms_are_raced_in_seconds():
    assert drawn(factory.records([CNN, FROZEN]))[0] == "accuracy-time"


def test_the_first_figure_of_a_knob_stands_where_the_answer_is_explained(tmp_path):
    from comparisons import report

    html = report.build(tmp_path, turned("optimizer", {"SGD": 32, "Adam": 32})).read_text()
    places = [html.index(f'id="{name}"') for name in ("why", "accuracy", "sure", "loss")]
    assert places == sorted(places)
    assert page.KNOBS["optimizer"].question in html


def bars(figure: Figure) -> list:
    """The bars at the foot, each from the axis to its arm's first step."""
    (ax,) = figure.axes
    blunt = [line for line in ax.lines if line.get_solid_capstyle() == "butt"]
    return [line for line in blunt if list(line.get_xdata())[:1] == [ax.get_xlim()[0]]]


@pytest.mark.parametrize("pace", [1.0, 1000.0], ids=["linear", "log"])
@pytest.mark.parametrize("on", [paper.WIDE, paper.NARROW, paper.SLIDE])
def test_preparation_has_a_bar_that_can_be_seen_and_its_seconds(pace, on):
    records = factory.records([FROZEN, CNN])
    for epoch in records[1].history:
        epoch.seconds = pace
    records[1].seconds = factory.bill(records[1].history)
    figure = curves.time(records, on)
    (ax,) = figure.axes
    assert ax.get_xscale() == ("log" if pace > 1 else "linear")
    found = bars(figure)
    assert len(found) == 2
    scale = ax.transData
    for line in found:
        (x0, _), (x1, _) = (scale.transform(xy) for xy in line.get_xydata())
        assert (x1 - x0) / ax.bbox.width > 0.02
    said = {t.get_text().replace(text.SPACE, " ") for t in ax.texts}
    assert {"prepared after 46 s", "prepared after 3.5 s"} <= said
    heights = sorted(scale.transform(line.get_xydata()[0])[1] for line in found)
    assert (heights[1] - heights[0]) / figure.dpi * 72 > 9  # the letters are this high


def test_no_tick_says_less_than_nothing():
    records = factory.ways()
    (ax,) = curves.time(records).axes
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert not [label for label in labels if label.startswith(("-", "−"))]
