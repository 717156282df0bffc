"""Knobs: every variant turns its own setting alone, does what it says, and is reported truly."""

from __future__ import annotations

import json
import math
from typing import Any

import factory
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import asdict, replace

from comparisons import knobs
from comparisons.core import records
from comparisons.core.errors import ComparisonError
from comparisons.core.phases import Phase, Training
from comparisons.data import prepare
from comparisons.findings import knobs as said_of_knobs
from comparisons.findings import verdict
from comparisons.findings.groups import group_runs
from comparisons.findings.headline import headline
from comparisons.findings.view import view
from comparisons.plan import arms, recipes
from comparisons.plan.knobs import KNOBS, LARGEST, largest_batch
from comparisons.plan.request import Known, Request, check, runs
from comparisons.plan.runs import Run
from comparisons.report.figures import arm_styles, catalog
from comparisons.training import device, range_test
from comparisons.training import run as training
from comparisons.training.fitting import Fit, fit
from comparisons.training.optimizers import OPTIMIZERS, make_optimizer
from models import adapt, kernels
from models.catalog import MODELS

CPU = device.Runtime("cpu", "a processor", 1, "float32", "tensorflow")
ALL = [(name, variant) for name, knob in KNOBS.items() for variant in knob.variants]


def planned(knob: str, data: str = "d", size: int = 2000, **more: Any) -> dict[str, Run]:
    """The runs of a knob by variant."""
    asked = Request(data=data, device="cpu", knob=knob, train_sizes=(size,), **more)
    found = runs(asked, *check(asked), Known(data, "f", 60_000, 60_000), None)
    return {run.settings.variant: run for run in found}


# --- the table ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "variant"), ALL)
def test_a_variant_changes_its_own_setting_and_nothing_else(name, variant):
    knob = KNOBS[name]
    run = planned(name)[variant]
    plain = recipes.phases(arms.parse(knob.preset.arms[0]), 2000, knob.preset.epochs, None)
    own = {**knob.shared, **knob.variants[variant]}
    for phase, usual in zip(run.phases, plain, strict=True):
        changed = {key for key in own if getattr(phase, key) != getattr(usual, key)}
        assert phase == replace(usual, **{key: getattr(phase, key) for key in changed})
        for key, value in own.items():
            assert getattr(phase, key) == value or value == LARGEST
    assert (run.settings.knob, run.settings.variant) == (name, variant)


@pytest.mark.parametrize("name", KNOBS)
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


# --- what variants do --------------------------------------------------------------------


def phase(**changes: Any) -> Phase:
    return replace(
        Phase(name="train", trainable="all", optimizer="adam", learning_rate=1e-2, batch_size=16,
              epochs=3), **changes,
    )  # fmt: skip


# By name: a weight's step after gradients 0.5 and then 0.25 at a rate of 0.1, from 1.
G, H, RATE = 0.5, 0.25, 0.1
STEPS = {
    "plain-sgd": RATE * (G + H),
    "momentum": RATE * (G + (0.9 * G + H)),
    "sgd": RATE * ((0.9 * G + G) + (0.9 * (0.9 * G + H) + H)),
    "muon": RATE * ((0.9 * G + G) + (0.9 * (0.9 * G + H) + H)),
    "rmsprop": RATE * (G / math.sqrt(0.1 * G**2) + H / math.sqrt(0.09 * G**2 + 0.1 * H**2)),
    "adagrad": RATE * (G / math.sqrt(0.1 + G**2) + H / math.sqrt(0.1 + G**2 + H**2)),
    "adam": RATE * (1 + (0.09 * G + 0.1 * H) / 0.19
                    / math.sqrt((0.000999 * G**2 + 0.001 * H**2) / 0.001999)),
}  # fmt: skip


def moved(optimizer: keras.optimizers.Optimizer) -> float:
    weight = keras.Variable(1.0)
    for gradient in (G, H):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    return 1.0 - float(weight.value)


