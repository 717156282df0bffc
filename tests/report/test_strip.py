"""The strip of test images: right answers, and none rather than wrong ones."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import factory
import numpy as np
import pytest

from comparisons import report
from comparisons.core import samples
from comparisons.findings.view import view
from comparisons.report.strip import MOST_ARMS, strip

ARMS = ["cnn:scratch", "mobilenet@0.25x160:frozen"]
IMAGES = 40


def answered(folder, records, seed=0):
    """Keep samples and made-up logits as a session does; the test labels and logits by ID."""
    generator = np.random.default_rng(seed)
    classes = len(records[0].data.classes)
    labels = np.arange(IMAGES) % classes
    images = generator.integers(0, 256, (IMAGES, 8, 8, 3), np.uint8)
    samples.keep(folder, records[0].data.fingerprint, samples.tested(images, labels))
    (folder / "predictions").mkdir(exist_ok=True)
    logits = {}
    for record in records:
        record.data.sizes.test = IMAGES
        logits[record.id] = generator.normal(0, 2, (IMAGES, classes)).astype(np.float16)
        np.save(folder / "predictions" / f"{record.id}.npy", logits[record.id])
    return labels, logits


def test_an_answer_is_the_largest_logit_and_its_softmax(tmp_path):
    records = factory.records(ARMS)
    labels, logits = answered(tmp_path, records)
    found = strip(tmp_path, view(records))
    assert len(found.pictures) == samples.COUNT and found.seeds == (0,)
    for picture in found.pictures:
        assert picture.truth == factory.CLASSES[labels[picture.row]]
        assert {answer.label for answer in picture.answers} == set(ARMS)
        for answer in picture.answers:
            record = next(r for r in records if r.arm == answer.label)
            row = logits[record.id][picture.row].astype(float)
            shares = np.exp(row) / np.exp(row).sum()
            assert answer.called == factory.CLASSES[row.argmax()]
            assert answer.certainty == pytest.approx(shares.max())
            assert answer.right == (row.argmax() == labels[picture.row])


def test_the_page_shows_it_escaped_and_loads_nothing(tmp_path):
    records = factory.records(ARMS)
    answered(tmp_path, records)
    for record in records:
        record.data.classes = ["<script>alert(1)</script>"] * 10
    tree = ET.parse(report.build(tmp_path, records))
    pictures = [e for e in tree.iter() if e.tag.endswith("}img") and "test image" in e.get("alt")]
    assert len(pictures) == samples.COUNT
    assert all(e.get("src").startswith("data:image/png;base64,") for e in pictures)
    assert not [e for e in tree.iter() if e.tag.endswith("}script")]


def test_without_kept_images_or_answers_there_is_none(tmp_path):
    records = factory.records(ARMS)
    assert strip(tmp_path, view(records)) is None
    answered(tmp_path, records)
    for path in (tmp_path / "predictions").iterdir():
        path.unlink()
    assert strip(tmp_path, view(records)) is None
    assert strip(tmp_path, view([])) is None


@pytest.mark.parametrize("bad", ["short", "classes", "nan", "torn", "pickle", "integers"])
def test_an_arm_whose_answers_cannot_be_used_is_left_out(tmp_path, bad):
    records = factory.records(ARMS)
    _, logits = answered(tmp_path, records)
    path = tmp_path / "predictions" / f"{records[0].id}.npy"
    good = logits[records[0].id]
    if bad == "torn":
        path.write_bytes(path.read_bytes()[:90])
    elif bad == "pickle":
        np.save(path, np.array([{}] * IMAGES, object), allow_pickle=True)
    else:
        changed = {"short": good[:5], "classes": good[:, :4], "nan": good * np.float16(np.nan)}
        np.save(path, changed.get(bad, good.astype(int)))
    found = strip(tmp_path, view(records))
    assert {a.label for p in found.pictures for a in p.answers} == {records[1].arm}


def test_a_record_cannot_make_the_report_read_elsewhere(tmp_path):
    (record,) = factory.records(ARMS[:1])
    answered(tmp_path, [record])
    secret = tmp_path / "secret.npy"
    (tmp_path / "predictions" / f"{record.id}.npy").rename(secret)
    record.id = "../secret"
    assert strip(tmp_path, view([record])) is None


def test_of_many_arms_the_headlines_two_come_first_and_the_rest_is_counted(tmp_path):
    records = factory.ways(seeds=1)
    answered(tmp_path, records)
    found = strip(tmp_path, view(records))
    shown = [answer.label.partition(":")[2] for answer in found.pictures[0].answers]
    assert len(shown) == MOST_ARMS and found.left_out == len(records) - MOST_ARMS
    assert "scratch" in shown[:2]
