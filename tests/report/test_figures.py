"""The figures: one look for an arm everywhere, honest titles, letters that can be read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import factory
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from matplotlib.figure import Figure

from comparisons.findings import looks, text, titles
from comparisons.report.figures import arm_styles, bars, catalog, curves, paper, style
from comparisons.report.figures.paper import NARROW, WIDE

CNN, FROZEN, TUTORIAL = "cnn:scratch", "mobilenet@0.25x160:frozen", "tutorial-cnn:scratch"
PAIR = factory.records([CNN, FROZEN])
CLASSROOM = factory.classroom()
NONE_WELL = [factory.record(status="failed", error="out of memory")]
SIZES = factory.records([CNN, FROZEN], sizes=(5_000, 45_000))


def plain(words):
    return words.replace(text.SPACE, " ")


ARMS = [*factory.ARMS, "vgg16@64:partial", "mobilenet@0.25x160:lora@8", "mobilenet@1.0x224:frozen",
        "cnn:gradual"]  # fmt: skip


def test_no_two_arms_of_a_report_share_colour_or_marker():
    chosen = arm_styles.styles(ARMS)
    assert len({s.colour for s in chosen.values()}) == len(ARMS)
    assert len({s.marker for s in chosen.values()}) == len(ARMS)  # a grey print still works
    assert len({s.glyph for s in chosen.values()}) == len(ARMS)


@given(low=some.floats(0, 0.98), span=some.floats(0.011, 1))
def test_an_axis_of_per_cents_says_what_its_ticks_are(low, span):
    ax = Figure().subplots()
    ax.set_ylim(low, min(low + span, 1))
    style.percent_axis(ax.yaxis)
    ticks = ax.yaxis.get_majorticklocs()
    said = [
        float(label.split()[0]) / 100
        for label in ax.yaxis.get_major_formatter().format_ticks(ticks)
    ]
    assert said == pytest.approx(list(ticks), abs=1e-9)


def test_an_axis_of_per_cents_has_no_tick_that_no_share_can_be():
    ax = Figure().subplots()
    ax.set_xlim(-0.3, 1.8)
    style.percent_axis(ax.xaxis)
    ticks = ax.xaxis.get_majorticklocs()
    assert (min(ticks), max(ticks)) == pytest.approx((0.0, 1.0))


def test_known_arms_keep_their_style_whatever_else_is_there():
    alone = arm_styles.styles([FROZEN])[FROZEN]
    assert arm_styles.styles(ARMS)[FROZEN] == alone
    assert arm_styles.styles([CNN])[CNN] == arm_styles.style(looks.KNOWN["cnn:scratch"])
    assert arm_styles.styles(reversed(ARMS)) == arm_styles.styles(ARMS)


def test_other_arms_keep_their_style_as_long_as_it_is_free():
    name = "resnet:frozen"
    assert arm_styles.styles([name])[name] == arm_styles.styles([name, CNN, FROZEN])[name]


def test_names_are_dark_enough_to_read_on_white():
    for look in (*looks.KNOWN.values(), *looks.OTHERS):
        assert 1.05 / (arm_styles.luminance(arm_styles.style(look).ink) + 0.05) >= 4.5


def test_parts_of_a_run_stay_apart_in_grey():
    for _, parts, _, _ in bars.KINDS:
        ranked = sorted(arm_styles.luminance(bars.PART_COLOURS[part]) for part in parts)
        assert min((b - a for a, b in pairwise(ranked)), default=1.0) > 0.05
    hatches = [hatch for *_, hatch in bars.KINDS]
    assert len(set(hatches)) == len(hatches)


@given(
    some.lists(some.floats(0, 1), max_size=8),
    some.floats(0.01, 0.3),
)
@settings(deadline=None)
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
    for s in arm_styles.styles([CNN, FROZEN, TUTORIAL]).values():
        assert s.marker in {line.get_marker() for line in arm_lines(fig, s)}


def test_every_seed_is_a_point_and_the_interval_needs_three():
    fig = bars.final(CLASSROOM)
    chosen = arm_styles.styles([CNN, TUTORIAL])
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
    for plot in catalog.drawable(SIZES):
        shown = " ".join(words(plot.draw(SIZES)).split())
        assert plain(plot.finding(SIZES)) in shown, plot.name


@pytest.mark.parametrize("name", ["accuracy-time-sizes", "accuracy-sizes", "loss-sizes"])
@pytest.mark.parametrize("several", [False, True], ids=["one leads", "they take turns"])
def test_a_title_over_many_sizes_takes_three_lines(name, several):
    sizes = [100, 300, 1_000, 3_000, 5_000, 10_000, 20_000, 45_000]
    runs = []
    for number, size in enumerate(sizes):
        ahead = several and number % 2
        for arm, accuracy in ((CNN, 0.6 + 0.1 * ahead), (FROZEN, 0.7 - 0.1 * ahead)):
            run = factory.record(arm, train_size=size, accuracy=accuracy + number / 100)
            if ahead and arm == CNN:
                run.history[-1].val_loss = 9.0  # as what overfits
                run.history[-1].train_loss = 0.0
            runs.append(run)
    figure = catalog.FIGURES[name].draw(runs)
    said = plain(figure.alt)
    assert figure.subfigs[0].texts[0].get_text().count("\n") < 3
    assert said == " ".join(plain(figure.subfigs[0].texts[0].get_text()).split())
    if name == "accuracy-time-sizes":
        assert "45,000 images" in said
    elif not several:
        assert said.startswith("With 100 to 45,000 images ")
    elif name == "loss-sizes":
        assert said.endswith("; with 45,000 images 2 of 2 arms overfit")
    else:
        first, last = said.split("; ")
        assert first.startswith("With 100 images MobileNet ¼ · frozen reaches")
        assert last.startswith("with 45,000 images CNN · from scratch reaches")


def test_sizes_next_to_each_other_that_the_same_is_true_of_are_told_together():
    runs = factory.records([FROZEN], sizes=(100, 300, 1_000))
    runs += [factory.record(CNN, train_size=n, accuracy=a)
             for n, a in ((100, 0.1), (300, 0.95), (1_000, 0.96))]  # fmt: skip
    said = plain(titles.accuracy_by_size(runs))
    assert re.fullmatch(
        r"With 100 images MobileNet ¼ · frozen reaches [\d.]+ %; with 300 to 1,000 images "
        r"CNN · from scratch reaches [\d.]+ % to [\d.]+ % on validation images",
        said,
    ), said


def test_an_arm_without_a_run_that_ended_well_is_still_named_in_every_figure():
    bad = [factory.record(TUTORIAL, s, status="diverged") for s in range(2)]
    for draw in (curves.loss, curves.accuracy, bars.final, bars.split):
        shown = words(draw([*PAIR, *bad]))
        assert "Tutorial CNN" in shown
        assert "2 of 2 diverged" in shown


def test_the_accuracy_of_a_run_at_chance_is_drawn_though_in_no_mean():
    lost = factory.record(TUTORIAL, accuracy=0.1012)
    lost.status, lost.error = "diverged", "no better than chance yet: training accuracy 10 %"
    for epoch in lost.history:
        epoch.val_accuracy = epoch.train_accuracy = 0.1
    final = bars.final([*PAIR, lost])
    assert "(10.1 %)" in words(final)
    look = arm_styles.styles([CNN, FROZEN, TUTORIAL])[TUTORIAL]
    (ax,) = final.axes
    (point,) = [line for line in ax.lines if line.get_marker() == look.marker]
    assert point.get_xdata()[0] > ax.get_xlim()[0] and point.get_markerfacecolor() == "none"
    (ax,) = curves.accuracy([*PAIR, lost]).axes
    assert ax.get_ylim()[0] < 0.1


def test_a_small_gap_does_not_fill_the_axis():
    records = [factory.record(CNN, accuracy=0.801), factory.record(FROZEN, accuracy=0.800)]
    (ax,) = bars.final(records).axes
    low, high = ax.get_xlim()
    assert high - low > 0.05


def test_seconds_are_on_a_logarithmic_axis_where_one_arm_takes_twenty_times_as_long_as_another():
    def scale(*paces: float) -> str:
        runs = []
        for arm, pace in zip((TUTORIAL, CNN), paces, strict=False):
            run = factory.record(arm)
            for epoch in run.history:
                epoch.seconds = pace
            run.history[0].seconds = pace / 10  # one arm alone spans more than ten times, too
            run.seconds = factory.bill(run.history)
            runs.append(run)
        (ax,) = curves.time(runs).axes
        return ax.get_xscale()

    assert scale(100.0) == "linear"
    assert scale(100.0, 50.0) == "linear"
    assert scale(100.0, 20.0) == "linear"  # thirteen times
    assert scale(100.0, 1.0) == "log"


def test_training_is_dashed_and_validation_solid():
    fig = curves.loss(PAIR)
    s = arm_styles.styles([CNN, FROZEN])[CNN]
    assert {line.get_linestyle() for line in arm_lines(fig, s)} == {"-", "--"}


def test_the_run_that_ran_away_does_not_flatten_the_others():
    wild = factory.record(TUTORIAL, 2, status="diverged")
    wild.history[-1].val_loss = 1e9
    (ax,) = curves.loss([*CLASSROOM[:-1], wild]).axes
    assert ax.get_ylim()[1] < 10


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("plot", catalog.FIGURES.values(), ids=lambda p: p.name)
@pytest.mark.parametrize("records", [NONE_WELL, []], ids=["none well", "none"])
def test_drawing_nothing_is_no_mistake(plot, narrow, records):
    assert isinstance(plot.draw(records, NARROW if narrow else WIDE), Figure)


def test_only_what_has_something_to_show_is_drawn():
    assert [p.name for p in catalog.drawable(NONE_WELL)] == []
    assert len(catalog.drawable(PAIR)) == 8
    assert len(catalog.drawable(SIZES)) == 12


def test_letters_of_narrow_figures_are_12_pixels_on_a_page_of_400():
    for plot in catalog.drawable(CLASSROOM):
        fig = plot.draw(CLASSROOM, NARROW)
        pixels_per_point = 374 / (72 * fig.get_figwidth())  # the page leaves 374 of 400 pixels
        texts = fig.findobj(lambda a: hasattr(a, "get_fontsize") and a.get_text().strip())
        assert min(t.get_fontsize() for t in texts) * pixels_per_point >= 12, plot.name


def test_dollar_signs_and_strange_letters_do_not_break_a_figure():
    strange = factory.record(r"$\frac{1:scratch", classes=["$x_", "一", "a\x07b", "🙂"])
    for plot in catalog.drawable([strange]):
        ET.fromstring(paper.svg(plot.draw([strange])))


def test_pyplot_is_never_used():
    code = (
        "import sys, factory; from comparisons.report.figures import catalog, paper\n"
        "paper.svg(catalog.FIGURES['loss'].draw(factory.records(['cnn:scratch'])))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())


def environment():
    here = Path(__file__).parents[1]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (here, here.parent)))}
