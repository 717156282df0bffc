"""What lies under --out: what cannot be read is named and kept, what is half written goes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import factory
import pytest

from comparisons import cifar
from comparisons.core import files, records
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT
from comparisons.running import kept

RUN = factory.planned("cnn:scratch", 60)


def put(out: Path, text: str) -> Path:
    path = out / "runs" / f"{RUN.id}.json"
    files.write_text(path, text)
    return path


def of_another() -> str:
    return records.to_json(factory.record("cnn:scratch"))


@pytest.mark.parametrize(
    "text", ["", "{", of_another()[:100], of_another(), of_another().replace('"schema": 2', "1")]
)
def test_what_bears_a_runs_id_and_cannot_be_read_is_named_and_kept(tmp_path, text):
    for place in (f"{RUN.id}.json", f"{RUN.id}-2.json"):
        path = put(tmp_path, text)
        assert kept.finished(RUN, tmp_path) is None
        said = kept.set_aside(RUN, tmp_path)
        assert path.name in said and f"aside/{place}" in said and "\n" not in said
        assert not path.exists()
        assert (tmp_path / "aside" / place).read_text() == text
    assert kept.set_aside(RUN, tmp_path) is None


def test_a_good_record_stays_where_it_is(tmp_path):
    record = factory.record("cnn:scratch")
    record.id = RUN.id
    path = records.save(record, tmp_path)
    assert kept.set_aside(RUN, tmp_path) is None
    assert kept.finished(RUN, tmp_path) == records.load(path) == record
    # One digit of a result is enough: the file is no longer what was written.
    text = path.read_text()
    path.write_text(text.replace('"seed": 0', '"seed": 1'))
    assert "not as it was written" in kept.set_aside(RUN, tmp_path)


def test_only_what_nobody_writes_any_more_is_tidied(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    for name in (".a.json.abcd1234.part", "a.part", ".own.part", ".b.json.abcd1234.partly"):
        (folder / name).touch()
    with files.atomic(folder / "c.json") as file:
        file.write(b"whole")
        kept.tidy(tmp_path)
        left = {path.name for path in folder.iterdir()}
        assert len(left) == 4 and ".a.json.abcd1234.part" not in left
    assert (folder / "c.json").read_bytes() == b"whole"


MANY = """
import sys
from pathlib import Path
from comparisons.core import files
for number in range(300):
    files.write_text(Path(sys.argv[1]) / "runs" / f"{sys.argv[2]}.txt", str(number))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an open file cannot be deleted")
def test_to_tidy_never_takes_a_file_from_who_writes_it(tmp_path):
    writers = [
        subprocess.Popen([sys.executable, "-c", MANY, tmp_path, str(n)], cwd=ROOT) for n in range(2)
    ]
    while any(writer.poll() is None for writer in writers):
        kept.tidy(tmp_path)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert {path.read_text() for path in (tmp_path / "runs").iterdir()} == {"299"}


@pytest.mark.parametrize("text", ["soon", "-1", "nan"])
def test_minutes_that_are_none_are_refused_before_any_training(
    tmp_path, tiny_npz, monkeypatch, capsys, text
):
    monkeypatch.setenv("COMPARISONS_CHECKPOINT_MINUTES", text)
    arguments = ["--data", str(tiny_npz), "--arms", "cnn:scratch", "--out", str(tmp_path / "out")]
    assert cifar.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"COMPARISONS_CHECKPOINT_MINUTES={text}" in line
    with pytest.raises(ComparisonError):
        kept.every()


def test_five_minutes_are_usual(monkeypatch):
    monkeypatch.delenv("COMPARISONS_CHECKPOINT_MINUTES", raising=False)
    assert kept.every() == 300
    monkeypatch.setitem(os.environ, "COMPARISONS_CHECKPOINT_MINUTES", "0")
    assert kept.every() == 0


def test_a_checkpoint_and_its_folder_go_with_the_last(tmp_path):
    path = kept.checkpoint(RUN, tmp_path)
    kept.forget(RUN, tmp_path)
    files.write_text(path, "a")
    files.write_text(path.with_name("other"), "b")
    kept.forget(RUN, tmp_path)
    assert [one.name for one in path.parent.iterdir()] == ["other"]
    path.with_name("other").unlink()
    kept.forget(RUN, tmp_path)
    assert not path.parent.exists()
