"""From records to what people see: sentences, table, figures, files, command line."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import types
from itertools import pairwise
from pathlib import Path

import factory
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from matplotlib.figure import Figure
from rich.console import Console

from comparisons import report
from comparisons import statistics as st
from comparisons.errors import ComparisonError
from comparisons.records import from_json, save, to_json
from comparisons.report import bars, curves, figures, findings, style, table, text, titles
from comparisons.report.__main__ import main

CNN, FROZEN, TUTORIAL = "cnn:scratch", "mobilenet@0.25x160:frozen", "tutorial-cnn:scratch"
PAIR = factory.records([CNN, FROZEN])
CLASSROOM = [
    *factory.records([CNN, FROZEN], seeds=3),
    *factory.records([TUTORIAL], seeds=2),
    factory.record(TUTORIAL, 2, status="diverged", error="the loss is not finite"),
]
SIZES = factory.records([CNN, FROZEN, TUTORIAL], seeds=3, sizes=(5_000, 45_000))
NONE_WELL = [factory.record(status="failed", error="out of memory")]
STUDIES = {"pair": PAIR, "classroom": CLASSROOM, "sizes": SIZES, "none": NONE_WELL}
STUDIES["alone"] = factory.records([CNN])


def plain(words):
    return words.replace(text.SPACE, " ")


def pair(left, right, **changes):
    """Two arms with these test accuracies by seed."""
    return [
        *(factory.record(CNN, s, accuracy=a, **changes) for s, a in enumerate(left)),
        *(factory.record(FROZEN, s, accuracy=a, **changes) for s, a in enumerate(right)),
    ]


# --- what the sentences say -------------------------------------------------------------


@pytest.mark.parametrize(("left", "right", "winner"), [([0.9], [0.7], CNN), ([0.7], [0.9], FROZEN)])
def test_swapping_the_accuracies_swaps_the_winner(left, right, winner):
    records = pair(left, right)
    assert f"{winner} is more accurate" in findings.headline(records)[0]
    assert plain(titles.final(records)).startswith(f"{winner} 90.0 %")


def test_one_seed_has_no_interval_and_says_so():
    assert "One seed: no interval." in findings.headline(pair([0.9], [0.7]))[1]
    assert "one seed, no interval" in titles.final(pair([0.9], [0.7]))


def test_two_seeds_show_both_differences():
    line = findings.headline(pair([0.9, 0.88], [0.7, 0.7]))[1]
    assert "(+20.0 and +18.0)" in line
    assert "2 seeds: no interval" in line


def test_an_interval_that_includes_zero_names_no_winner():
    records = pair([0.80, 0.82, 0.84], [0.83, 0.81, 0.84])
    first, second, *_ = findings.headline(records)
    assert "no clear difference in accuracy" in first
    assert "more accurate" not in first
    assert "includes zero" in second
    assert "includes zero" in titles.final(records)


def test_an_interval_clear_of_zero_names_the_winner():
    first, second, *_ = findings.headline(pair([0.90, 0.91, 0.92], [0.80, 0.81, 0.82]))
    assert f"{CNN} is more accurate" in first
    assert "On these 3 seeds" in second
    assert "+10.0 to +10.0" in second


def test_a_gap_that_the_test_images_could_make_by_luck_names_no_winner():
    first, second, *_ = findings.headline(pair([0.803], [0.800]))
    assert "no clear difference" in first
    assert "Luck in drawing 10,000 test images" in second


def test_equal_runs_are_called_equal():
    history = factory.record(CNN).history
    seconds = factory.record(CNN).seconds
    records = pair([0.8] * 3, [0.8] * 3, history=history, seconds=seconds)
    line = findings.headline(records)[0]
    assert "no clear difference" in line
    assert "nor in time" in line
    assert "about the same time" in titles.time(records)
    assert "both reach" in titles.accuracy(records)


@given(some.lists(some.floats(0.05, 0.95), min_size=1, max_size=4), some.data())
@settings(max_examples=40, deadline=None)
def test_the_headline_never_contradicts_the_records(left, data):
    size = {"min_size": len(left), "max_size": len(left)}
    right = data.draw(some.lists(some.floats(0.05, 0.95), **size))
    line = findings.headline(pair(left, right))[0]
    gap = st.mean_of(left) - st.mean_of(right)
    if f"{CNN} is more accurate" in line:
        assert gap > 0
    elif f"{FROZEN} is more accurate" in line:
        assert gap < 0
    else:
        assert "no clear difference" in line


def test_the_faster_arm_is_the_one_with_fewer_seconds_cold():
    records = pair([0.9], [0.7])
    cold = {r.arm: st.total(r) for r in records}
    quicker = min(cold, key=cold.get)
    assert quicker == FROZEN
    assert f"{FROZEN} is faster" in findings.headline(records)[0]
    records[1].seconds.total += 1_000
    assert "is more accurate and faster" in findings.headline(records)[0]


def test_cached_features_are_mentioned_only_where_they_save_time():
    assert "once features are cached" in findings.headline(PAIR)[0]
    assert "cached" not in findings.headline(factory.records([CNN, TUTORIAL]))[0]


def test_best_from_scratch_meets_best_pretrained_even_when_it_is_third():
    records = [
        factory.record("vgg16@64:frozen", accuracy=0.9),
        factory.record(FROZEN, accuracy=0.85),
        factory.record(CNN, accuracy=0.8),
    ]
    assert "vgg16@64:frozen is more accurate" in findings.headline(records)[0]
    assert CNN in findings.headline(records)[0]
    assert FROZEN not in findings.headline(records)[0]


def test_the_leader_at_each_size_is_named():
    records = [
        *(factory.record(CNN, 0, n, accuracy=a) for n, a in ((5_000, 0.5), (45_000, 0.9))),
        *(factory.record(FROZEN, 0, n, accuracy=0.8) for n in (5_000, 45_000)),
    ]
    (line,) = (line for line in findings.headline(records) if line.startswith("With 5,000"))
    assert f"With 5,000 images {FROZEN} leads {CNN} by 30.0 points" in line
    assert f"with 45,000 images {CNN} leads {FROZEN} by 10.0 points" in line


def test_failed_and_diverged_runs_are_in_the_headline():
    assert f"{TUTORIAL} 1 of 3 diverged" in findings.headline(CLASSROOM)[-1]
    assert findings.headline(NONE_WELL) == ["No run ended well: cnn:scratch 1 of 1 failed."]
    assert findings.headline([]) == ["There are no runs yet."]


def falling(values, train=None):
    rows = factory.record().history[:1] * len(values)
    return [
        type(e)(e.phase, i + 1, t, 0.5, v, 0.5, 1e-3, 1.0, 1)
        for i, (e, v, t) in enumerate(zip(rows, values, train or values, strict=True))
    ]


@pytest.mark.parametrize(
    ("validation", "training", "says"),
    [
        ([3.0, 2.0, 1.0], None, "is still improving"),
        ([3.0, 2.0, 1.99], None, "has levelled off"),
        ([3.0, 1.0, 2.0], [3.0, 2.0, 1.0], "overfits after epoch 2"),
        ([3.0, 1.0, 2.0], [3.0, 1.0, 2.0], "gets worse after epoch 2"),
        ([3.0, None, 1.0], None, "No run that ended well"),
    ],
)
def test_the_loss_title_says_what_the_loss_did(validation, training, says):
    records = [factory.record(history=falling(validation, training))]
    assert says in titles.loss(records)


def test_the_time_title_names_who_was_first_at_a_level_both_reached():
    found = titles.race(titles.view(PAIR), 45_000)
    assert found.first.arm == FROZEN
    assert found.seconds[0] < found.seconds[1]
    assert plain(titles.time(PAIR)).startswith(f"{FROZEN} reaches {100 * found.level:.0f} %")


# --- the table --------------------------------------------------------------------------


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
    mean = st.summarise(map(st.accuracy, CLASSROOM[:3]))
    assert f"{100 * mean.mean:.1f} ± {100 * mean.spread:.1f}" in words
    assert "1 of 3 diverged" in words
    assert "2/3" in words


def test_rows_count_every_run_and_average_those_that_ended_well():
    row = next(r for r in table.summarise(CLASSROOM) if r.arm == TUTORIAL)
    assert (row.runs, row.ok, row.diverged, row.failed) == (3, 2, 1, 0)
    ended = [r for r in CLASSROOM if r.arm == TUTORIAL and r.status == "ok"]
    assert row.accuracy_mean == pytest.approx(st.mean_of(map(st.accuracy, ended)))
    every = [r.seconds.total for r in CLASSROOM if r.arm == TUTORIAL]
    assert row.seconds_spent == pytest.approx(sum(every))
    assert row.accuracy_low is None  # two seeds that ended well are too few
    assert row.interval is None


def test_rows_of_no_successful_run_have_no_numbers():
    (row,) = table.summarise(NONE_WELL)
    assert (row.accuracy_mean, row.seconds_cold, row.level) == (None, None, None)
    assert row.notes == "1 of 1 failed"
    assert "–" in printed(NONE_WELL)


def test_cold_and_warm_differ_by_the_extraction():
    rows = {r.arm: r for r in table.summarise(PAIR)}
    assert rows[FROZEN].seconds_cold - rows[FROZEN].seconds_warm == pytest.approx(40.0)
    assert rows[CNN].seconds_cold == rows[CNN].seconds_warm


def test_upstream_cost_in_words():
    assert "images seen: 115,305,030" in table.upstream([factory.record(FROZEN)])
    assert "Howard et al. 2017" in table.upstream([factory.record(FROZEN)])
    assert table.upstream([factory.record(CNN)]) == "none"
    assert table.upstream([factory.record(CNN, weights=None)]) == "not recorded"


def test_csv_and_json_say_the_same(tmp_path):
    rows = table.summarise(CLASSROOM)
    table.write_csv(rows, tmp_path / "s.csv")
    table.write_json(rows, ["It is so."], tmp_path / "s.json")
    with (tmp_path / "s.csv").open(newline="") as file:
        from_csv = list(csv.DictReader(file))
    content = json.loads((tmp_path / "s.json").read_text())
    assert content["headline"] == ["It is so."]
    assert [r["label"] for r in from_csv] == [r["label"] for r in content["rows"]]
    for one, other in zip(from_csv, content["rows"], strict=True):
        assert float(one["accuracy_mean"]) == other["accuracy_mean"]
        assert one["accuracy_low"] == ("" if other["accuracy_low"] is None else
                                       str(other["accuracy_low"]))  # fmt: skip


# --- numbers as words -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.424, "0.42 s"), (3.44, "3.4 s"), (9.97, "10 s"), (117.6, "118 s"), (1410, "23.5 min"),
     (9000, "2.5 h"), (None, "–"), (0, "0.00 s")],
)  # fmt: skip
def test_seconds_in_words(value, words):
    assert plain(text.seconds(value)) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0172, "+1.7"), (-0.0034, "−0.3"), (0.0001, "0.0"), (-0.0001, "0.0"), (None, "–")],
)
def test_points_in_words(value, words):
    assert text.points(value) == words


def test_other_numbers_in_words():
    assert plain(text.percent(0.8403)) == "84.0 %"
    assert plain(text.scaled(304_714)) == "304.7 k"
    assert plain(text.scaled(1.4e9, "B")) == "1.40 GB"
    assert text.count(45_000) == "45,000"
    assert text.listing(["a", "b", "c"]) == "a, b and c"
    assert text.flat({"keras": "3", "gpu": None, "clean": True}) == "keras 3, gpu –, clean yes"
    assert text.clean("a\x00b\ud800") == "a\ufffdb\ufffd"


# --- the figures ------------------------------------------------------------------------

ARMS = [*factory.ARMS, "vgg16@64:partial", "mobilenet@0.25x160:lora@8", "mobilenet@1.0x224:frozen",
        "cnn:gradual"]  # fmt: skip


def test_no_two_arms_of_a_report_share_colour_or_marker():
    chosen = style.styles(ARMS)
    assert len({s.colour for s in chosen.values()}) == len(ARMS)
    assert len({s.marker for s in chosen.values()}) == len(ARMS)  # a grey print still works
    assert len({s.glyph for s in chosen.values()}) == len(ARMS)


def test_known_arms_keep_their_style_whatever_else_is_there():
    alone = style.styles([FROZEN])[FROZEN]
    assert style.styles(ARMS)[FROZEN] == alone
    assert style.styles([CNN])[CNN] == style.KNOWN["cnn:scratch"]
    assert style.styles(reversed(ARMS)) == style.styles(ARMS)


def test_other_arms_keep_their_style_as_long_as_it_is_free():
    name = "resnet:frozen"
    assert style.styles([name])[name] == style.styles([name, CNN, FROZEN])[name]


def test_names_are_dark_enough_to_read_on_white():
    for s in (*style.KNOWN.values(), *style.OTHERS):
        assert 1.05 / (style.luminance(s.ink) + 0.05) >= 4.5


def test_parts_of_a_run_stay_apart_in_grey():
    ranked = sorted(style.luminance(c) for c in bars.PART_COLOURS.values())
    assert min(b - a for a, b in pairwise(ranked)) > 0.05


@given(
    some.lists(some.floats(0, 1), max_size=8),
    some.floats(0.01, 0.3),
)
def test_labels_never_overlap_nor_leave_their_room(wanted, gap):
    placed = style.spread_out(wanted, gap, 0.0, 1.0)
    room = min(gap, 1 / max(1, len(wanted) - 1))
    order = sorted(placed)
    assert all(b - a >= room - 1e-9 for a, b in pairwise(order))
    assert all(-1e-9 <= y <= 1 + 1e-9 for y in placed)


def test_labels_with_room_stay_where_they_are_and_keep_their_order():
    assert style.spread_out([0.9, 0.1, 0.5], 0.1, 0, 1) == pytest.approx([0.9, 0.1, 0.5])
    low, high = style.spread_out([0.5, 0.52], 0.1, 0, 1)
    assert (low, high) == pytest.approx((0.46, 0.56))


def arm_lines(fig, s):
    return [line for ax in fig.axes for line in ax.lines if line.get_color() == s.colour]


@pytest.mark.parametrize("draw", [curves.loss, curves.accuracy, curves.time, bars.final])
def test_an_arm_has_the_same_colour_and_marker_in_every_figure(draw):
    fig = draw(CLASSROOM)
    for s in style.styles([CNN, FROZEN, TUTORIAL]).values():
        assert s.marker in {line.get_marker() for line in arm_lines(fig, s)}


def test_every_seed_is_a_point_and_the_interval_needs_three():
    fig = bars.final(CLASSROOM)
    chosen = style.styles([CNN, TUTORIAL])
    points = {
        arm: sum(len(x.get_xdata()) for x in arm_lines(fig, s) if x.get_marker() == s.marker)
        for arm, s in chosen.items()
    }
    assert points == {CNN: 3, TUTORIAL: 2}
    wide = {arm: [x for x in arm_lines(fig, s) if x.get_linewidth() == 5]
            for arm, s in chosen.items()}  # fmt: skip
    assert (len(wide[CNN]), len(wide[TUTORIAL])) == (1, 0)


def words(fig: Figure) -> str:
    return plain(" ".join(t.get_text() for t in fig.findobj(lambda a: hasattr(a, "get_text"))))


def test_figures_show_failed_and_diverged_runs():
    assert "1 of 3 diverged" in words(bars.final(CLASSROOM))
    assert "1 of 3 diverged" in words(bars.split(CLASSROOM))
    assert "diverged" in words(curves.loss(CLASSROOM))


def test_the_title_of_a_figure_is_its_finding():
    for plot in figures.drawable(SIZES):
        for narrow in (False, True):
            shown = " ".join(words(plot.draw(SIZES, narrow=narrow)).split())
            assert plain(plot.finding(SIZES)) in shown, plot.name


def test_training_is_dashed_and_validation_solid():
    fig = curves.loss(PAIR)
    s = style.styles([CNN, FROZEN])[CNN]
    assert {line.get_linestyle() for line in arm_lines(fig, s)} == {"-", "--"}


def test_the_run_that_ran_away_does_not_flatten_the_others():
    wild = factory.record(TUTORIAL, 2, status="diverged")
    wild.history[-1].val_loss = 1e9
    (ax,) = curves.loss([*CLASSROOM[:-1], wild]).axes
    assert ax.get_ylim()[1] < 10


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("plot", figures.FIGURES.values(), ids=lambda p: p.name)
@pytest.mark.parametrize("records", [NONE_WELL, []], ids=["none well", "none"])
def test_drawing_nothing_is_no_mistake(plot, narrow, records):
    assert isinstance(plot.draw(records, narrow=narrow), Figure)


def test_only_what_has_something_to_show_is_drawn():
    assert [p.name for p in figures.drawable(NONE_WELL)] == []
    assert len(figures.drawable(PAIR)) == 6
    assert len(figures.drawable(SIZES)) == 9


def test_letters_of_narrow_figures_are_12_pixels_on_a_page_of_400():
    for plot in figures.drawable(CLASSROOM):
        fig = plot.draw(CLASSROOM, narrow=True)
        pixels_per_point = 374 / (72 * fig.get_figwidth())  # the page leaves 374 of 400 pixels
        texts = fig.findobj(lambda a: hasattr(a, "get_fontsize") and a.get_text().strip())
        assert min(t.get_fontsize() for t in texts) * pixels_per_point >= 12, plot.name


def test_dollar_signs_and_strange_letters_do_not_break_a_figure():
    strange = factory.record(r"$\frac{1:scratch", classes=["$x_", "一", "a\x07b", "🙂"])
    for plot in figures.drawable([strange]):
        assert style.svg(plot.draw([strange])).startswith(b"<?xml")


def test_pyplot_is_never_used():
    code = (
        "import sys, factory; from comparisons.report import figures, style\n"
        "style.svg(figures.FIGURES['loss'].draw(factory.records(['cnn:scratch'])))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())


# --- files and the command line ---------------------------------------------------------


def environment():
    here = Path(__file__).parent
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
    drawn = [p.name for p in figures.drawable(CLASSROOM)]
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
    assert "DIR" in capsys.readouterr().err


@given(some.floats(0, 1), some.text(), some.integers(0, 2**31), some.lists(some.text()))
@settings(max_examples=40, deadline=None)
def test_a_record_survives_the_trip_through_json(accuracy, error, seed, notices):
    for status in ("ok", "failed", "diverged"):
        before = factory.record(FROZEN, seed, status=status, accuracy=accuracy, error=error,
                                notices=notices)  # fmt: skip
        assert from_json(to_json(before)) == before


# --- in a notebook ----------------------------------------------------------------------


def test_show_prints_headline_and_table_in_a_terminal(capsys):
    report.show(CLASSROOM)
    out = capsys.readouterr().out
    assert findings.headline(CLASSROOM)[0] in out
    assert "1 of 3 diverged" in out
    report.show([])
    assert "no records" in capsys.readouterr().out


def test_show_displays_each_figure_once_in_a_notebook(monkeypatch):
    shown = []
    fake = types.ModuleType("IPython.display")
    fake.HTML = lambda data: ("html", data)
    fake.Image = lambda data, width, alt: ("image", data, alt)
    fake.display = shown.append
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    monkeypatch.setattr(report, "_in_notebook", lambda: True)
    two = {name: figures.FIGURES[name] for name in ("loss", "time-split")}
    monkeypatch.setattr(figures, "FIGURES", two)
    assert report.show(PAIR) is None  # nothing that the notebook would draw a second time
    assert [kind for kind, *_ in shown] == ["html"] + ["image"] * 2
    assert findings.headline(PAIR)[0].split(",")[0] in shown[0][1]
    assert all(data.startswith(b"\x89PNG") and alt for _, data, alt in shown[1:])
