"""The table of classes: recall by class, and of many classes those that tell arms apart."""

from __future__ import annotations

import factory
import pytest

from comparisons.findings import text
from comparisons.findings.view import view
from comparisons.report import page
from comparisons.report.classes import MOST, classes
from comparisons.report.figures import catalog

ARMS = ["cnn:scratch", "mobilenet@0.25x160:frozen"]
FIGURES = ["loss", "confusion"]  # the first leads the page


def cells(found):
    return {line.of.label: [cell.words for cell in line.cells] for line in found.table.lines}


def test_each_cell_is_the_share_of_a_class_that_an_arm_names_rightly():
    records = factory.records(ARMS[:1], seeds=2)
    for record, hits in zip(records, (6, 8), strict=True):
        record.data.classes = ["cat", "dog"]
        record.test.confusion = [[hits, 10 - hits], [1, 4]]
    found = classes(view(records))
    assert [column.heading for column in found.table.columns] == ["cat", "dog"]
    assert cells(found) == {ARMS[0]: [text.percent(0.7), text.percent(0.8)]}


def test_of_many_classes_those_are_shown_that_arms_differ_on_most():
    names = [f"class {i}" for i in range(40)]
    records = factory.records(ARMS)
    for record, first in zip(records, (10, 60), strict=True):
        record.data.classes = names
        matrix = [[0] * 40 for _ in names]
        for i in range(40):
            hits = first + i if record is records[0] else 49 - i
            matrix[i][i], matrix[i][i - 1] = hits, 100 - hits
        record.test.confusion = matrix
    found = classes(view(records))
    apart = sorted(range(40), key=lambda i: -abs(10 + i - (49 - i)))[:MOST]
    assert [column.heading for column in found.table.columns] == [names[i] for i in sorted(apart)]
    assert (found.shown, found.all) == (MOST, 40)


@pytest.mark.parametrize("matrix", [[], [[1]], [[1, 2], [3]]])
def test_confusions_that_do_not_fit_give_no_table(matrix):
    (record,) = factory.records(ARMS[:1])
    record.test.confusion = matrix
    assert classes(view([record])) is None


def test_the_page_has_it_with_names_escaped():
    records = factory.records(ARMS)
    for record in records:
        record.data.classes = ["<b>cat</b>", *factory.CLASSES[1:]]
    drawn = [page.Picture(catalog.FIGURES[name], b"<svg/>", b"<svg/>") for name in FIGURES]
    html = page.render(view(records), drawn)
    assert "Accuracy on each class" in html
    assert "&lt;b&gt;cat&lt;/b&gt;" in html and "<b>cat" not in html