@pytest.mark.parametrize("name", STEPS)
def test_an_optimizer_is_what_its_name_says(name):
    made = make_optimizer(phase(optimizer=name, learning_rate=RATE), 10)
    assert moved(made) == pytest.approx(STEPS[name], rel=1e-4)


def test_adamw_is_adam_with_decay_apart_from_the_gradient():
    made = make_optimizer(phase(optimizer="adamw", learning_rate=RATE, weight_decay=0.01), 10)
    bare = make_optimizer(phase(optimizer="adamw", learning_rate=RATE), 10)
    first = keras.Variable(1.0)
    made.apply([keras.ops.convert_to_tensor(G)], [first])
    assert float(first.value) == pytest.approx(1 - RATE * 0.01 - RATE, rel=1e-5)
    assert moved(bare) == pytest.approx(STEPS["adam"], rel=1e-4)
    assert STEPS.keys() | {"adamw"} == OPTIMIZERS.keys()


@pytest.mark.parametrize("shape", [(3, 3, 4, 6), (1, 1, 4, 6)])
def test_muon_moves_kernels_by_orthogonal_steps(shape):
    generator = np.random.default_rng(0)
    kernel, *gradients = generator.normal(size=(3, *shape)).astype(np.float32)
    made = make_optimizer(phase(optimizer="muon", learning_rate=RATE), 10)
    variable = keras.Variable(kernel)
    matrix, momentum = kernel.reshape(-1, 6), 0.0
    for gradient in gradients:
        made.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        flat = gradient.reshape(-1, 6)
        momentum = 0.6 * momentum + flat
        left, values, right = np.linalg.svd(flat + 0.6 * momentum, full_matrices=False)
        values /= np.linalg.norm(values)
        for _ in range(3):
            values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
        assert 0.3 < values.min() < values.max() < 1.3
        matrix = matrix * np.sqrt(6) / np.linalg.norm(matrix) - RATE / 3 * left * values @ right
    np.testing.assert_allclose(variable.numpy().reshape(-1, 6), matrix, atol=1e-5)


def problem(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(count, 5)).astype(np.float32)
    return inputs, generator.integers(2, size=count)


def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((5,)), layers.Dense(32, "relu"), layers.Dropout(0.2), layers.Dense(2)]
    )


def trained(model: keras.Model, chosen: dict[str, Any], **more: Any) -> Fit:
    result = Fit()
    fit(model, chosen, problem(40), problem(30, 1), 2, 0, CPU, result, lambda e: None, **more)
    return result


def test_early_stopping_ends_and_goes_back_to_the_best_epoch():
    # Labels are drawn by chance: what is learnt is by heart, and validation gets worse.
    model = network()
    result = trained(model, phase(epochs=40, patience=3))
    losses = [entry.val_loss for entry in result.epochs]
    assert result.best_epoch == losses.index(min(losses)) + 1
    assert len(losses) == result.best_epoch + 3 < 40
    inputs, labels = problem(30, 1)
    reached = model.evaluate(inputs, np.eye(2)[labels], verbose=0, return_dict=True)
    assert reached["cross_entropy"] == pytest.approx(min(losses), rel=1e-5)


def test_the_best_epoch_is_counted_over_all_phases():
    result = trained(network(), phase(epochs=2))
    model = network()
    fit(model, phase(epochs=40, patience=3), problem(40), problem(30, 1), 2, 0, CPU, result,
        lambda e: None)  # fmt: skip
    losses = [entry.val_loss for entry in result.epochs[2:]]
    assert result.best_epoch == 2 + losses.index(min(losses)) + 1


