"""Slides, figures for notebooks, and figures of records that nobody measured."""

from __future__ import annotations

import io
from itertools import combinations

import factory
import numpy as np
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from comparisons import report
from comparisons.core.errors import ComparisonError
from comparisons.findings import text
from comparisons.report.figures import arm_styles, catalog, paper, style
from comparisons.report.figures.paper import HALF, NARROW, SLIDE, WIDE

PAIR = factory.records(["cnn:scratch", "mobilenet@0.25x160:frozen"])
STUDIES = {"pair": PAIR, "classroom": factory.classroom(), "ways": factory.ways()}
PAPERS = {"wide": WIDE, "half": HALF, "narrow": NARROW, "slide": SLIDE}


def title(figure) -> Text:
    """The figure's finding: its only bold text at the top."""
    return figure.subfigs[0].texts[0]


@pytest.mark.parametrize("study", STUDIES)
def test_a_slide_is_16_to_9_with_a_title_of_one_line_that_fits(study):
    for plot in catalog.drawable(STUDIES[study]):
        figure = plot.draw(STUDIES[study], SLIDE)
        width, height = figure.get_size_inches()
        assert (width * SLIDE.dpi, height * SLIDE.dpi) == (1920, 1080)
        said = title(figure)
        assert "\n" not in said.get_text()
        assert said.get_window_extent().x1 <= figure.bbox.width, plot.name


@pytest.mark.parametrize("study", STUDIES)
def test_letters_on_a_slide_are_large(study):
    for plot in catalog.drawable(STUDIES[study]):
        figure = plot.draw(STUDIES[study], SLIDE)
        texts = figure.findobj(lambda a: hasattr(a, "get_fontsize") and a.get_text().strip())
        # At least a fortieth of the height, as the letters of a newspaper seen from a metre are.
        assert min(t.get_fontsize() for t in texts) / 72 >= SLIDE.height / 40, plot.name


@pytest.mark.ci
@pytest.mark.parametrize("on", PAPERS)
@pytest.mark.parametrize("study", STUDIES)
def test_nothing_sticks_out_of_a_sheet_and_no_box_reaches_another(study, on):
    for plot in catalog.drawable(STUDIES[study]):
        figure = plot.draw(STUDIES[study], PAPERS[on])
        renderer, body = figure.canvas.get_renderer(), figure.subfigs[-1]
        drawn = body.get_tightbbox(renderer)
        assert drawn.x0 >= -2 and drawn.y0 >= -2, plot.name
        assert drawn.x1 <= figure.bbox.x1 + 2, plot.name
        # Names at the ends of lines may stand in the margin under the heading.
        assert drawn.y1 <= body.bbox.y1 + 0.1 * figure.dpi, plot.name
        around = [ax.get_tightbbox(renderer) for ax in body.axes if ax.axison]
        for one, other in combinations(around, 2):
            shared = Bbox.intersection(one, other)
            assert shared is None or min(shared.width, shared.height) < 2, plot.name


def test_few_colours_are_the_right_ones():
    figure = catalog.FIGURES["loss"].draw(PAIR)
    with Image.open(io.BytesIO(paper.png(figure))) as picture:
        assert picture.mode == "P"
        found = {colour: count for count, colour in picture.convert("RGB").getcolors()}
    assert len(found) > 100 and max(found, key=found.get) == (255, 255, 255)
    for look in arm_styles.styles(record.arm for record in PAIR).values():
        wanted = np.array([int(look.colour[i : i + 2], 16) for i in (1, 3, 5)])
        nearest = min(found, key=lambda colour: abs(wanted - colour).max())
        assert abs(wanted - nearest).max() <= 2 and found[nearest] > 200


def test_a_long_title_ends_after_a_clause_or_without_the_sizes_of_images():
    whole = f"MobileNet, 160{text.SPACE}px · frozen is first; the other one comes last"
    assert paper._one_line(whole, 100) == whole
    assert paper._one_line(whole, 60) == "MobileNet · frozen is first; the other one comes last"
    assert paper._one_line(whole, 30) == "MobileNet · frozen is first"
    assert len(paper._one_line("word " * 50, 40)) <= 40


