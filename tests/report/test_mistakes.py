"""What arms get wrong: the surest mistakes of each, and what is taken for what, as pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import factory
import numpy as np
import pytest
from test_strip import ARMS, IMAGES, answered

from comparisons.core import samples
from comparisons.findings import mistakes, suspects
from comparisons.findings.view import view
from comparisons.report import page
from comparisons.report.gallery import MOST_BYTES, wrong

PAGE_BYTES = 2.5 * MOST_BYTES  # that a page may grow by


def looked_at(folder, records, images=None):
    """Keep what a session keeps, with records that tell of the logits; labels and logits by ID."""
    labels, logits = answered(folder, records)
    for record in records:
        called = logits[record.id].argmax(axis=1)
        table = np.zeros((10, 10), int)
        np.add.at(table, (labels, called), 1)
        record.test.confusion = table.tolist()
        record.test.accuracy = float((called == labels).mean())
        record.test.right = np.packbits(called == labels).tobytes()
    if images is None:
        images = np.random.default_rng(1).integers(0, 256, (IMAGES, 8, 8, 3), np.uint8)
    whole = samples.tested(images, labels, [f"<{i}>/photo {i}.png" for i in range(IMAGES)])
    rows = mistakes.worth_showing(folder, view(records), labels)
    samples.keep_chosen(folder, records[0].data.fingerprint, whole, rows)
    return labels, logits


def certainty(logits):
    odds = np.exp(logits.astype(float))
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("by", [-(10**6), 10**9])
def test_images_of_rows_that_no_test_set_has_are_not_shown(tmp_path, by):
    records = factory.records(ARMS)
    looked_at(tmp_path, records)
    assert wrong(tmp_path, view(records))
    (path,) = tmp_path.glob("images/*-chosen.npz")
    with np.load(path) as packed:
        kept = dict(packed)
    np.savez(path, **(kept | {"rows": kept["rows"] + by}))
    assert wrong(tmp_path, view(records)) is None


def test_each_arm_is_shown_the_mistakes_that_it_is_surest_of(tmp_path):
    records = factory.records(ARMS)
    labels, logits = looked_at(tmp_path, records)
    found = wrong(tmp_path, view(records))
    assert len(found.surest) == len(ARMS)
    for shelf in found.surest:
        (record,) = (r for r in records if shelf.says.startswith(factory_name(r)))
        shares = certainty(logits[record.id])
        missed = np.flatnonzero(shares.argmax(1) != labels)
        wanted = sorted(missed.tolist(), key=lambda row: -shares[row].max())[: mistakes.EACH]
        assert [picture.row for picture in shelf.pictures] == wanted
        assert f"{len(missed)} of {IMAGES} test images wrongly" in shelf.says
        for picture in shelf.pictures:
            assert picture.file == f"<{picture.row}>/photo {picture.row}.png"
            (own,) = (a for a in picture.answers if a.label == record.arm)
            assert not own.right and own.called != picture.truth


def factory_name(record):
    (group,) = view([record]).groups
    return group.name


def test_the_most_frequent_confusions_are_shown_by_examples_of_them(tmp_path):
    records = factory.records(ARMS)
    labels, logits = looked_at(tmp_path, records)
    found = wrong(tmp_path, view(records))
    both = sum(np.array(r.test.confusion) for r in records)
    np.fill_diagonal(both, 0)
    assert len(found.confused) == mistakes.MOST_PAIRS
    counts = []
    for shelf in found.confused:
        truth, called = (factory.CLASSES.index(name) for name in told(shelf.says))
        counts.append(both[truth, called])
        assert {p.truth for p in shelf.pictures} == {factory.CLASSES[truth]}
        for picture in shelf.pictures:
            assert factory.CLASSES[called] in {a.called for a in picture.answers}
        each = [certainty(logits[r.id]) for r in records]
        all_such = [
            row
            for row in np.flatnonzero(labels == truth)
            if called in {e[row].argmax() for e in each}
        ]
        first = max(all_such, key=lambda row: sum(e[row, called] for e in each))
        assert shelf.pictures[0].row == first
    assert counts == sorted(both.ravel(), reverse=True)[: mistakes.MOST_PAIRS]


def told(says):
    """The two classes that a confusion is of."""
    truth, _, rest = says.partition(" taken for ")
    return truth, rest.partition(":")[0]


def test_a_single_arm_has_its_mistakes_too(tmp_path):
    records = factory.records(ARMS[:1])
    looked_at(tmp_path, records)
    found = wrong(tmp_path, view(records))
    assert len(found.surest) == 1 and found.confused
    assert {len(p.answers) for shelf in found.surest + found.confused for p in shelf.pictures} == {
        1
    }


@pytest.mark.parametrize("gone", ["predictions", "images", "right"])
def test_nothing_is_called_the_surest_that_may_not_be(tmp_path, gone):
    records = factory.records(ARMS)
    looked_at(tmp_path, records)
    if gone == "right":  # as in records from before it was noted which images were named rightly
        for record in records:
            record.test.right = b""
        assert not wrong(tmp_path, view(records)).surest
        return
    for path in (tmp_path / gone).iterdir():
        path.unlink()
    assert wrong(tmp_path, view(records)) is None
    if gone == "images":  # of other images than those that the run was surest of
        labels = np.arange(IMAGES) % 10
        whole = samples.tested(np.zeros((IMAGES, 8, 8, 3), np.uint8), labels)
        samples.keep_chosen(tmp_path, records[0].data.fingerprint, whole, np.arange(3))
        found = wrong(tmp_path, view(records))
        assert found is None or not found.surest


def test_of_a_kept_network_it_is_shown_where_it_looked_in_what_it_is_surest_of(tmp_path):
    records = factory.records(ARMS)
    labels, _ = looked_at(tmp_path, records)
    found = mistakes.mistakes(mistakes.answered(tmp_path, view(records)))[-1]
    rows = found.rows[: mistakes.EACH]
    lit = np.random.default_rng(3).integers(0, 256, (len(rows), 8, 8, 3), np.uint8)
    samples.keep_looked(tmp_path, "another", samples.Samples(rows, labels[rows], lit))
    samples.keep_looked(tmp_path, found.of.record.id, samples.Samples(rows, labels[rows], lit))
    *others, last = wrong(tmp_path, view(records)).surest
    assert [picture.looked for picture in last.pictures] == [*map(samples.data_uri, lit)]
    assert "where it looked" in last.says
    assert not any(p.looked for shelf in others for p in shelf.pictures)
    assert html(tmp_path, records).count("where the arm looked in mistaken image") == len(rows)
    # Of other mistakes than these it says nothing.
    samples.keep_looked(tmp_path, found.of.record.id, samples.Samples(rows[1:], rows[1:], lit[1:]))
    assert "where it looked" not in html(tmp_path, records)


def test_probable_label_errors_are_found_among_images_that_no_arm_has_seen(tmp_path):
    pytest.importorskip("cleanlab")
    generator = np.random.default_rng(0)
    truth = np.arange(300) % 4  # of five classes one has no image
    labels = truth.copy()
    wrong_ones = generator.choice(300, 9, replace=False)
    labels[wrong_ones] = (labels[wrong_ones] + 1) % 4
    certainties = certainty(generator.normal(0, 1, (300, 5)) + 8 * np.eye(5)[truth])
    (group,) = view(factory.records(ARMS[:1])).groups
    of = mistakes.Answered(group, group.records[0], certainties)
    found = suspects.suspects([of], labels)
    assert set(found.tolist()) <= set(wrong_ones.tolist()) and len(found) >= 8
    held = certainties[found, labels[found]]
    assert (np.diff(held) >= -1e-9).all(), "the worst first"
    assert not len(suspects.suspects([of], labels * 0))
    assert not len(suspects.suspects([], labels))


def test_a_network_that_knows_little_doubts_no_label():
    pytest.importorskip("cleanlab")
    generator = np.random.default_rng(0)
    labels = np.arange(300) % 4
    certainties = certainty(generator.normal(0, 1, (300, 4)) + np.eye(4)[labels])
    (group,) = view(factory.records(ARMS[:1])).groups
    of = mistakes.Answered(group, group.records[0], certainties)
    assert not len(suspects.suspects([of], labels))


def test_images_with_a_doubtful_label_are_shown_and_counted(tmp_path):
    records = factory.records(ARMS)
    labels, _ = looked_at(tmp_path, records)
    images = np.zeros((IMAGES, 8, 8, 3), np.uint8)
    whole = samples.tested(images, labels, suspects=[7, 3, 21])
    samples.keep_chosen(tmp_path, records[0].data.fingerprint, whole, np.array([3, 7]))
    (found,) = wrong(tmp_path, view(records)).doubted
    assert [picture.row for picture in found.pictures] == [7, 3]
    assert found.says.startswith(f"3 of {IMAGES} test images")
    assert "Probable label errors" in html(tmp_path, records)


def test_the_page_shows_them_escaped_and_grows_by_little(tmp_path):
    records = factory.ways(seeds=1)
    noise = np.random.default_rng(2).integers(
        0, 256, (IMAGES, samples.SIDE, samples.SIDE, 3), np.uint8
    )
    looked_at(tmp_path, records, noise)
    text = html(tmp_path, records)
    assert "<0>" not in text and "What they get wrong" in text
    tree = ET.fromstring(text)
    alts = [e.get("alt") for e in tree.iter() if e.tag.endswith("}img")]
    assert sum(alt.startswith("mistaken image") for alt in alts) > mistakes.MOST_ARMS
    for chosen in (tmp_path / "images").glob("*-chosen.npz"):
        chosen.unlink()
    assert 0 < len(text) - len(html(tmp_path, records)) < PAGE_BYTES


def html(folder, records):
    """The page but for its figures."""
    seen = view(records)
    return page.render(seen, [], page.Answers(wrong=wrong(folder, seen)))
