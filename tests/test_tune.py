"""The door of tuning: what it refuses, shows and writes."""

from __future__ import annotations

import msgspec
import pytest

from comparisons import tune
from comparisons.core import records
from comparisons.plan.tuning import AS_IT_IS, DOUBLED, TRIES
from comparisons.running import tuning


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name the arms to tune"),
        (["tiny:probe", "--data", "shapes"], "penalty is chosen by validation"),
        (["tiny:probe", "--data", "shapes", "--dry-run"], "penalty is chosen by validation"),
        (["tiny:frozen", "--robustness", "--dry-run"], "tuning does not look at"),
        (["tiny:frozen", "--data", "nothing"], "unknown data set"),
        (["tiny:frozen", "--data", "shapes", "--tries", "twice"], "twice the epochs"),
        (["tiny:frozen", "--data", "shapes", "--dry-run", "--tries", "x"], "unknown recipe"),
    ],
)
def test_what_cannot_be_tuned_is_said_in_one_line(arguments, says, capsys, tmp_path):
    assert tune.main([*arguments, "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr().err
    assert says in shown and len(shown.splitlines()) == 1


def test_a_damaged_result_is_said_before_anything_trains(capsys, tmp_path):
    (tmp_path / "tuning.json").write_text('[{"arm": broken')
    assert tune.main(["tiny:frozen", "--data", "shapes", "--out", str(tmp_path)]) == 2
    shown = capsys.readouterr().err
    assert "tuning.json is damaged" in shown and len(shown.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tuning.json"]


def test_the_list_and_the_plan_show_every_recipe(capsys):
    for arguments in (["--list"], ["tiny:frozen", "--data", "shapes", "--dry-run"]):
        assert tune.main(arguments) == 0
        shown = capsys.readouterr().out
        assert all(name in shown for name in TRIES)


@pytest.mark.slow
def test_an_arm_is_tuned_by_validation_alone_and_the_same_command_keeps_it(
    tiny_npz, tmp_path, capsys
):
    arguments = ["tiny:frozen", "--data", str(tiny_npz), "--train-size", "60", "--epochs", "4",
                 "--device", "cpu", "--out", str(tmp_path)]  # fmt: skip
    assert tune.main(arguments) == 0
    (found,) = tuning.read(tmp_path)
    assert (found.arm, found.train_size, found.seeds) == ("tiny:frozen", 60, [0])
    assert {one.name for one in found.tries} == set(TRIES)
    last = {one.name for one in found.tries if one.share == 1.0}
    assert {AS_IT_IS, DOUBLED} <= last and len(last) <= 4
    assert found.gain >= 0
    kept, damaged = records.load_all(tmp_path)
    assert not damaged
    assert all(record.test is None and record.status == "ok" for record in kept)
    assert not (tmp_path / "predictions").exists()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    capsys.readouterr()
    # Named alone they are found among what was done, and what is known of others stays.
    assert tune.main([*arguments, "--tries", DOUBLED]) == 0
    shown = capsys.readouterr().out
    assert "kept" in shown and "25\u00a0%" not in shown
    assert tuning.read(tmp_path)[0].tries == found.tries
    capsys.readouterr()
    assert tune.main(arguments) == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == before
    assert msgspec.json.decode((tmp_path / "tuning.json").read_bytes(), type=list[tuning.Tuned])
