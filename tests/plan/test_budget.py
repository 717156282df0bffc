"""Which arms are marked as stopped early: those that tuning measured so."""

from __future__ import annotations

import pytest

from comparisons.core.machine import ROOT
from comparisons.plan import arms, budget, recipes
from comparisons.running import tuning

EVIDENCE = ROOT / "results" / "evidence" / "tuning"


def stopped(arm: str, size: int, epochs: int | None = None) -> bool:
    return budget.stopped_early(arm, size, recipes.phases(arms.parse(arm), size, epochs, None))


@pytest.fixture
def tried(monkeypatch):
    monkeypatch.setitem(budget.SIZES, "cnn:scratch", ((500, 5_000), (500,)))


@pytest.mark.parametrize(
    ("size", "epochs", "early"),
    [(500, None, True), (100, None, True), (1_500, None, True), (1_700, None, False),
     (45_000, None, False), (500, 3, False), (500, 300, False)],
)  # fmt: skip
def test_the_nearest_size_that_was_tried_decides_on_what_trains_by_its_recipe(
    tried, size, epochs, early
):
    assert stopped("cnn:scratch", size, epochs) is early


def test_what_was_not_tried_is_not_marked(tried):
    assert not stopped("cnn-large:scratch", 500)


def test_the_marks_are_those_of_the_evidence():
    measured: dict[str, tuple[list[int], list[int]]] = {}
    for found in tuning.read(EVIDENCE):
        assert found.data == budget.DATA
        if found.doubled is not None:
            sizes, early = measured.setdefault(found.arm, ([], []))
            sizes.append(found.train_size)
            early += [found.train_size] if found.doubled >= budget.A_POINT else []
    assert {arm: tuple(map(tuple, found)) for arm, found in measured.items()} == budget.SIZES
