"""The gallery of disputes: images on which two arms are sure of different things, and no others."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import factory
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from test_strip import ARMS, IMAGES, answered

from comparisons.core import samples
from comparisons.findings import disputes, text, why
from comparisons.findings.view import view
from comparisons.report import page
from comparisons.report.gallery import MOST_BYTES, gallery

PAGE_BYTES = 150_000  # that a page may grow by


def disputed(folder, records, images=None):
    """Keep what a session keeps for its page; the logits by ID."""
    labels, logits = answered(folder, records)
    if images is None:
        images = np.random.default_rng(1).integers(0, 256, (IMAGES, 8, 8, 3), np.uint8)
    found = disputes.disputes(folder, view(records))
    rows = found.rows[: disputes.SHOWN]
    whole = samples.tested(images, labels)
    samples.keep_chosen(folder, records[0].data.fingerprint, whole, rows)
    return logits


def html(folder, records):
    """The page but for its figures."""
    seen = view(records)
    return page.render(seen, [], page.Answers(gallery=gallery(folder, seen)))


certainties = some.integers(2, 5).flatmap(
    lambda classes: some.tuples(
        *[arrays.arrays(float, (12, classes), elements=some.floats(0, 1, width=16))] * 2
    )
)


@given(certainties)
def test_those_come_first_of_which_both_are_sure(both):
    one, other = both
    rows = disputes.surest(one, other)
    differ = one.argmax(1) != other.argmax(1)
    assert sorted(rows.tolist()) == np.flatnonzero(differ).tolist()
    less = np.minimum(one.max(1), other.max(1))[rows]
    assert (np.diff(less) <= 0).all()


def test_the_images_shown_are_those_that_both_are_surest_of(tmp_path):
    records = factory.records(ARMS)
    logits = disputed(tmp_path, records)
    found = gallery(tmp_path, view(records))
    odds = [np.exp(logits[r.id].astype(float)) for r in records]
    one, other = (o / o.sum(axis=1, keepdims=True) for o in odds)
    wanted = sorted(
        (row for row in range(IMAGES) if one[row].argmax() != other[row].argmax()),
        key=lambda row: -min(one[row].max(), other[row].max()),
    )
    assert [picture.row for picture in found.pictures] == wanted[: disputes.SHOWN]
    assert (found.different, found.images, found.seed) == (len(wanted), IMAGES, 0)
    assert found.surest
    for picture in found.pictures:
        assert len({answer.called for answer in picture.answers}) == 2


def test_where_the_kept_arm_looked_is_shown_below_what_is_disputed(tmp_path):
    records = factory.records(ARMS)
    disputed(tmp_path, records)
    found = disputes.disputes(tmp_path, view(records))
    rows = found.rows[: disputes.SHOWN]
    assert gallery(tmp_path, view(records)).looker == ""
    lit = np.random.default_rng(3).integers(0, 256, (len(rows), 8, 8, 3), np.uint8)
    samples.keep_looked(tmp_path, found.records[1], samples.Samples(rows, rows, lit))
    shown = gallery(tmp_path, view(records))
    assert [p.looked for p in shown.pictures] == [*map(samples.data_uri, lit)]
    assert shown.looker == found.pair[1].name
    assert f"Below each: where {shown.looker} looked" in html(tmp_path, records)
    # Of other images than these it says nothing.
    samples.keep_looked(tmp_path, found.records[1], samples.Samples(rows[1:], rows[1:], lit[1:]))
    assert gallery(tmp_path, view(records)).looker == ""


def test_the_answers_are_of_one_seed_that_both_have(tmp_path):
    records = factory.records(ARMS, seeds=2)
    disputed(tmp_path, records)
    (tmp_path / "predictions" / f"{records[0].id}.npy").unlink()
    assert records[0].seed == 0
    found = gallery(tmp_path, view(records))
    assert found.seed == 1
    assert not found.surest or len(found.pictures) == disputes.SHOWN
    for picture in found.pictures:
        assert len({answer.called for answer in picture.answers}) == 2


@pytest.mark.parametrize("gone", ["predictions", "images", "agree"])
def test_without_answers_images_or_disputes_there_is_none(tmp_path, gone):
    records = factory.records(ARMS)
    logits = disputed(tmp_path, records)
    assert gallery(tmp_path, view(records))
    if gone == "agree":
        np.save(tmp_path / "predictions" / f"{records[0].id}.npy", logits[records[1].id])
    else:
        for path in (tmp_path / gone).iterdir():
            path.unlink()
    assert gallery(tmp_path, view(records)) is None
    assert gallery(tmp_path, view(records[:1])) is None
    assert 'id="disputed"' not in html(tmp_path, records)


def test_the_page_shows_them_escaped_with_texts_for_who_cannot_see_them(tmp_path):
    records = factory.records(ARMS)
    disputed(tmp_path, records)
    for record in records:
        record.data.classes = [f"<script>alert({i})</script>" for i in range(10)]
    tree = ET.fromstring(html(tmp_path, records))
    alts = [e.get("alt") for e in tree.iter() if e.tag.endswith("}img")]
    pictures = [alt for alt in alts if alt.startswith("disputed image")]
    assert len(pictures) == disputes.SHOWN
    assert all("<script>alert(" in alt for alt in pictures)
    assert not [e for e in tree.iter() if e.tag.endswith("}script")]


def test_a_page_of_many_arms_and_large_photographs_grows_by_little(tmp_path):
    records = factory.ways(seeds=1)
    noise = np.random.default_rng(2).integers(
        0, 256, (IMAGES, samples.SIDE, samples.SIDE, 3), np.uint8
    )
    answered(tmp_path, records)
    before = len(html(tmp_path, records).encode())
    disputed(tmp_path, records, noise)
    found = gallery(tmp_path, view(records))
    assert 1 < len(found.pictures) < disputes.SHOWN and found.left_out
    assert sum(len(picture.image) for picture in found.pictures) <= MOST_BYTES
    assert 0 < len(html(tmp_path, records).encode()) - before <= PAGE_BYTES


def test_how_often_one_alone_is_right_is_counted_image_by_image():
    first, second = factory.records(ARMS)
    for record, right in ((first, [1, 1, 1, 0]), (second, [1, 1, 0, 0])):
        hits = sum(right)
        record.test.confusion = [[hits, 4 - hits], [0, 0]]
        record.test.accuracy = hits / 4
        record.test.right = np.packbits(right).tobytes()
    seen = view([first, second])
    assert disputes.shares_right(seen) == pytest.approx((0.5, 0.25, 0.0, 0.25))
    (line,) = [r.says for r in why.reasons(seen) if r.about == "Who is right"]
    assert line.replace(text.SPACE, " ") == (
        "Both name 50.0 % of the test images rightly, CNN · from scratch alone 25.0 %, "
        "MobileNet ¼, 160 px · frozen alone 0.0 %, neither of them 25.0 %."
    )
    second.test.right = b""
    assert disputes.shares_right(seen) is None