def test_without_patience_every_epoch_is_run_and_the_last_is_kept():
    result = trained(network(), phase(epochs=8))
    assert (len(result.epochs), result.best_epoch) == (8, None)


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (0.0, 0.02), (0.0, 0.0)])
def test_penalties_are_on_kernels_alone_and_in_the_loss_that_is_minimised(l1, l2):
    model = network()
    kernels.penalise(model, 1.0, 1.0)
    kernels.penalise(model, l1, l2)
    trained(model, phase(epochs=1, learning_rate=0.0))
    inputs, labels = problem(30, 1)
    found = model.evaluate(inputs, np.eye(2)[labels], verbose=0, return_dict=True)
    parts = [np.array(layer.kernel) for layer in model.layers if hasattr(layer, "kernel")]
    penalty = sum(l1 * np.abs(k).sum() + l2 * (k**2).sum() for k in parts)
    assert found["loss"] - found["cross_entropy"] == pytest.approx(penalty, abs=1e-4)


def test_a_penalty_shrinks_weights():
    sizes = []
    for l2 in (0.0, 0.1):
        model = network()
        kernels.penalise(model, 0.0, l2)
        trained(model, phase(epochs=10))
        sizes.append(np.linalg.norm(np.array(model.layers[0].kernel)))
    assert sizes[1] < 0.7 * sizes[0]


def built(name: str = "plain-cnn", **change: Any) -> adapt.Network:
    keras.utils.set_random_seed(0)
    model = MODELS[name]
    return adapt.build(model, (16, 16, 3), 3, None, adapt.Change(**change))


def test_dropout_hides_features_from_the_head_in_training_alone():
    head = built("cnn", dropout=0.5).head
    ones = np.ones((64, head.input_shape[1]), np.float32)
    drop = head.layers[0]
    kept = np.array(drop(ones, training=True))
    assert 0.4 < (kept == 0).mean() < 0.6
    assert set(np.unique(kept)) == {0.0, 2.0}
    assert (np.array(drop(ones, training=False)) == ones).all()
    assert not any(isinstance(one, keras.layers.Dropout) for one in built("cnn").head.layers)


# --- the beginning -----------------------------------------------------------------------


@pytest.mark.parametrize("init", kernels.INITS)
def test_weights_begin_as_said_and_the_same_again(init):
    model = built().whole
    kernels.initialise(model, init, np.random.default_rng(3))
    wide = model.get_layer("backbone").get_layer("plain_cnn").get_layer("block3_conv4")
    inputs = outputs = 9 * 64
    expected = {
        "plain": 0.01, "xavier": math.sqrt(2 / (inputs + outputs)), "he": math.sqrt(2 / inputs)
    }[init]  # fmt: skip
    assert np.std(np.array(wide.kernel)) == pytest.approx(expected, rel=0.05)
    assert not np.array(wide.bias).any()
    first = model.get_weights()
    kernels.initialise(model, init, np.random.default_rng(3))
    assert all((a == b).all() for a, b in zip(first, model.get_weights(), strict=True))
    kernels.initialise(model, init, np.random.default_rng(4))
    assert any((a != b).any() for a, b in zip(first, model.get_weights(), strict=True))


def test_signals_and_gradients_at_the_start_are_those_of_the_network():
    import tensorflow as tf

    one = built()
    adapt.set_trainable(one, "all")
    kernels.initialise(one.whole, "he", np.random.default_rng(0))
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (32, 16, 16, 3), np.uint8)
    targets = np.eye(3, dtype=np.float32)[np.arange(32) % 3]
    before = [np.array(v) for v in one.whole.variables]
    found = kernels.at_start(one, images, targets)
    after = [np.array(v) for v in one.whole.variables]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert [name for name, *_ in found] == [
        *(f"block{i}_conv{j}" for i in (1, 2, 3) for j in range(1, 7)), "logits"
    ]  # fmt: skip
    with tf.GradientTape() as tape:
        logits = one.whole(images, training=True)
        loss = -tf.reduce_mean(tf.reduce_sum(targets * tf.nn.log_softmax(logits), -1))
    layers = [*one.base.layers[1:-1], one.head.layers[-1]]
    gradients = tape.gradient(loss, [layer.kernel.value for layer in layers])
    for (_, weights, _, spread), layer, gradient in zip(found, layers, gradients, strict=True):
        assert weights == pytest.approx(np.std(np.array(layer.kernel)), rel=1e-4)
        assert spread == pytest.approx(np.std(gradient.numpy()), rel=1e-3)
    assert found[-1][2] == pytest.approx(np.std(logits.numpy()), rel=1e-3)
    inside = keras.Model(one.base.inputs, one.base.get_layer("block2_conv1").output)
    assert found[6][2] == pytest.approx(np.std(inside.predict(images, verbose=0)), rel=1e-3)