@pytest.mark.ci
def test_slides_are_written_where_asked_for_and_go_with_their_records(tmp_path, monkeypatch):
    two = {name: catalog.FIGURES[name] for name in ("loss", "confusion")}
    monkeypatch.setattr(catalog, "FIGURES", two)
    report.build(tmp_path, PAIR)
    slides = tmp_path / "figures" / "slides"
    assert not slides.exists()
    report.build(tmp_path, PAIR, slides=True)
    assert {path.name for path in slides.iterdir()} == {"loss.png", "confusion.png"}
    with Image.open(slides / "loss.png") as picture:
        assert picture.size == (1920, 1080)
    report.build(tmp_path, PAIR)
    assert not list(slides.iterdir())  # of an earlier report, they would no longer be true


def test_a_notebook_shows_the_figure_that_draw_returns():
    figure = report.draw(PAIR, "loss")
    data, about = figure._repr_mimebundle_(include=None, exclude=None)
    assert data["image/png"].startswith(b"\x89PNG")
    assert about["image/png"]["alt"] == catalog.FIGURES["loss"].finding(PAIR)


def test_a_figure_that_cannot_be_is_one_line():
    with pytest.raises(ComparisonError, match="unknown figure 'lost': did you mean loss"):
        report.draw(PAIR, "lost")
    with pytest.raises(ComparisonError, match="nothing to show in figure 'moved'"):
        report.draw(PAIR, "moved")


# --- records that no run made ------------------------------------------------------------

LONG = "x" * 10_000


def hostile(field: str, value: float) -> list:
    """Two arms, one of which has the value in every number of a kind."""
    records = factory.records(["cnn:scratch", "mobilenet@0.25x160:frozen"])
    odd = records[0]
    for epoch in odd.history:
        if field == "seconds":
            epoch.seconds = value
        elif field == "accuracy":
            epoch.train_accuracy = epoch.val_accuracy = value
        else:
            epoch.train_loss = epoch.val_loss = value
    if field == "seconds":
        for name in odd.seconds.__struct_fields__:
            setattr(odd.seconds, name, value)
    elif field == "accuracy":
        odd.test.accuracy = odd.test.macro_f1 = value
    return records


@pytest.mark.parametrize("on", PAPERS)
@pytest.mark.parametrize(
    ("field", "value"),
    [("seconds", 1e300), ("seconds", 0.0), ("seconds", -5.0), ("accuracy", 5.0),
     ("accuracy", -1.0), ("accuracy", 1e300), ("loss", 1e300)],
)  # fmt: skip
def test_numbers_that_cannot_be_are_drawn_without_complaint(field, value, on):
    records = hostile(field, value)
    for plot in catalog.drawable(records):
        assert paper.svg(plot.draw(records, PAPERS[on]))


def long_names() -> list:
    """Records whose every name has 10,000 letters."""
    records = [*factory.ways(seeds=1), factory.record(f"{LONG}:scratch", train_size=5000)]
    for record in records:
        record.data.name, record.data.classes = LONG, [LONG] * 10
        record.engine = record.error = LONG
        record.notices = [LONG]
        record.environment.device = LONG
        for moved in record.moved:
            moved.block = LONG
        if record.forgetting:
            record.forgetting.source = LONG
    return records


def test_names_of_any_length_are_drawn_and_nothing_grows_with_them():
    records = long_names()
    for plot in catalog.drawable(records):
        for on in (WIDE, NARROW):
            figure = plot.draw(records, on)
            words = figure.findobj(lambda a: hasattr(a, "get_text"))
            assert max(len(t.get_text()) for t in words) <= paper.MOST_LETTERS + 20, plot.name


@pytest.mark.ci
def test_a_page_and_a_table_of_such_names_are_made(tmp_path):
    records = [r for r in long_names() if r.strategy in ("scratch", "full")]
    assert report.build(tmp_path, records).stat().st_size < 20_000_000


@pytest.mark.parametrize("matrix", [[[1, 1], [0, 0, 3]], [[1, 2]], [[], []], [[0, 0], [0, 0]]])
def test_a_confusion_matrix_that_is_none_is_no_mistake(matrix):
    record = factory.record()
    record.test.confusion = matrix
    for plot in catalog.drawable([record]):
        plot.draw([record])


@pytest.mark.parametrize("name", ["a", "a b", "x" * 60, f"{'x' * 40} · {'y' * 40}", "a:b" * 20])
def test_a_name_beside_a_line_has_few_short_lines(name):
    lines = style.in_lines(name, 20).split("\n")
    assert len(lines) <= 2 and max(map(len, lines)) <= 21
