"""Benchmarks: sides take turns, ratios come from neighbours, what must not fall is watched."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import factory
import keras
import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from rich.console import Console

from comparisons.benchmarks import __main__ as command
from comparisons.benchmarks import (
    frozen,
    growth,
    guard,
    machine,
    measure,
    startup,
    steps,
    summary,
    training,
    waits,
)
from comparisons.core.bill import summed


def test_sides_take_turns_and_each_round_begins_with_another():
    order: list[str] = []

    def side(name: str) -> None:
        order.append(name)

    names = ("a", "b", "c")
    taken = measure.alternate({n: lambda n=n: side(n) for n in names}, 4)
    assert order == [*"abc", *"bca", *"cab", *"abc"]
    assert all(len(seconds) == 4 and min(seconds) >= 0 for seconds in taken.values())


def test_a_side_may_say_its_own_seconds():
    own = iter([3.0, 4.0])
    assert measure.alternate({"a": lambda: next(own)}, 2) == {"a": [3.0, 4.0]}


def test_ratios_compare_the_same_work_round_by_round():
    slow = measure.Side("slow", [10.0, 40.0, 30.0], amount=10)
    fast = measure.Side("fast", [1.0, 2.0, 6.0], amount=5)
    found = measure.ratio(slow, fast)
    assert (found.slow, found.fast) == ("slow", "fast")
    # 1 / 0.2, 4 / 0.4, 3 / 1.2
    assert (found.lowest, found.median, found.highest) == pytest.approx((2.5, 5.0, 10.0))


def test_a_result_is_kept_with_its_machine_and_command(tmp_path):
    sides = [measure.Side("one", [1.0, 2.0], 100, "image", {"accuracy": 0.5})]
    found = measure.result("thing", "How fast?", sides, [])
    path = measure.save(found, tmp_path)
    assert msgspec.json.decode(path.read_bytes(), type=measure.Result) == found
    assert found.command == "python -m comparisons.benchmarks thing"
    assert found.environment.cores >= 1
    console = Console(width=100, record=True)
    measure.show(found, console)
    assert "67 images" in console.export_text()


def test_ratios_of_unlike_rounds_say_that_they_are_for_one_unit():
    few, many = (measure.Side(n, [2.0], amount, "image") for n, amount in (("a", 1), ("b", 4)))
    assert measure.ratio(few, many).sentence == (
        "a takes, for one image, 4 times as long as b (4 to 4)"
    )
    assert measure.ratio(few, few).sentence == "a takes 1 times as long as a (1 to 1)"


def test_the_memory_of_a_process_is_seen_without_that_of_those_it_starts():
    found: list[float] = []
    large = "import time; x = bytearray(300_000_000); time.sleep(1.5)"
    for code in (
        large,
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {large!r}])",
    ):
        with training.most_memory(found):
            subprocess.run([sys.executable, "-c", code], check=True)
    assert found[0] > 300 and 1 < found[1] < 100


def test_a_limit_is_exceeded_by_one_of_the_rounds():
    assert measure.within([1.0, 3.0], 3.0) == "kept"
    assert measure.within([1.0, 3.1], 3.0) == "exceeded"


def test_every_benchmark_is_registered_with_its_rounds():
    folder = Path(command.__file__).parent
    files = {
        path.stem for path in folder.rglob("*.py") if "\ndef run(rounds: int)" in path.read_text()
    }
    assert files == set(command.BENCHMARKS)
    assert all(module.ROUNDS >= 1 for module in command.BENCHMARKS.values())


def test_a_function_can_be_called_in_a_process_of_its_own():
    assert training.apart(divmod, 7, 2) == (3, 1)


def test_copies_of_memory_are_whole(monkeypatch):
    monkeypatch.setattr(machine, "COPIED", 1001)
    assert machine.memory_copy()() > 0
    (product, copy) = machine.sides({"matrix product": [0.5], "memory copy": [2.0]})
    assert (product.unit, copy.unit) == ("FLOP", "byte")
    half = measure.Side("half", [1.0], 10, "image")
    assert machine.share(product.rate / 20, half, product) == "50%"


# What the new benchmarks compute from what they measured.


def test_a_part_of_an_epoch_is_scaled_to_all_epochs():
    assert frozen.scaled(sum(frozen.PART)) == sum(frozen.WHOLE) * frozen.EPOCHS
    train, held = frozen.PART
    assert train / held == frozen.WHOLE[0] / frozen.WHOLE[1]
    assert train % frozen.BATCH == held % frozen.BATCH == 0


def test_the_test_images_features_are_not_charged():
    record = factory.record("mobilenet@0.25x160:frozen")
    record.seconds = summed(
        {"extract_train": 30.0, "extract_validation": 10.0, "extract_test": 20.0, "train": 5.0,
         "validate": 1.0, "test": 2.0, "compile": 100.0, "read": 50.0}, {}, engine=4.0,
    )  # fmt: skip
    assert frozen.charged(record, cold=True) == pytest.approx(40.0 + 4.0 + 5.0 + 3.0)
    assert frozen.charged(record, cold=False) == pytest.approx(40.0 + 5.0 + 3.0)


def test_steps_are_those_of_the_last_phase():
    record = factory.record("cnn:scratch")
    usual = record.phases[0]
    record.phases = [replace(usual, name="head"), replace(usual, name="all")]
    record.history[0].phase, record.history[1].phase = "head", "all"
    assert steps.last_phase(record) == [record.history[1]]


def test_shares_of_a_run_add_up():
    record = factory.record("cnn:scratch")
    found = steps.shares([record])
    assert sum(found.values()) == pytest.approx(1.0, abs=0.02)  # the smallest are left out
    assert found["training"] == pytest.approx(record.seconds.train / record.seconds.total)
    assert "features" not in found


def test_images_are_repeated_into_a_data_set_that_can_be_read(tmp_path, monkeypatch, tiny_npz):
    from comparisons import data
    from comparisons.data import npz

    original = data.prepare
    monkeypatch.setattr(data, "prepare", lambda name, folder: original(str(tiny_npz), folder))
    growth.repeat(700, tmp_path / "more.npz")
    with np.load(tiny_npz) as before:
        after = npz.read(tmp_path / "more.npz")
        for name in ("x_train", "y_train"):
            repeated = getattr(after, name)
            assert len(repeated) == 700
            assert (repeated[300:600] == before[name]).all()
            assert (repeated[600:] == before[name][:100]).all()


def test_the_few_images_of_a_first_step_are_data_and_one_step_long(tmp_path):
    from comparisons.data import npz
    from comparisons.plan import arms, recipes

    found = npz.read(startup.write_few(tmp_path / "few.npz"))
    for arm in startup.STEPPING:
        (phase,) = recipes.phases(arms.parse(arm), len(found.x_train), 1, None)
        assert len(found.x_train) <= phase.batch_size


def test_cases_of_growth_have_names_of_their_own():
    assert len({case.name for case in growth.CASES}) == len(growth.CASES)
    paired = {case for pair in growth.TIMES + growth.MEMORIES for case in pair}
    assert paired <= set(growth.CASES)


# Waiting is told from working.


def busy(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_only_the_processors_time_counts_between_passes():
    awake = waits.Awake()
    time.sleep(0.2)
    awake.batch()  # within a pass all time is work, asleep or not
    assert awake.worked >= 0.2
    assert awake.waited == 0
    before = awake.worked
    time.sleep(0.2)
    busy(0.1)
    awake.between()
    assert awake.waited >= 0.15
    assert awake.worked - before >= 0.1


def test_what_fit_sleeps_after_its_last_batch_is_left_out():
    class Slow(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            time.sleep(0.5)

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    inputs, targets = np.zeros((64, 3), np.float32), np.zeros((64, 2), np.float32)
    worked, waited = waits.without_waits(
        lambda callbacks: model.fit(
            inputs,
            targets,
            validation_data=(inputs, targets),
            callbacks=[*callbacks, Slow()],
            verbose=0,
        )
    )
    assert waited >= 0.4
    assert worked > 0


def test_a_side_without_its_waits_is_done_once_before_it_is_timed():
    calls = []

    def work(callbacks: object = None) -> None:
        calls.append(callbacks)
        time.sleep(0.1)

    waited: list[float] = []
    side = waits.left_out(work, waited)
    assert calls == [None] and waited == []
    assert side() < 0.1
    assert waited[0] >= 0.05
    assert waits.noted([0.001, 2.0, 30.123]) == "2 s (0 to 30.12)"


# The guard: figures that must not fall.

FIGURE = guard.Figure("thing", "slow", "fast", 3.0, "thing against thing")


def found_with(*seconds: float, slow: str = "slow") -> measure.Result:
    sides = [measure.Side(slow, list(seconds)), measure.Side("fast", [1.0] * len(seconds))]
    return measure.result("thing", "How fast?", sides, [measure.ratio(*sides)])


@pytest.fixture
def guarded(monkeypatch, tmp_path) -> Path:
    """One guarded figure, and nothing kept."""
    monkeypatch.setattr(guard, "FIGURES", (FIGURE,))
    return tmp_path


def test_a_figure_has_fallen_when_all_rounds_lie_below_all_that_were_kept(guarded):
    guard.keep(found_with(4.0, 5.0, 6.0), guarded)
    (line,) = guard.fallen(found_with(3.0, 3.9), guard.kept(guarded))
    assert line.startswith(
        "fallen: slow takes 3.45 times as long as fast (3 to 3.9); kept 5 (4 to 6)"
    )


@pytest.mark.parametrize("seconds", [(3.0, 4.0), (4.5,), (7.0, 8.0)])
def test_a_figure_within_its_noise_or_above_has_not_fallen(guarded, seconds):
    guard.keep(found_with(4.0, 5.0, 6.0), guarded)
    assert guard.fallen(found_with(*seconds), guard.kept(guarded)) == []


def test_what_was_never_kept_cannot_fall_and_what_was_kept_must_be_measured(guarded):
    assert guard.kept(guarded) == {}
    assert guard.fallen(found_with(0.1), {}) == []
    guard.keep(found_with(4.0, slow="another"), guarded)
    assert not (guarded / guard.NAME).exists()
    guard.keep(found_with(4.0), guarded)
    (line,) = guard.fallen(found_with(9.0, slow="another"), guard.kept(guarded))
    assert line == "not measured any more: slow against fast"


def test_keeping_leaves_other_benchmarks_as_they_are(guarded):
    other = {"other": guard.Kept("a machine", [measure.Ratio("a", "b", 2.0, 1.0, 3.0)])}
    (guarded / guard.NAME).write_bytes(msgspec.json.encode(other))
    guard.keep(found_with(4.0), guarded)
    assert set(guard.kept(guarded)) == {"other", "thing"}
    assert guard.kept(guarded)["other"] == other["other"]


def test_the_command_says_what_has_fallen_and_ends_with_1(guarded, monkeypatch, capsys):
    seconds = iter([5.0, 3.0, 3.0, 3.0])
    module = SimpleNamespace(ROUNDS=2, run=lambda rounds: found_with(next(seconds)))
    monkeypatch.setattr(command, "BENCHMARKS", {"thing": module})
    monkeypatch.setattr(measure, "EVIDENCE", guarded)
    out = ["thing", "--out", str(guarded)]
    assert command.main([*out, "--keep"]) == 0
    assert command.main(out) == 1
    assert "fallen: slow takes 3 times" in capsys.readouterr().out
    # Kept all the same, a lower figure is what counts from then on.
    assert command.main([*out, "--keep"]) == 1
    assert command.main(out) == 0
    result = msgspec.json.decode((guarded / "thing.json").read_bytes(), type=measure.Result)
    assert result.ratios[0].median == 3.0


def test_guarded_figures_are_ratios_of_what_was_measured():
    for figure in guard.FIGURES:
        assert figure.benchmark in command.BENCHMARKS
        path = measure.EVIDENCE / f"{figure.benchmark}.json"
        if path.exists():
            result = msgspec.json.decode(path.read_bytes(), type=measure.Result)
            assert guard.find(figure, result.ratios), figure
    assert {f.slow for f in guard.FIGURES if f.benchmark == "frozen"} == {frozen.PLAIN}
    assert {f.fast for f in guard.FIGURES if f.benchmark == "frozen"} == {frozen.COLD, frozen.WARM}


def test_the_page_of_evidence_shows_few_sides_of_many_those_with_a_limit_and_else_where_they_are(
    guarded, monkeypatch
):
    monkeypatch.setattr(summary, "FOLDER", guarded)
    few = [measure.Side(f"side {n}", [float(n)]) for n in range(1, summary.FEW + 1)]
    many = [*few, measure.Side("one more", [60.0])]

    def shown(sides: list[measure.Side]) -> str:
        measure.save(measure.result("other", "How fast?", sides, []), guarded)
        return summary.benchmarks()

    assert "- How fast? side 1 1 s; side 2 2 s; side 3 3 s; " in shown(few)
    wanted = f"- How fast? {len(many)} sides, on [their page]({summary.PAGE}) (`other`)."
    assert wanted in shown(many)
    assert (measure.EVIDENCE.parent / summary.PAGE).exists()
    many[0].notes = {"limit 2 s": "kept"}
    assert "- How fast? side 1 1 s (limit 2 s kept) (`other`)." in shown(many)


def test_the_page_of_evidence_has_each_target_beside_what_was_measured(guarded, monkeypatch):
    monkeypatch.setattr(summary, "FOLDER", guarded)
    row = "| thing against thing | 3 | {} | `thing` |"
    assert row.format("not measured") in summary.benchmarks()
    measure.save(found_with(4.0, 5.0, 6.0), guarded)
    guard.keep(found_with(1.0), guarded)  # no result: it must not be shown as one
    shown = summary.benchmarks()
    assert row.format("5 (4 to 6)") in shown
    assert "- slow takes 5 times as long as fast (4 to 6)." in summary.measurements()