# --- the range test ----------------------------------------------------------------------


def test_a_range_test_leaves_the_network_as_it_was_bit_for_bit():
    model = network()
    before = [np.array(v) for v in model.variables]
    assert any("seed" in v.path for v in model.variables)
    found = range_test.range_test(model, phase(), *problem(40), 2, 0, CPU)
    assert all((a == np.array(v)).all() for a, v in zip(before, model.variables, strict=True))
    again = range_test.range_test(model, phase(), *problem(40), 2, 0, CPU)
    assert found == again
    assert len(found.rates) >= range_test.FEWEST or found.exploded
    ratios = np.diff(np.log(found.rates))
    assert ratios == pytest.approx(ratios[0])
    assert found.rates[0] == pytest.approx(range_test.LOWEST)


def test_a_range_test_stops_where_the_loss_explodes():
    found = range_test.range_test(
        network(), phase(optimizer="plain-sgd"), 1e3 * problem(40)[0], problem(40)[1], 2, 0, CPU
    )
    assert found.exploded
    assert found.rates[-1] < range_test.HIGHEST
    assert found.chosen < found.rates[-1]


losses = some.lists(some.floats(0, 1e6) | some.just(math.nan) | some.just(math.inf), min_size=1)


@given(losses)
def test_the_choice_is_a_tenth_of_a_rate_that_was_tried(values):
    rates = list(np.geomspace(1e-6, 10, len(values)))
    chosen = range_test.choose(rates, values)
    assert any(chosen * range_test.MARGIN == pytest.approx(rate) for rate in rates)
    known = range_test.smoothed(values)
    assert len(known) == len(values)
    finite = [v for v in values if math.isfinite(v)]
    for value in known:
        assert value is None or min(finite) - 1e-6 <= value <= max(finite) * (1 + 1e-9)
    if not math.isfinite(values[-1]):
        assert range_test.exploded(values)


@given(some.floats(0.1, 10), some.integers(1, 50))
def test_a_level_loss_stays_level_and_does_not_explode(level, count):
    assert range_test.smoothed([level] * count) == pytest.approx([level] * count)
    assert not range_test.exploded([level] * count)
    assert range_test.exploded([level] * count + [level * 1e4])


# --- runs and their records --------------------------------------------------------------


def ran(npz: Any, knob: str, variant: str, epochs: int = 2, **change: Any) -> records.Record:
    dataset = prepare(str(npz), None)
    run = planned(knob, str(npz), 96, epochs=epochs)[variant]
    run.phases = [replace(one, **change) for one in run.phases]
    return training.run(run, dataset, device.start("cpu", 0, False))[0]


def test_the_rate_that_was_found_is_the_rate_that_is_used(tiny_npz):
    record = ran(tiny_npz, "learning-rate", "low")
    assert record.range_test is not None
    assert record.phases[0].learning_rate == 0.01
    (used,) = {entry.learning_rate for entry in record.history}
    assert used == pytest.approx(0.01 * record.range_test.chosen, rel=1e-4)
    assert records.from_json(records.to_json(record)) == record


