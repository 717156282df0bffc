"""The same held-out images before and after fine-tuning, in one plane: kept, drawn, on the page."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import networks
import numpy as np
import pytest
from msgspec.structs import replace

from comparisons import predict, report
from comparisons.core import card as cards
from comparisons.core.card import Card
from comparisons.core.errors import ComparisonError
from comparisons.core.records import Record
from comparisons.data import prepare
from comparisons.findings import plane as said_of_plane
from comparisons.report.figures import plane as plane_figures
from comparisons.report.figures.paper import NARROW
from comparisons.running import keeping
from comparisons.training import device
from comparisons.training import run as training
from models import adapt, catalog, inside

CLASSES = ["upright", "lying", "both"]


def model_of(arm: str, data: Path, folder: Path) -> Record:
    """The record of a run whose network lies under a folder afterwards."""
    run = networks.one_run(arm, data)
    run.keep = str(folder / "model")
    record, _ = training.run(run, prepare(str(data), None), device.start("cpu", 0, False))
    wish = keeping.Keeping(folder / "model", [run], False, ())
    assert keeping.keep(wish, [record], {run.id}, lambda run: record, print).why_not is None
    return record


@pytest.fixture(scope="module")
def full(tiny_npz, tmp_path_factory) -> tuple[Path, Record]:
    folder = tmp_path_factory.mktemp("full")
    return folder, model_of("tiny:full", tiny_npz, folder)


@pytest.fixture(scope="module")
def card(full) -> Card:
    return cards.read(full[0] / "model" / cards.CARD)


def test_held_out_images_lie_where_both_bases_have_them(full, card, tiny_npz):
    folder, record = full
    dataset = prepare(str(tiny_npz), None)
    rows = dataset.subset(0, record.train_size).validation
    images, labels = dataset.x_train[rows], dataset.y_train[rows]
    assert card.plane.classes.tolist() == labels.tolist()
    tiny = catalog.MODELS["tiny"]
    base = adapt.build(tiny, images.shape[1:], 3, catalog.weights_file(tiny)).whole
    kept = predict.load(folder).network.get_layer("whole")
    then, now = (inside.features(network, images) for network in (base, kept))
    assert card.plane.alike_before == inside.alike(then, labels)
    assert card.plane.alike_after == inside.alike(now, labels)
    for found, wanted in zip(card.plane.places, inside.together(then, now), strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.02)


def test_the_figure_has_both_on_common_axes_with_the_same_looks(full, card):
    figure = report.draw_plane(full[0])
    for drawn in (figure, plane_figures.before_and_after(card, NARROW)):
        before, after = drawn.axes
        assert before.get_xlim() == after.get_xlim() and before.get_ylim() == after.get_ylim()
        for ax, places in zip(drawn.axes, card.plane.places, strict=True):
            for label, line in enumerate(ax.lines):
                wanted = places[card.plane.classes == label]
                np.testing.assert_array_equal(line.get_xydata(), wanted)
        looks = [[(line.get_color(), line.get_marker()) for line in ax.lines] for ax in drawn.axes]
        assert looks[0] == looks[1] and len(set(looks[0])) == 3
        (key,) = drawn.subfigs[-1].legends
        assert [text.get_text().strip() for text in key.get_texts()] == CLASSES


def test_the_page_of_the_kept_model_has_it(full, card):
    folder, record = full
    page = report.build(folder, [record]).read_text()
    assert plane_figures.HEADING in page and said_of_plane.title(card.plane) in page


def test_of_more_classes_than_have_a_look_the_others_are_one(card):
    labels = (np.arange(len(card.plane.classes)) % 12).astype("<u2")
    many = replace(card, classes=[f"kind {i}" for i in range(12)],
                   plane=replace(card.plane, labels=labels.tobytes()))  # fmt: skip
    figure = plane_figures.before_and_after(many)
    lines = figure.axes[0].lines
    assert len(lines) == 11 and sum(len(line.get_xydata()) for line in lines) == len(labels)
    names = [text.get_text().strip() for text in figure.subfigs[-1].legends[0].get_texts()]
    assert names == [*(f"kind {i}" for i in range(10)), "2 other classes"]


def test_of_many_images_some_are_drawn_and_that_is_said(card):
    many = replace(card.plane, labels=bytes(800), before=bytes(1600), after=bytes(1600))
    figure = plane_figures.before_and_after(replace(card, plane=many))
    for ax in figure.axes:
        assert sum(len(line.get_xydata()) for line in ax.lines) == 300
    assert "400 held-out images, 300 of them drawn" in figure.subfigs[0].texts[1].get_text()


def test_a_change_within_luck_is_not_called_one(card):
    said = [
        said_of_plane.title(replace(card.plane, alike_before=0.5, alike_after=share))
        for share in (0.51, 1.0, 0.0)
    ]
    for title, start in zip(
        said, ("clearly drew neither", "drew apart:", "drew together:"), strict=True
    ):
        assert title.startswith(f"Classes {start}"), title


def test_by_chance_is_the_share_of_pairs_of_one_class(card):
    labels = np.array([0, 0, 0, 1], "<u2")
    few = cards.Plane(
        labels=labels.tobytes(), before=bytes(16), after=bytes(16), alike_before=0, alike_after=0
    )
    assert said_of_plane.by_chance(few) == pytest.approx(0.5)  # 3 of 6 pairs


def test_without_a_base_that_moved_there_is_none(tiny_npz, tmp_path):
    record = model_of("tiny:probe", tiny_npz, tmp_path)
    assert cards.read(tmp_path / "model" / cards.CARD).plane is None
    with pytest.raises(ComparisonError, match="the base of tiny:probe did not move"):
        report.draw_plane(tmp_path)
    assert plane_figures.HEADING not in report.build(tmp_path, [record]).read_text()
    with pytest.raises(ComparisonError, match="cannot be read"):
        report.draw_plane(tmp_path / "none")


@pytest.mark.parametrize("what", ["labels", "before", "after"])
def test_a_plane_without_a_place_for_each_label_is_of_no_card(card, tmp_path, what):
    path = tmp_path / cards.CARD
    cut = getattr(card.plane, what)[:-2]
    cards.write(card, path)
    written = path.read_bytes()
    whole = b64encode(getattr(card.plane, what))
    path.write_bytes(written.replace(whole, b64encode(cut)))
    with pytest.raises(ComparisonError, match="is no card of a model: the plane has not"):
        cards.read(path)
