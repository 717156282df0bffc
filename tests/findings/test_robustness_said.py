"""What corruptions cost: worked examples, and sentences that follow the records."""

from __future__ import annotations

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as some
from matplotlib.axes import Axes

from comparisons import report
from comparisons.findings import robustness, text
from comparisons.findings.view import view
from comparisons.report import page
from comparisons.report.figures import catalog

NET, BASE = "cnn:scratch", "mobilenet@0.25x160:frozen"
NAMES = {NET: "CNN · from scratch", BASE: "MobileNet ¼, 160 px · frozen"}


def met(arm, lost, seed=0, clean=0.8):
    record = factory.record(arm, seed, accuracy=clean)
    record.test.robustness = factory.robustness(clean, lost)
    return record


def said(records):
    return robustness.title(records).replace(text.SPACE, " ")


def test_the_cost_is_the_mean_over_corruptions_and_severities():
    record = met(NET, {"noise": 0.3, "blur": 0.1})
    assert robustness.cost(record) == pytest.approx(0.2)
    assert robustness.cost(record, "noise") == pytest.approx(0.3)
    assert robustness.corrupted(record) == pytest.approx(0.6)
    (group,) = view([record]).groups
    severities, accuracies = zip(*robustness.course(group, "blur"), strict=True)
    assert severities == (0, 1, 3, 5)
    assert accuracies == pytest.approx((0.8, 0.8, 0.7, 0.6))
    assert [severity for severity, _ in robustness.course(group)] == [0, 1, 3, 5]
    plain = factory.record(NET)
    assert (robustness.cost(plain), robustness.corrupted(plain)) == (None, None)


def test_who_loses_more_comes_first_and_what_takes_most_is_named():
    records = [met(NET, {"noise": 0.1, "blur": 0.3}), met(BASE, {"noise": 0.2, "blur": 0.1})]
    assert said(records) == (
        f"Corruption costs {NAMES[NET]} 20.0 points and {NAMES[BASE]} 15.0; blur takes most from "
        "the first, noise from the second"
    )
    records = [met(NET, {"noise": 0.1, "blur": 0.0}), met(BASE, {"noise": 0.1, "blur": 0.3})]
    assert said(records) == (
        f"Corruption costs {NAMES[BASE]} 20.0 points and {NAMES[NET]} 5.0; blur takes most from "
        "the first, noise from the second"
    )
    records[1].test.robustness = factory.robustness(0.8, {"noise": 0.2, "blur": 0.1})
    records[0].test.robustness = factory.robustness(0.8, {"noise": 0.1, "blur": 0.0})
    assert said(records) == (
        f"Corruption costs {NAMES[BASE]} 15.0 points and {NAMES[NET]} 5.0; noise takes most from "
        "both"
    )
    assert said(records[:1]) == f"Corruption costs {NAMES[NET]} 5.0 points; noise takes most"
    assert said(factory.records([NET, BASE])) == "No arm met corrupted images"


@given(some.lists(some.floats(-0.2, 0.2), min_size=3, max_size=5))
def test_three_seeds_that_do_not_tell_two_arms_apart_are_said_not_to(gaps):
    records = [met(NET, {"noise": 0.2}, seed) for seed in range(len(gaps))]
    records += [met(BASE, {"noise": 0.2 + gap}, seed) for seed, gap in enumerate(gaps)]
    found = robustness.intervals.paired(records[: len(gaps)], records[len(gaps) :], robustness.cost)
    assert ("do not tell apart" in said(records)) == bool(found.summary.includes_zero)


def test_the_page_has_the_figure_and_the_column_where_images_were_corrupted():
    for records, there in (
        ([met(NET, {"noise": 0.1}), met(BASE, {"noise": 0.2})], True),
        (factory.records([NET, BASE]), False),
    ):
        html = page.render(view(records), [])
        assert ("What corrupted images tell" in html) == there
        assert ('data-of="corrupted"' in html) == there
        assert ("robustness" in [plot.name for plot in catalog.drawable(records)]) == there


@pytest.mark.parametrize("arms", [[NET], [NET, BASE], list(factory.ARMS)])
def test_any_number_of_arms_can_be_drawn(arms):
    records = [met(arm, {"noise": 0.1, "blur": 0.2, "JPEG": 0.0}) for arm in arms]
    sheet = report.draw([*records, factory.record("unmet:scratch")], "robustness")
    drawn = [ax for ax in sheet.findobj(Axes) if ax.get_lines()]
    assert len(drawn) == 4 and {len(ax.get_lines()) for ax in drawn} == {len(arms)}