def test_how_weights_begin_is_in_the_record(tiny_npz):
    plain, he = (ran(tiny_npz, "init", variant, epochs=1) for variant in ("plain", "He"))
    assert [s.layer for s in plain.at_start] == [s.layer for s in he.at_start]
    assert len(plain.at_start) == 19
    assert said_of_knobs.faded([plain]) < 1e-6 < said_of_knobs.faded([he])
    assert plain.status == "diverged"


def test_early_stopping_is_in_the_record_and_tests_the_best_epoch(tiny_npz):
    record = ran(tiny_npz, "regularisation", "early stopping", epochs=30, learning_rate=0.01)
    losses = [entry.val_loss for entry in record.history]
    assert record.best_epoch == losses.index(min(losses)) + 1
    assert len(losses) in (30, record.best_epoch + 3)
    assert ran(tiny_npz, "regularisation", "none").best_epoch is None


def test_mixup_trains_on_mixed_targets(tiny_npz):
    mixed, none = (ran(tiny_npz, "regularisation", name, 4) for name in ("mixup", "none"))
    # Certainty about a mixture costs: the loss on training images stays higher.
    assert mixed.history[-1].train_loss > none.history[-1].train_loss
    assert mixed.history[-1].val_accuracy > 0.3


# --- what is said ------------------------------------------------------------------------


def turned(knob: str, accuracies: dict[str, list[float | None]]) -> list[records.Record]:
    """Records of a knob: for each variant an accuracy a seed, None for a run that diverged."""
    made = []
    for variant, values in accuracies.items():
        for seed, value in enumerate(values):
            bad: dict[str, Any] = {"status": "diverged"} if value is None else {"accuracy": value}
            one = factory.record("tutorial-cnn:scratch", seed, 2000, **bad)
            one.settings = replace(one.settings, knob=knob, variant=variant)
            one.id = f"{variant}-{seed}"
            made.append(one)
    return made


def words(made: list[records.Record]) -> list[str]:
    return [line.replace("\u00a0", " ") for line in headline(made)]


def test_the_highest_and_the_lowest_are_named_and_labels_have_the_variant():
    made = turned("optimizer", {"Adam": [0.8, 0.81, 0.8], "SGD": [0.6, 0.61, 0.6]})
    first, second = words(made)
    assert first == (
        "With 2,000 training images, optimizer Adam ends highest, with 80.3 % of the test images "
        "right, and SGD lowest, with 60.3 %."
    )
    assert "epoch" in second
    labels = sorted(g.label for g in group_runs(made))
    assert labels == ["tutorial-cnn:scratch (Adam)", "tutorial-cnn:scratch (SGD)"]
    made[0].phases = [replace(made[0].phases[0], epochs=4)]
    assert "tutorial-cnn:scratch (Adam, epochs 4)" in {g.label for g in group_runs(made)}


def test_variants_that_are_level_are_not_ranked_and_broken_ones_are_told():
    made = turned("optimizer", {"Adam": [0.8], "SGD": [0.8], "Adagrad": [None]})
    first, _ = words(made)
    assert "not clearly apart" in first and "highest" not in first
    assert "(Adagrad: 1 of 1 diverged)" in first
    first, _ = words(turned("init", {"He": [None], "plain": [None]}))
    assert "no setting of the init ended well" in first
    first, _ = words(turned("init", {"He": [0.5], "plain": [None]}))
    assert "only init He ended well, with 50.0 %" in first and "plain: 1 of 1 diverged" in first


values = some.lists(some.none() | some.floats(0, 1).map(lambda x: round(x, 3)), min_size=1,
                    max_size=3)  # fmt: skip


