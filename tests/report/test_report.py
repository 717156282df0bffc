"""The table, the files and the command line of a report, and what a notebook shows."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import factory
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from rich.console import Console

from comparisons import report
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT
from comparisons.core.records import from_json, save, to_json
from comparisons.findings import intervals, text, verdict
from comparisons.findings.headline import headline
from comparisons.findings.view import view
from comparisons.report import table
from comparisons.report.__main__ import main
from comparisons.report.figures import catalog

CNN, FROZEN, TUTORIAL = "cnn:scratch", "mobilenet@0.25x160:frozen", "tutorial-cnn:scratch"
PAIR = factory.records([CNN, FROZEN])
CLASSROOM = factory.classroom()
NONE_WELL = [factory.record(status="failed", error="out of memory")]
STUDIES = {
    "pair": PAIR,
    "classroom": CLASSROOM,
    "sizes": factory.records([CNN, FROZEN, TUTORIAL], seeds=3, sizes=(5_000, 45_000)),
    "none": NONE_WELL,
    "alone": factory.records([CNN]),
    "ways": factory.ways(),
    "small ways": factory.ways("tiny"),
}


def printed(records, width=100):
    console = Console(file=io.StringIO(), width=width)
    table.print_table(table.summarise(records), console)
    return console.file.getvalue()


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_terminal_table_fits(name, width):
    lines = printed(STUDIES[name], width).splitlines()
    assert max(map(len, lines)) <= min(width, 100)


def test_a_long_name_folds_instead_of_widening_the_table():
    records = [factory.record(f"{'x' * 80}:scratch"), *PAIR]
    lines = printed(records).splitlines()
    assert max(map(len, lines)) <= 100
    assert sum(line.count("x") for line in lines) >= 80


def test_the_terminal_table_shows_accuracy_spread_and_what_went_wrong():
    words = printed(CLASSROOM)
    mean = intervals.summarise(map(intervals.accuracy, CLASSROOM[:3]))
    assert f"{100 * mean.mean:.1f} ± {100 * mean.spread:.1f}" in words
    assert "1 of 3 diverged" in words
    assert "2/3" in words


def test_the_terminal_table_shows_forgetting_and_source_seconds_where_there_are_any():
    words = " ".join(printed(STUDIES["ways"]).split())
    assert "forgot source s" in words
    lost = [r.forgetting.before - r.forgetting.after for r in STUDIES["ways"]
            if r.strategy == "full-hot"]  # fmt: skip
    row = next(r for r in table.summarise(STUDIES["ways"]) if r.arm.endswith(":full-hot"))
    assert row.forgotten_mean == pytest.approx(intervals.mean_of(lost))
    assert f"{100 * row.forgotten_mean:.1f}" in words
    assert "forgot" not in printed(PAIR)
    assert "source s" not in printed([r for r in STUDIES["ways"] if r.strategy != "complete"])


def test_rows_tell_the_source_phase_and_the_bytes_that_adapters_sit_on():
    rows = {r.arm.partition(":")[2]: r for r in table.summarise(STUDIES["ways"])}
    assert rows["complete"].seconds_source_cold == pytest.approx(95)
    assert rows["full"].seconds_source_cold == 0
    assert rows["qlora@8"].adapted_bytes * 8 == rows["lora@8"].adapted_bytes
    assert rows["full"].adapted_bytes is None


def test_rows_count_every_run_and_average_those_that_ended_well():
    row = next(r for r in table.summarise(CLASSROOM) if r.arm == TUTORIAL)
    assert (row.runs, row.ok, row.diverged, row.failed) == (3, 2, 1, 0)
    ended = [r for r in CLASSROOM if r.arm == TUTORIAL and r.status == "ok"]
    assert row.accuracy_mean == pytest.approx(intervals.mean_of(map(intervals.accuracy, ended)))
    every = [r.seconds.total + r.seconds.watch for r in CLASSROOM if r.arm == TUTORIAL]
    assert row.seconds_spent == pytest.approx(sum(every))
    assert row.accuracy_low is None  # two seeds that ended well are too few
    assert row.interval is None


def test_rows_of_no_successful_run_have_no_numbers():
    (row,) = table.summarise(NONE_WELL)
    assert (row.accuracy_mean, row.seconds_learning_cold, row.level) == (None, None, None)
    assert row.notes == "1 of 1 failed"
    assert "–" in printed(NONE_WELL)


def test_cold_and_warm_differ_by_the_extraction():
    rows = {r.arm: r for r in table.summarise(PAIR)}
    frozen, scratch = rows[FROZEN], rows[CNN]
    saved = frozen.seconds_learning_cold - frozen.seconds_learning_warm
    assert saved == pytest.approx(40.0 + 2.0)  # the training images, and preparing the engine
    assert scratch.seconds_learning_cold == scratch.seconds_learning_warm
    assert frozen.seconds_measuring_cold == pytest.approx(3.0 + 0.3 * 40.0)
    assert frozen.seconds_total_cold == pytest.approx(
        frozen.seconds_learning_cold + frozen.seconds_measuring_cold
    )


def test_upstream_cost_in_words():
    assert "images seen: 115,305,030" in table.upstream([factory.record(FROZEN)])
    assert "Howard et al. 2017" in table.upstream([factory.record(FROZEN)])
    assert table.upstream([factory.record(CNN)]) == "none"
    assert table.upstream([factory.record(CNN, weights=None)]) == "not recorded"


def test_csv_and_json_say_the_same(tmp_path):
    rows = table.summarise(CLASSROOM)
    table.write_csv(rows, tmp_path / "s.csv")
    table.write_json(rows, view(CLASSROOM), tmp_path / "s.json")
    with (tmp_path / "s.csv").open(newline="") as file:
        from_csv = list(csv.DictReader(file))
    content = json.loads((tmp_path / "s.json").read_text())
    assert content["headline"] == headline(CLASSROOM)
    assert content["crossings"] == []  # of one size
    several = [factory.record(arm, s, n, accuracy=a + 0.003 * s * (arm == CNN)) for s in (0, 1, 2)
               for arm, reached in ((CNN, (0.5, 0.7)), (FROZEN, (0.6, 0.65)))
               for n, a in zip((1_000, 10_000), reached, strict=True)]  # fmt: skip
    table.write_json(table.summarise(several), view(several), tmp_path / "s.json")
    (crossing,) = json.loads((tmp_path / "s.json").read_text())["crossings"]
    images = crossing.pop("images")
    assert list(images) == ["estimate", "low", "high"]
    assert 1_000 < images["low"] < images["estimate"] < images["high"] < 10_000
    assert crossing == {"arms": [CNN, FROZEN], "outcome": "between", "measured": [1_000, 10_000],
                        "next_sizes": [2_200, 4_600]}  # fmt: skip
    assert [r["label"] for r in from_csv] == [r["label"] for r in content["rows"]]
    for one, other in zip(from_csv, content["rows"], strict=True):
        assert float(one["accuracy_mean"]) == other["accuracy_mean"]
        assert one["accuracy_low"] == ("" if other["accuracy_low"] is None else
                                       str(other["accuracy_low"]))  # fmt: skip


def environment():
    here = Path(__file__).parents[1]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (here, here.parent)))}


def test_importing_the_report_brings_no_deep_learning_framework():
    code = (
        "import sys, comparisons.report, comparisons.report.__main__\n"
        "found = {'tensorflow', 'keras', 'jax', 'torch', 'IPython'} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for r in CLASSROOM:
        save(r, folder)
    report.build(folder)
    return folder


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def test_build_writes_what_the_contract_names(built):
    names = {n for n in files(built) if not n.startswith("runs/")}
    drawn = [p.name for p in catalog.drawable(CLASSROOM)]
    assert names == {
        "summary.csv", "summary.json", "report.html",
        *(f"figures/{name}.{suffix}" for name in drawn for suffix in ("png", "svg")),
    }  # fmt: skip


def test_building_again_gives_the_same_bytes_and_clears_stale_figures(built, tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "loss-sizes.png").write_bytes(b"of an earlier report")
    (tmp_path / "figures" / "mine.png").write_bytes(b"the user's own")
    report.build(tmp_path, CLASSROOM[::-1])
    again = files(tmp_path)
    assert again.pop("figures/mine.png") == b"the user's own"
    assert again == {n: b for n, b in files(built).items() if not n.startswith("runs/")}


def test_no_half_written_file_replaces_a_good_one(built, monkeypatch):
    before = files(built)
    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(ComparisonError) as error:
        report.build(built)
    assert error.value.exit_code == 1
    assert files(built) == before


def refuse(*_):
    raise OSError(28, "No space left on device")


def test_the_command_line_rebuilds_and_names_damaged_records(tmp_path, capsys):
    for r in NONE_WELL:
        save(r, tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "torn.json").write_text('{"schema": 1, "id"')
    assert main([str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == str(tmp_path / "report.html")
    assert len(err.splitlines()) == 1
    assert "torn.json" in err
    assert "torn.json" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("what", ["missing", "empty", "a file", "only damaged"])
def test_nothing_to_report_is_one_line_and_exit_code_2(what, tmp_path, capsys):
    folder = tmp_path / "results"
    if what == "a file":
        folder.write_text("no folder")
    elif what != "missing":
        (folder / "runs").mkdir(parents=True)
    if what == "only damaged":
        (folder / "runs" / "torn.json").write_text("{")
    assert main([str(folder)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == (2 if what == "only damaged" else 1)
    assert str(folder) in lines[-1]


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_code_1(tmp_path, capsys):
    save(PAIR[0], tmp_path)
    (tmp_path / "figures").write_text("a file where the folder should be")
    assert main([str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot write" in line


def test_a_command_leads_with_its_runs_and_the_summary_holds_all(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "FIGURES", {})
    small = factory.records([CNN, FROZEN], sizes=(2_000,))
    for lead in (small, [r.id for r in small]):
        report.build(tmp_path, [*PAIR, *small], lead=lead)
        content = json.loads((tmp_path / "summary.json").read_text())
        assert content["headline"][0].startswith("With 2,000 training images")
        assert {row["train_size"] for row in content["rows"]} == {2_000, 45_000}
    report.build(tmp_path, [*PAIR, *small])
    content = json.loads((tmp_path / "summary.json").read_text())
    assert content["headline"][0].startswith("With 45,000 training images")


@pytest.mark.parametrize("lead", [["no such run"], []])
def test_without_a_run_to_lead_all_do(tmp_path, lead):
    report.build(tmp_path, NONE_WELL, lead=lead)
    assert "No run ended well" in (tmp_path / "report.html").read_text()


def ended(folder, output):
    """How `python -m comparisons.report` ends where its words go to a file or a closed pipe."""
    made = [sys.executable, "-m", "comparisons.report", str(folder)]
    done = subprocess.run(made, stdout=output, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    return done.returncode, done.stderr


def test_words_that_nobody_reads_or_that_find_no_room_are_no_traceback(tmp_path):
    save(NONE_WELL[0], tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        assert ended(tmp_path, pipe) == (1, "")
    assert (tmp_path / "report.html").is_file()
    with Path("/dev/full").open("w") as full:
        code, said = ended(tmp_path, full)
    assert code == 1 and said == "error: cannot print: No space left on device\n"


def test_the_answer_stands_above_the_table_at_80_columns():
    console = Console(file=io.StringIO(), width=80)
    table.print_findings(CLASSROOM, console)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    words = " ".join(" ".join(lines).split())
    answer = verdict.headline(CLASSROOM)[0].replace(text.SPACE, " ")
    assert words.index(answer) == 0 < words.index("accuracy %")


def test_names_are_in_words_and_once_as_they_are_typed():
    words = printed(factory.records([FROZEN], sizes=(5_000, 45_000))).replace(text.SPACE, " ")
    assert words.count("MobileNet ¼, 160 px · frozen") == 2
    assert words.count(FROZEN) == 1


@pytest.mark.parametrize("width", [60, 80, 100])
def test_names_have_room_however_narrow_a_terminal_is(width):
    rows = [line.split("  ")[0] for line in printed(STUDIES["sizes"], width).splitlines()]
    assert any("CNN · from scratch" in row for row in rows)


def test_accuracy_at_chance_is_shown_in_brackets_and_enters_no_mean():
    lost = factory.record(TUTORIAL, accuracy=0.1012)
    lost.status, lost.error = "diverged", "no better than chance yet: training accuracy 10 %"
    words = printed([*PAIR, lost])
    assert "(10.1)" in words and "no better than chance yet" in words
    assert "diverged" not in words
    row = next(r for r in table.summarise([*PAIR, lost]) if r.arm == TUTORIAL)
    assert (row.accuracy_mean, row.diverged) == (None, 1)
    assert row.accuracy_aside == pytest.approx(0.1012)


def test_help_has_an_example_and_the_exit_codes(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert "python -m comparisons.report results/cifar10" in out
    assert "exit codes" in out


def test_no_argument_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "DIR" in line and line.startswith("error: ")


@given(some.floats(0, 1), some.text(), some.integers(0, 2**31), some.lists(some.text()))
@settings(max_examples=40, deadline=None)
def test_a_record_survives_the_trip_through_json(accuracy, error, seed, notices):
    for status in ("ok", "failed", "diverged"):
        before = factory.record(FROZEN, seed, status=status, accuracy=accuracy, error=error,
                                notices=notices)  # fmt: skip
        assert from_json(to_json(before)) == before


def test_show_prints_headline_and_table_in_a_terminal(capsys):
    report.show(CLASSROOM)
    out = capsys.readouterr().out
    assert "".join(verdict.headline(CLASSROOM)[0].split()) in "".join(out.split())
    assert "1 of 3 diverged" in out
    report.show([])
    assert "no records" in capsys.readouterr().out


def test_show_displays_each_figure_once_in_a_notebook(monkeypatch):
    shown = []
    fake = types.ModuleType("IPython.display")
    fake.HTML = lambda data: ("html", data)
    fake.display = shown.append
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    monkeypatch.setattr(report, "in_notebook", lambda: True)
    two = {name: catalog.FIGURES[name] for name in ("loss", "time-split")}
    monkeypatch.setattr(catalog, "FIGURES", two)
    assert report.show(PAIR) is None  # nothing that the notebook would draw a second time
    (kind, html), *figures = shown
    assert kind == "html"
    assert verdict.headline(PAIR)[0].split(",")[0] in html
    assert len(figures) == 2
    for figure in figures:
        data, about = figure._repr_mimebundle_()
        assert data["image/png"].startswith(b"\x89PNG")
        assert about["image/png"]["alt"]
