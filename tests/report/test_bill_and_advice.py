"""The page's bill with prices, and its advice: made of its records, and of what a reader names."""

from __future__ import annotations

import factory
import pytest
from msgspec.structs import replace
from test_page import headings, parsed, section

from comparisons import cifar
from comparisons.core import records
from comparisons.core.errors import ComparisonError
from comparisons.core.prices import UNPRICED, Prices
from comparisons.findings.choices import choices
from comparisons.findings.view import view
from comparisons.report import __main__ as door
from comparisons.report import page
from comparisons.report.table import summarise

SCRATCH, FROZEN = "cnn:scratch", "mobilenet@0.25x160:frozen"
BOTH = factory.records([SCRATCH, FROZEN], seeds=3, sizes=(500, 45_000))


def render(runs, prices=UNPRICED):
    return page.render(view(runs), [], prices=prices)


# --- the bill ------------------------------------------------------------------------------


def test_money_and_energy_are_learning_times_what_was_named():
    run = factory.record(SCRATCH)
    run.seconds.learning_cold = 7200.0
    bill = section(parsed(render([run], Prices(1.5, 50.0))), "bill")
    spent = run.seconds.in_all / 3600
    assert "2.0 h 3.00 100.00 Wh" in bill
    assert f"with measuring, came to {1.5 * spent:.3f}" in bill or f"{1.5 * spent:.2f}" in bill
    assert "50 watts" in bill and "not measured" in bill


def test_each_price_stands_alone_and_without_one_there_is_neither():
    plain, money, energy = (
        headings(parsed(render(BOTH, p)), "bill")
        for p in (UNPRICED, Prices(1.0), Prices(watts=9.0))
    )
    assert [h for h in money if h not in plain] == ["price"]
    assert [h for h in energy if h not in plain] == ["energy"]
    words = section(parsed(render(BOTH)), "bill")
    assert "watts" not in words and "Price" not in words


def test_what_a_task_stores_is_what_it_trained_or_the_whole_network():
    rows = {r.label: r.stored_bytes for r in summarise(BOTH)}
    assert rows == {SCRATCH: 4 * 304_714, FROZEN: 4 * 68_362}
    assert "to store" in headings(parsed(render(BOTH)), "bill")


def test_a_page_made_again_without_prices_has_none_and_nothing_else_knows_them(tmp_path, capsys):
    failed = factory.record(SCRATCH, status="failed", error="no", test=None)  # no figure to draw
    records.save(failed, tmp_path)

    def written():
        return {p: p.read_bytes() for p in tmp_path.rglob("*") if p.suffix in (".json", ".csv")}

    assert door.main([str(tmp_path)]) == 0
    plain, before = (tmp_path / "report.html").read_bytes(), written()
    assert door.main([str(tmp_path), "--price-per-hour", "0.5", "--watts", "65"]) == 0
    assert "65 watts" in (tmp_path / "report.html").read_text()
    assert written() == before
    assert door.main([str(tmp_path)]) == 0
    assert (tmp_path / "report.html").read_bytes() == plain
    assert door.main([str(tmp_path), "--watts", "-3"]) == 2
    assert "--watts -3" in capsys.readouterr().err


def test_python_refuses_what_is_no_price_before_anything_runs():
    with pytest.raises(ComparisonError, match="--watts 0"):
        cifar.compare(watts=0.0)


# --- advice --------------------------------------------------------------------------------


def test_the_page_advises_by_its_own_records_at_each_size_and_some_minutes():
    found = choices(view(BOTH))
    assert [(c.size, c.minutes, c.label) for c in found.rows] == [
        (500, (1, 5, 30), FROZEN), (45_000, (1,), FROZEN), (45_000, (5, 30), FROZEN),
    ]  # fmt: skip
    ids = {r.id for r in BOTH}
    assert all(set(c.advice.evidence[0].records) <= ids for c in found.rows)
    words = section(parsed(render(BOTH)), "advice")
    assert "3 runs with 500 images" in words and "No arm is expected to learn within 60 s" in words
    assert "Seconds as cpu took them" in words


def test_other_records_give_other_advice():
    better = [r for r in BOTH if r.arm == FROZEN]
    better += [
        factory.record(SCRATCH, s, n, accuracy=0.97) for s in range(3) for n in (500, 45_000)
    ]
    rows = choices(view(better)).rows
    assert {c.label for c in rows if 5 in c.minutes} == {SCRATCH}
    (least,) = (c for c in rows if c.size == 45_000 and 1 in c.minutes)
    assert least.label == FROZEN  # the quickest, for none fits
    assert not least.advice.reaches


def test_one_arm_or_a_knob_is_advised_on_nowhere():
    for runs in ([r for r in BOTH if r.arm == SCRATCH], []):
        assert choices(view(runs)) is None
    assert 'id="advice"' not in render([r for r in BOTH if r.arm == SCRATCH])


def test_of_many_sizes_a_few_are_told_and_devices_are_never_mixed():
    sizes = tuple(range(1_000, 10_000, 1_000))
    runs = factory.records([SCRATCH, FROZEN], sizes=sizes)
    assert {c.size for c in choices(view(runs)).rows} == {1_000, 4_000, 6_000, 9_000}
    for run in runs[: len(runs) // 3]:
        run.environment.device_kind, run.environment.device = "gpu", "a fast one"
    found = choices(view(runs))
    assert found.devices == ["cpu"] and min(c.size for c in found.rows) > 1_000


def test_an_arm_has_its_own_label_where_settings_differ():
    runs = factory.records([SCRATCH, FROZEN], seeds=2)
    other = factory.record(FROZEN, 9, id="another")
    other.phases = [replace(other.phases[0], epochs=99)]
    (*_, last) = choices(view([*runs, other])).rows
    assert last.label == f"{FROZEN} (epochs 15)"  # of two settings the one with more seeds
