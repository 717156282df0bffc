"""What was seen in pictures, on the page: whatever files are called, however many there are."""

from __future__ import annotations

from pathlib import Path

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons.core import audit
from comparisons.core.audit import Audit, Found, Left, Picture, Sides
from comparisons.findings import pictures
from comparisons.findings.view import view
from comparisons.report import page
from comparisons.report.looked import MOST_LEFT, looked, of

RECORDS = factory.records(["cnn:scratch"])
HOSTILE = '"><script>alert(1)</script>\u202e&amp;\x00 .jpg'


def seen(**changes) -> Audit:
    usual = {
        "data": "photos",
        "fingerprint": RECORDS[0].data.fingerprint,
        "image_size": 160,
        "classes": {"ants": {"train": 30}, "bees": {"train": 10}},
        "sides": Sides((10, 20), (300, 200), (4000, 3000)),
        "drawn": True,
    }
    return Audit(**(usual | changes))


def test_whatever_files_are_called_nothing_of_it_is_markup(tmp_path: Path) -> None:
    picture = Picture(HOSTILE, HOSTILE, "train", HOSTILE, HOSTILE.encode())
    said = seen(
        data=HOSTILE,
        classes={HOSTILE: {HOSTILE: 3}, "b": {"train": 1}},
        left_out=[Left(HOSTILE, HOSTILE)],
        found=[Found(kind, [picture, picture]) for kind in pictures.KINDS],
        notes=[HOSTILE],
    )
    audit.write(tmp_path, said)
    shown = page.render(view(RECORDS), [], looked=looked(tmp_path, view(RECORDS)))
    assert "<script" not in shown and "&lt;script&gt;" in shown and "\x00" not in shown
    assert all(f"× {heading.name}" in shown for heading in pictures.KINDS.values())


def test_only_so_many_files_are_shown_and_all_are_counted() -> None:
    copies = [Found("copies", [Picture(f"{n}", "a", "train", "", b"x")] * 3) for n in range(40)]
    said = of(seen(found=copies, left_out=[Left(f"{n}.txt", "text") for n in range(80)]))
    (kind,) = said.kinds
    assert kind.count == 40 and len(kind.shown) == 2 * audit.MOST_SHOWN
    assert len(said.left_out) == MOST_LEFT and said.more_left_out == 30
    lines = " ".join(said.lines)
    assert "copies: 40 (0 = 0, 1 = 1, 2 = 2, …)" in lines and "left out: 80 files" in lines
    assert "uneven: the largest has 3 times" in lines and "each seed draws one" in lines


def test_the_audit_of_other_pictures_is_not_shown(tmp_path: Path) -> None:
    audit.write(tmp_path, seen(fingerprint="another"))
    assert looked(tmp_path, view(RECORDS)) is None
    audit.write(tmp_path, seen())
    assert looked(tmp_path, view(RECORDS)) is not None


@pytest.mark.parametrize("classes", [{}, {"ants": {}}, {"ants": {"train": 0}}])
def test_an_audit_of_no_pictures_is_none(
    tmp_path: Path, classes: dict[str, dict[str, int]]
) -> None:
    audit.write(tmp_path, seen(classes=classes))
    assert looked(tmp_path, view(RECORDS)) is None


@given(some.sampled_from([2, 9, 40]), some.booleans(), some.integers(0, 9))
def test_ten_lines_are_enough(classes: int, drawn: bool, each: int) -> None:
    found = [Found(kind, [Picture("f", "l", "train")]) for kind in pictures.KINDS] * each
    said = seen(
        drawn=drawn,
        classes={f"class {n}": {"train": 1 + n} for n in range(classes)},
        found=found,
        left_out=[Left("f", "w")] * each,
        notes=["note"] * each,
    )
    assert len(pictures.lines(said)) <= 10
