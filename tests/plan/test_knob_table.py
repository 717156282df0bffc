"""The table of knobs: every variant turns its own setting, and nothing else."""

from __future__ import annotations

import factory
import pytest
from msgspec.structs import asdict, replace

from comparisons.core import records
from comparisons.core.phases import Training
from comparisons.plan import arms, recipes
from comparisons.plan.knobs import KNOBS, LARGEST, largest_batch
from comparisons.plan.request import Known, Request, check, runs
from comparisons.plan.runs import Run
from comparisons.report.figures import arm_styles

ALL = [(name, variant) for name, knob in KNOBS.items() for variant in knob.variants]


def planned(knob: str, size: int = 2000) -> dict[str, Run]:
    """The runs of a knob by variant."""
    asked = Request(device="cpu", knob=knob, train_sizes=(size,))
    found = runs(asked, *check(asked), Known("d", "f", 60_000, 60_000, 10_000), None)
    return {run.settings.variant: run for run in found}


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_a_variant_changes_its_own_setting_and_nothing_else(name, variant):
    knob = KNOBS[name]
    run = planned(name)[variant]
    plain = recipes.phases(arms.parse(run.arm), 2000, knob.preset.epochs, None)
    own = {**knob.shared, **knob.variants[variant]}
    for phase, usual in zip(run.phases, plain, strict=True):
        changed = {key for key in own if getattr(phase, key) != getattr(usual, key)}
        assert phase == replace(usual, **{key: getattr(phase, key) for key in changed})
        for key, value in own.items():
            assert getattr(phase, key) == value or value == LARGEST
    assert (run.settings.knob, run.settings.variant) == (name, variant)


@pytest.mark.parametrize("name", [n for n, knob in KNOBS.items() if len(knob.preset.arms) == 1])
def test_the_variants_of_a_knob_share_all_but_what_they_turn(name):
    runs = planned(name)
    assert list(runs) == list(KNOBS[name].variants)
    assert len({run.id for run in runs.values()}) == len(runs)
    turned = {key for own in KNOBS[name].variants.values() for key in own}
    rest = [[{k: v for k, v in asdict(p).items() if k not in turned} for p in run.phases]
            for run in runs.values()]  # fmt: skip
    assert all(phases == rest[0] for phases in rest)
    assert all(set(own) <= {*Training.__struct_fields__} for own in
               KNOBS[name].variants.values())  # fmt: skip


def test_what_no_knob_turns_has_the_id_that_it_always_had():
    run = factory.planned("cnn:scratch", 500, data="cifar10")
    decides = records.decides(run.settings, run.phases)
    assert decides.keys() == {"data", "device", "engine", "backend", "deterministic", "phases"}
    assert decides["phases"][0].keys() == {
        "name", "trainable", "optimizer", "learning_rate", "batch_size", "epochs", "schedule",
        "weight_decay", "label_smoothing", "augment", "views_at_test",
    }  # fmt: skip
    assert run.id == "cnn-scratch-n500-s0-" + records.digest(
        [records.SCHEMA, run.arm, 500, 0, decides, "f"]
    )


def test_the_largest_batch_is_all_images_or_what_memory_holds(monkeypatch):
    assert planned("batch-size", size=50)[LARGEST].phases[0].batch_size == 50
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PAGE_SIZE": 4096}.get(name, 2**16))
    assert largest_batch() == 268
    assert planned("batch-size", size=2000)[LARGEST].phases[0].batch_size == 268


def test_every_variant_has_a_look_of_its_own_in_its_knob():
    for name, knob in KNOBS.items():
        labels = [f"cnn:scratch ({variant})" for variant in knob.variants]
        chosen = arm_styles.styles(labels)
        assert len({(s.colour, s.marker) for s in chosen.values()}) == len(labels), name
        assert arm_styles.styles(labels[1:])[labels[1]] == chosen[labels[1]]
        assert arm_styles.styles([f"{labels[0][:-1]}, epochs 4)"]).popitem()[1] == chosen[labels[0]]
