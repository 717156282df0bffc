"""Records as files: what is read, and what is named and left out."""

import json
import shutil

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons.core import records

CNN = "cnn:scratch"


def changed(*path, to):
    """A record's JSON in which one value is another."""
    plain = json.loads(records.to_json(factory.record(CNN)))
    inner = plain
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return json.dumps(plain)


@pytest.mark.parametrize(
    "text",
    [
        changed("seconds", "total", to=1e300),
        changed("seconds", "train", to=-1),
        changed("test", "accuracy", to=5.0),
        changed("history", 0, "val_accuracy", to=-0.1),
        changed("arm", to="x" * 10_000),
        changed("id", to="x" * 10_000),
        changed("seed", to=-1),
        changed("train_size", to=2**70),
        changed("test", "confusion", 0, 0, to=-3),
        changed("data", "classes", to=["x" * 10_000]),
        "[" * 5_000 + "]" * 5_000,
        json.dumps({"schema": 1, "settings": None}),
        "",
        "\x00",
    ],
)
def test_what_no_run_wrote_is_named_and_left_out(tmp_path, text):
    records.save(factory.record(CNN, seed=1), tmp_path)
    (tmp_path / "runs" / "odd.json").write_text(text)
    good, damaged = records.load_all(tmp_path)
    assert [record.seed for record in good] == [1]
    assert len(damaged) == 1 and "odd.json" in damaged[0]
    assert "\n" not in damaged[0] and len(damaged[0]) < 400


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc", "-a", "a\nb", "a'", "A"])
def test_an_id_is_a_name_that_leads_nowhere_else(name):
    plain = json.loads(records.to_json(factory.record(CNN)))
    del plain["digest"]  # as in records from before there were any
    plain["id"] = name
    with pytest.raises(records.DamagedRecord, match="id"):
        records.from_json(json.dumps(plain))


@given(some.binary(max_size=300))
def test_any_bytes_are_a_record_or_one_line(content):
    try:
        records.from_json(content, "some.json")
    except records.DamagedRecord as error:
        assert "some.json" in str(error) and "\n" not in str(error)


@given(some.lists(some.text(some.sampled_from('a {}[]",:\\\n\t'), max_size=12), max_size=4))
def test_an_epoch_is_a_line_of_its_file_whatever_else_stands_there(notices):
    record = factory.record(CNN)
    record.notices = notices
    text = records.to_json(record)
    assert records.from_json(text) == record
    lines = [line.strip() for line in text.splitlines()]
    epochs = [line.rstrip(",") for line in lines if line.startswith('{"phase"')]
    assert [json.loads(line)["epoch"] for line in epochs] == [e.epoch for e in record.history]


def test_a_copied_record_is_no_other_seed(tmp_path):
    path = records.save(factory.record(CNN), tmp_path)
    shutil.copy(path, path.with_name(f"{path.stem} copy.json"))
    shutil.copy(path, path.with_name("another.json"))
    good, damaged = records.load_all(tmp_path)
    assert [record.id for record in good] == [path.stem]
    assert len(damaged) == 2
    assert all(path.stem in line and "copy" in line for line in damaged)


def test_bits_of_test_images_that_contradict_the_record_are_damage():
    record = factory.record()
    record.test.confusion, record.test.accuracy = [[3, 1], [2, 4]], 0.7
    record.test.right = bytes([0b11111110, 0])  # seven of ten
    assert records.from_json(records.to_json(record)) == record
    for right in (bytes(2), bytes([0b11111110]), bytes([0b11111110, 0, 0]), bytes([255, 192])):
        record.test.right = right
        with pytest.raises(records.DamagedRecord, match="bits of test images"):
            records.from_json(records.to_json(record))