@given(some.sampled_from(sorted(KNOBS)), some.data())
@settings(max_examples=60)
def test_two_sentences_whatever_the_records_are(knob, data):
    chosen = data.draw(
        some.lists(some.sampled_from(list(KNOBS[knob].variants)), min_size=1, unique=True)
    )
    made = turned(knob, {variant: data.draw(values) for variant in chosen})
    for r in made:
        if data.draw(some.booleans()):
            r.history = []
        if data.draw(some.booleans()):
            spread = data.draw(some.sampled_from([0.5, 1e-9, None]))
            r.at_start = [records.Start(f"l{i}", 0.1, spread, 0.0) for i in range(4)]
        if data.draw(some.booleans()):
            r.range_test = records.RangeTest([1e-3, 1e-2], [1.0, None], [1.0, None], 1e-4, True)
    lines = words(made)
    assert len(lines) == 2
    assert all(line.endswith(".") and "None" not in line and "nan" not in line for line in lines)
    best = view(made).best_first(2000)
    if "ends highest" in lines[0]:
        assert view(made).name(best[0].label) in lines[0]
        assert best[0].ok
    for plot in catalog.drawable(made):
        assert plot.finding(made)


def test_arms_without_a_knob_are_told_as_ever():
    made = factory.records(["cnn:scratch", "tutorial-cnn:scratch"])
    assert headline(made) == verdict.headline(made)
    mixed = [*made, *turned("init", {"He": [0.5]})]
    assert said_of_knobs.knob_of(mixed) is None


# --- the command line --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["optimiser"], "did you mean optimizer?"),
        ([], "init, optimizer"),
        (["init", "--data", "cifar"], "cifar10"),
        (["init", "--data", "shapes", "--train-size", "1"], "9,000"),
        (["init", "--epochs", "0"], "--epochs"),
        (["init", "--seeds", "-1"], "seeds"),
    ],
)
def test_mistakes_get_one_line_and_nothing_written(capsys, tmp_path, arguments, hint):
    out = tmp_path / "out"
    assert knobs.main([*arguments, "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1
    assert hint in err
    assert not out.exists()


def test_python_raises_the_same_line(capsys):
    knobs.main(["optimiser"])
    with pytest.raises(ComparisonError) as caught:
        knobs.turn("optimiser")
    assert capsys.readouterr().err == f"error: {caught.value}\n"
    with pytest.raises(ComparisonError, match="device"):
        knobs.turn("init", device="abacus")


def test_the_list_and_the_plan_name_everything(capsys, tiny_npz):
    assert knobs.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in KNOBS)
    assert max(map(len, listed.splitlines())) <= 100
    for name, knob in KNOBS.items():
        assert knobs.main([name, "--data", str(tiny_npz), "--dry-run"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert f"{len(knob.variants)} runs" in shown


def turn_all(name, npz, out, capsys, epochs=1):
    """Turn a knob by its command; the page's text, the summary and what was printed."""
    arguments = [name, "--data", str(npz), "--train-size", "64", "--epochs", str(epochs)]
    code = knobs.main([*arguments, "--out", str(out), "--device", "cpu"])
    printed = capsys.readouterr().out
    assert code == 0
    summary = json.loads((out / "summary.json").read_text())
    assert len(summary["headline"]) == 2
    assert len(summary["rows"]) == len(KNOBS[name].variants)
    page = (out / "report.html").read_text()
    assert KNOBS[name].question in page
    flat = " ".join(printed.split())
    assert " ".join(summary["headline"][1].split()) in flat
    return page, summary, printed


def test_a_knob_runs_and_is_kept_and_has_its_page(tiny_npz, tmp_path, capsys):
    out = tmp_path / "init"
    page, _, _ = turn_all("init", tiny_npz, out, capsys)
    assert "(Xavier)" in page and 'id="at-start"' in page
    before = {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}
    _, _, printed = turn_all("init", tiny_npz, out, capsys)
    assert {path: path.stat().st_mtime_ns for path in (out / "runs").iterdir()} == before
    assert "kept" in printed or "diverged" in printed


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in KNOBS if name != "init"])
def test_every_knob_runs(name, tiny_npz, tmp_path, capsys):
    page, _, _ = turn_all(name, tiny_npz, tmp_path / name, capsys, epochs=2)
    assert ('id="range-test"' in page) == (name == "learning-rate")
