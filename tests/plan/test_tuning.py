"""What tuning tries: the same few recipes for every arm, and who goes on."""

from __future__ import annotations

import factory
import pytest

from comparisons.core.errors import ComparisonError
from comparisons.plan import arms, tuning
from comparisons.plan.tuning import AS_IT_IS, DOUBLED, RUNGS, TRIES


def test_no_arm_is_given_more_than_eight_recipes():
    assert len(TRIES) <= 8
    assert TRIES[AS_IT_IS] == tuning.Try()


@pytest.mark.parametrize("arm", ["cnn:scratch", "tiny:frozen", "tiny:full"])
@pytest.mark.parametrize("name", TRIES)
def test_a_recipe_changes_the_last_phase_and_the_epochs_alone(arm, name):
    usual = factory.planned(arm, 500)
    run = tuning.tried(usual, name, 1.0, "f")
    one = TRIES[name]
    for before, after in zip(usual.phases[:-1], run.phases[:-1], strict=True):
        assert after == type(before)(**{**fields(before), "epochs": after.epochs})
    last, old = run.phases[-1], usual.phases[-1]
    assert last.learning_rate == pytest.approx(old.learning_rate * one.rate)
    assert last.epochs == pytest.approx(old.epochs * one.epochs, abs=1)
    assert (last.weight_decay > old.weight_decay) == one.decay
    assert (run.settings.knob, run.settings.variant, run.settings.test_on) == ("tuning", name, 0)
    assert run.id != usual.id


def fields(phase):
    return {name: getattr(phase, name) for name in phase.__struct_fields__}


def test_all_runs_of_a_tuning_have_ids_of_their_own():
    usual = factory.planned("cnn:scratch", 500)
    ids = {tuning.tried(usual, n, s, "f").id for n in TRIES for s in RUNGS}
    assert len(ids) == len(TRIES) * len(RUNGS)


def test_the_better_half_goes_on_and_what_the_table_has_goes_all_the_way():
    left = list(TRIES)
    first = tuning.rung(RUNGS[0], left)
    assert set(first) == set(TRIES) - {DOUBLED}
    worst_first = [name for name in first if name != AS_IT_IS] + [AS_IT_IS]
    second = tuning.rung(RUNGS[1], worst_first)
    assert second == [*worst_first[:3], AS_IT_IS]
    third = tuning.rung(RUNGS[2], [*second, DOUBLED])
    assert third == [*worst_first[:2], AS_IT_IS, DOUBLED]


def test_where_there_is_no_choice_all_epochs_are_run_at_once():
    names = tuning.chosen([DOUBLED])
    assert names == [AS_IT_IS, DOUBLED] == tuning.rung(RUNGS[-1], names)
    assert tuning.rungs(names) == RUNGS[-1:]
    assert tuning.rungs(tuning.chosen(None)) == RUNGS
    with pytest.raises(ComparisonError, match="did you mean"):
        tuning.chosen(["twice the epoch"])


def test_a_linear_probe_has_nothing_to_tune():
    with pytest.raises(ComparisonError, match="penalty is chosen by validation"):
        tuning.must_be_tunable(arms.parse("tiny:probe"))
    for name in ("cnn:scratch", "tiny:frozen", "tiny:lora"):
        tuning.must_be_tunable(arms.parse(name))
