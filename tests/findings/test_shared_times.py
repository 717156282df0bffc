"""Times of runs that shared a machine are marked, and never compared with those of others."""

from __future__ import annotations

import io

import factory
import pytest
from rich.console import Console

from comparisons.core.bill import Costs, Neighbours
from comparisons.core.records import Record
from comparisons.findings import experience, race, titles, why
from comparisons.findings.headline import headline
from comparisons.findings.view import view
from comparisons.report import table
from comparisons.report.banner import contended
from comparisons.report.figures import catalog

ARMS = ["cnn:scratch", "mobilenet@0.25x160:frozen"]


def beside(*runs: int) -> list[Record]:
    """Two seeds of two arms; each arm ran beside so many others."""
    made = factory.records(ARMS, seeds=2)
    for record in made:
        record.neighbours = Neighbours(runs=runs[ARMS.index(record.arm)])
    return made


@pytest.mark.parametrize("runs", [(0, 0), (1, 1), (1, 3)])
def test_runs_that_all_shared_or_none_are_raced(runs):
    found = beside(*runs)
    assert race.race(view(found), 45_000)
    assert "of learning" in headline(found)[0]
    assert "accuracy-time" in {plot.name for plot in catalog.drawable(found)}


def test_seconds_of_runs_that_shared_are_not_compared_with_others():
    found = beside(0, 2)
    assert race.race(view(found), 45_000) is None
    said = headline(found)
    assert "times are not compared: some of these runs shared a machine" in said[0]
    assert not any("of learning" in line or "sooner" in line for line in said)
    assert "not compared" in titles.time(found)
    assert "The clock" not in {reason.about for reason in why.reasons(view(found))}
    drawn = {plot.name for plot in catalog.drawable(found)}
    assert "accuracy" in drawn and not drawn & {"accuracy-time", "time-split", "accuracy-cost"}


def test_seconds_of_machines_of_several_kinds_are_not_compared():
    found = beside(0, 0)
    found[-1].environment.device = "another processor"
    assert race.race(view(found), 45_000) is None
    assert "times are not compared: these runs were done on machines of" in headline(found)[0]


def test_one_run_of_an_arm_that_shared_is_enough():
    found = beside(0, 0)
    found[0].neighbours = Neighbours(runs=1)
    assert race.race(view(found), 45_000) is None


def test_such_times_are_marked_on_the_terminal():
    console = Console(width=100, record=True, file=io.StringIO())
    table.print_findings(beside(0, 2), console)
    said = " ".join(console.export_text().split())
    assert "2 of 4 runs shared a machine with up to 2 others" in said
    shared, alone = (
        next(row for row in table.summarise(beside(0, 2)) if row.arm == arm) for arm in ARMS[::-1]
    )
    assert shared.beside == 2 and alone.beside == 0
    cell = table._seconds_cell(shared.seconds_learning_cold)
    assert f"{cell}*" in said and f"{table._seconds_cell(alone.seconds_learning_cold)}*" not in said
    assert "*: beside other runs on the same machine" in said


def test_a_machine_that_others_kept_busy_is_still_said_of_runs_alone():
    found = beside(0, 1)
    for record in found:
        record.neighbours.others = 0.5
    shared, busy = contended(found)
    assert "shared a machine" in shared
    assert "in 2 of 4 runs others used up to 50" in busy
    assert contended(beside(0, 0)) == []
    (alone,) = contended(beside(1, 1)[:1])
    assert alone.startswith("The one run shared a machine with up to one other")


def test_a_cost_that_was_kept_from_a_busy_moment_is_not_said_of_the_run_itself():
    found = beside(0, 0)
    found[0].kept_costs = Costs("2026-11-24T10:00:00+00:00", 0.33, 5.0)
    (said,) = contended(found)
    assert "others used up to 33" in said.replace("\u00a0", " ")
    assert said.startswith("Cold times of 1 of 4 runs") and "contended" not in said


def test_advice_knows_nothing_of_runs_that_shared():
    assert {point.arm for point in experience.points(beside(0, 1))} == {ARMS[0]}
