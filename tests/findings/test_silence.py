"""What is gained by not answering: worked examples, and the figure that shows them."""

from __future__ import annotations

import factory
import pytest

from comparisons.findings import certainty, text
from comparisons.findings.view import view
from comparisons.report.figures import catalog
from comparisons.report.figures.arm_styles import styles

NET, BASE = "cnn:scratch", "mobilenet@0.25x160:frozen"


def noted(arm, seed, answered, wrong, error):
    record = factory.record(arm, seed, accuracy=1 - error)
    found = record.test.calibration
    found.answered, found.answered_wrong = answered, wrong
    found.risks = [error * (i + 1) / 20 for i in range(20)]
    return record


RECORDS = [
    noted(NET, 0, 0.4, 0.05, 0.4),
    noted(NET, 1, 0.6, 0.07, 0.2),
    noted(BASE, 0, 0.9, 0.04, 0.1),
    noted(BASE, 1, 0.8, 0.04, 0.1),
]


def test_an_arm_s_risks_are_means_over_seeds():
    best, other = certainty.selective(view(RECORDS))
    assert (best.group.arm, other.group.arm) == (BASE, NET)
    assert other.risks[-1] == pytest.approx(0.3) and other.risks[9] == pytest.approx(0.15)
    assert (other.answered, other.wrong) == (pytest.approx(0.5), pytest.approx(0.06))
    assert other.coverages[9] == 0.5 and other.coverages[-1] == 1


def test_the_title_says_how_much_each_answers_and_how_well():
    said = certainty.selective_title(RECORDS).replace(text.SPACE, " ")
    assert said == (
        "MobileNet ¼, 160 px · frozen is sure of 85 % of the images, 4.0 % of these wrongly; "
        "CNN · from scratch is sure of 50 % of the images, 6.0 % of these wrongly"
    )
    silent = noted(NET, 0, 0.0, None, 0.6)
    assert "is never sure" in certainty.selective_title([silent])


def test_the_figure_has_a_line_for_each_arm_and_marks_its_threshold():
    plot = catalog.FIGURES["risk-coverage"]
    assert plot in catalog.drawable(RECORDS)
    (ax,) = [ax for ax in plot.draw(RECORDS).axes if ax.lines]
    for arm, end, mark in ((NET, 0.3, (0.5, 0.06)), (BASE, 0.1, (0.85, 0.04))):
        lines = [line for line in ax.lines if line.get_color() == styles([NET, BASE])[arm].colour]
        (curve,) = (line for line in lines if len(line.get_xdata()) == 20)
        (point,) = (line for line in lines if len(line.get_xdata()) == 1)
        assert curve.get_ydata()[-1] == pytest.approx(end)
        assert (point.get_xdata()[0], point.get_ydata()[0]) == pytest.approx(mark)
    for record in RECORDS[:1]:
        older = factory.record(NET)
        older.test.calibration.risks = []  # from before it was noted
        assert plot not in catalog.drawable([older]) and record.test.calibration.risks
