"""Figures of ways of training: what their titles say, who is in them, one style for each way."""

from __future__ import annotations

from itertools import combinations, pairwise

import factory
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from comparisons.core.records import Moved
from comparisons.findings import names, text, titles, ways
from comparisons.findings.view import view
from comparisons.report.figures import arm_styles, bars, catalog, curves
from comparisons.report.figures import ways as way_figures
from comparisons.report.figures.paper import EDGE, NARROW, WIDE
from comparisons.report.figures.style import MANY

BASE = "mobilenet@0.25x96"
SAID = {strategy: names.strategy_name(strategy) for strategy in factory.WAYS}
WAYS = factory.ways()
NEW = ["accuracy-cost", "accuracy-parameters", "moved", "forgetting"]


def plain(words: str) -> str:
    return " ".join(words.replace(text.SPACE, " ").split())


def words(fig: Figure) -> str:
    return plain(" ".join(t.get_text() for t in fig.findobj(lambda a: hasattr(a, "get_text"))))


def drawn(records) -> set[str]:
    return {plot.name for plot in catalog.drawable(records)}


def arm(strategy, accuracy, base=BASE, seeds=3, **changes):
    """An arm whose seeds lie 0.001 apart around an accuracy, so that an interval is narrow."""
    return [
        factory.way(strategy, seed, base, accuracy=accuracy + (seed - 1) / 1000, **changes)
        for seed in range(seeds)
    ]


# --- which figures there are ------------------------------------------------------------


def test_all_ways_of_training_have_all_four_figures():
    assert set(NEW) <= drawn(WAYS)


def test_a_price_needs_three_arms_and_time_three_ways():
    two = [*arm("full", 0.8), *arm("frozen", 0.7)]
    assert not {"accuracy-cost", "accuracy-parameters"} & drawn(two)
    same = [*two, *arm("frozen", 0.6, "tiny")]
    assert {"accuracy-cost", "accuracy-parameters"} & drawn(same) == {"accuracy-parameters"}
    assert {"accuracy-cost", "accuracy-parameters"} <= drawn([*two, *arm("probe", 0.6)])


def test_an_arm_that_never_ended_well_counts_for_no_figure():
    bad = [factory.way("full-hot", s, status="diverged") for s in range(3)]
    assert not set(NEW) & drawn(bad)
    assert "accuracy-parameters" not in drawn([*arm("frozen", 0.7), *arm("probe", 0.7), *bad])


# --- what the titles say ----------------------------------------------------------------


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("narrow", [False, True])
def test_the_title_is_the_finding(name, narrow):
    plot = catalog.FIGURES[name]
    assert plain(plot.finding(WAYS)) in words(plot.draw(WAYS, NARROW if narrow else WIDE))


def test_a_cheaper_arm_that_keeps_up_is_named_and_one_that_does_not_is_not():
    keeps_up = [*arm("full", 0.800), *arm("lora@8", 0.799), *arm("probe", 0.700)]
    for r in keeps_up:  # seeds disagree on who is ahead
        r.test.accuracy += 0.004 * (r.seed == 1 and r.strategy == "lora@8")
    assert plain(ways.parameters(keeps_up)) == (
        "MobileNet ¼ · LoRA, rank 8 ends highest, 80.0 % with 31.0 k trainable parameters; "
        "for less, MobileNet ¼ · linear probe is best, 70.0 % with 2.57 k"
    )
    for r in keeps_up:
        r.test.accuracy -= 0.002 * (r.strategy == "lora@8")
    assert plain(ways.parameters(keeps_up)) == (
        "MobileNet ¼ · fully fine-tuned ends highest, 80.0 % with 281.4 k trainable parameters; "
        "MobileNet ¼ · LoRA, rank 8 is not clearly behind, 79.8 % with 31.0 k"
    )


def test_the_best_may_be_the_cheapest():
    best = [*arm("full", 0.6), *arm("frozen", 0.7), *arm("probe", 0.8)]
    assert "no arm trains fewer parameters" in ways.parameters(best)
    assert "no arm is quicker" in ways.seconds(best)


def test_seconds_of_a_run_charge_its_source_phase():
    runs = [*arm("complete", 0.9), *arm("scratch", 0.5), *arm("frozen", 0.6)]
    (cost,) = (paid for g, paid in ways.priced(view(runs), ways.SECONDS) if "complete" in g.label)
    assert cost == pytest.approx(np.mean([r.seconds.learning for r in runs[:3]]))
    assert cost > 95


def test_the_blocks_that_moved_most_and_least_are_named():
    assert plain(ways.moved(arm("full", 0.8, moved=[Moved("a", 0.02), Moved("b", 0.3)]))) == (
        "MobileNet ¼, 96 px · fully fine-tuned moves b furthest, by 30 %, and a least, by 2.0 %"
    )
    two = [
        *arm("full", 0.8, moved=[Moved("a", 0.5), Moved("b", 0.3)]),
        *arm("lora@8", 0.8, moved=[Moved("a", 0.0), Moved("b", 0.013)]),
    ]
    assert plain(ways.moved(two)) == (
        "MobileNet ¼ · fully fine-tuned moves a furthest, by 50 %; "
        "MobileNet ¼ · LoRA, rank 8 moves none further than 1.3 %"
    )
    assert ways.moved(arm("full", 0.8, moved=[Moved("a", 0.0)])) == "No arm moved any block"


# --- moved blocks -----------------------------------------------------------------------


def maps(fig: Figure):
    return [ax for ax in fig.axes if ax.images]


def row_names(ax) -> list[str]:
    return [t.get_text() for t in ax.get_yticklabels()]


def test_bases_have_panels_of_their_own_and_arms_that_moved_nothing_are_left_out():
    fig = way_figures.moved([*WAYS, *factory.ways("tiny")])
    drawn = {ax.get_title(loc="left"): ax for ax in maps(fig)}
    panels = {names.model_name(base): base for base in (BASE, "tiny")}
    assert drawn.keys() == panels.keys()
    for said, ax in drawn.items():
        base = panels[said]
        shown = {SAID[r.strategy] for r in WAYS if r.moved}
        assert set(row_names(ax)) == shown
        assert "frozen" not in shown
        blocks = [t.get_text() for t in ax.get_xticklabels()]
        assert blocks == factory.BLOCKS[base.partition("@")[0]]


def test_a_cell_is_the_mean_over_seeds():
    runs = arm("full", 0.8, seeds=2)
    for r, far in zip(runs, (0.1, 0.3), strict=True):
        r.moved = [Moved("a", far), Moved("b", 0.5)]
    (ax,) = maps(way_figures.moved(runs))
    assert ax.images[0].get_array().tolist() == [pytest.approx([0.2, 0.5])]
    assert {"20", "50"} <= {t.get_text() for t in ax.texts}


def test_numbers_are_left_out_where_they_would_not_fit():
    (wide,) = maps(way_figures.moved(WAYS))
    (narrow,) = maps(way_figures.moved(WAYS, NARROW))
    assert len(wide.texts) == sum(bool(r.moved) for r in WAYS) // 3 * 14
    assert not narrow.texts


# --- forgetting -------------------------------------------------------------------------


def test_gain_is_paired_by_seed():
    frozen = [factory.way("frozen", s, accuracy=a) for s, a in enumerate((0.70, 0.74, 0.60))]
    full = [factory.way("full", s, accuracy=a) for s, a in enumerate((0.75, 0.80))]
    other = [factory.way("frozen", s, "tiny", accuracy=0.1) for s in range(3)]
    ((trade,), relative) = ways.trades(view([*other, *frozen, *full]))
    assert relative
    assert [won for _, won in trade.points] == pytest.approx([0.05, 0.06])
    lost = [r.forgetting.before - r.forgetting.after for r in full]
    assert [x for x, _ in trade.points] == pytest.approx(lost)
    fig = way_figures.forgetting([*other, *frozen, *full])
    assert "over frozen" in fig.axes[0].get_ylabel()
    assert "minus that of frozen" in words(fig)


@pytest.mark.parametrize("frozen", [[], [factory.way("frozen", 7)]], ids=["none", "other seed"])
def test_without_frozen_in_common_the_axis_is_plain_accuracy(frozen):
    full = arm("full", 0.8)
    ((trade,), relative) = ways.trades(view([*full, *frozen]))
    assert not relative
    assert [y for _, y in trade.points] == [r.test.accuracy for r in full]
    fig = way_figures.forgetting([*full, *frozen])
    assert fig.axes[0].get_ylabel() == "test accuracy"
    assert "minus" not in words(fig)
    assert "reaches 80.0 %" in plain(ways.forgetting([*full, *frozen]))


def test_one_arm_without_frozen_makes_all_of_them_plain():
    mixed = [*arm("frozen", 0.7), *arm("full", 0.8), *arm("full", 0.6, "tiny")]
    found, relative = ways.trades(view(mixed))
    assert not relative
    assert [t.won for t in found] == pytest.approx([0.8, 0.6])


def test_the_title_weighs_the_largest_gain_against_the_least_forgetting():
    runs = [*arm("frozen", 0.7), *arm("full", 0.8), *arm("lora@8", 0.65)]
    for r in runs:
        if r.forgetting:
            r.forgetting.before, r.forgetting.after = 0.9, {"full": 0.7, "lora@8": 0.9}[r.strategy]
    assert plain(ways.forgetting(runs)) == (
        "MobileNet ¼ · fully fine-tuned gains 10.0 points over frozen and forgets 20.0; "
        "MobileNet ¼ · LoRA, rank 8 loses 5.0 points against frozen and forgets nothing"
    )
    same = [*arm("frozen", 0.7), *arm("full", 0.7)]
    for r in same:  # ahead on one seed, behind on another
        r.test.accuracy += 0.02 * (r.seed - 1) * (r.strategy == "full")
    assert "is not clearly apart from frozen" in ways.forgetting(same)


def box_of(note):
    """Where a note's letters stand, without the line that leads to it."""
    return Text.get_window_extent(note)


def test_every_seed_is_a_point_and_each_arm_is_named_inside_the_figure():
    for draw in (way_figures.parameters, way_figures.cost):
        fig = draw(WAYS)
        (ax,) = fig.axes
        for label, s in arm_styles.styles({r.arm for r in WAYS}).items():
            lines = [line for line in ax.lines if line.get_color() == s.colour]
            assert sorted(len(line.get_xdata()) for line in lines) == [1, 3], label
        notes = {t.get_text(): box_of(t) for t in ax.texts}
        assert notes.keys() == set(SAID.values())
        pairs = combinations(notes, 2)
        assert not [pair for pair in pairs if notes[pair[0]].overlaps(notes[pair[1]])]
        frame = ax.get_window_extent()
        for box in notes.values():
            assert frame.x0 - 1 <= box.x0 <= box.x1 <= frame.x1 + 1


# --- styles, and figures of many arms ----------------------------------------------------

# What eyes without long-, middle- or short-wave cones see (Machado et al. 2009, severity 1).
EYES = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
TO_XYZ = [[0.434, 0.376, 0.190], [0.2126, 0.7152, 0.0722], [0.0177, 0.1094, 0.873]]


def lab(colour: str, eyes) -> np.ndarray:
    """CIELAB of a colour as some eyes see it; the white point is divided out already."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(np.array(TO_XYZ) @ np.clip(np.array(eyes) @ linear, 0, 1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("base", [BASE, "tiny", "vgg16@64"])
def test_the_arms_of_one_base_are_told_apart_by_colour_marker_and_glyph(base):
    chosen = arm_styles.styles(f"{base}:{strategy}" for strategy in factory.WAYS)
    for what in ("colour", "marker", "glyph"):
        assert len({getattr(s, what) for s in chosen.values()}) == len(factory.WAYS)


@pytest.mark.parametrize("eyes", EYES)
def test_colours_of_one_base_differ_to_every_eye(eyes):
    chosen = arm_styles.styles(f"{BASE}:{strategy}" for strategy in factory.WAYS)
    seen = [lab(s.colour, EYES[eyes]) for s in chosen.values()]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 10


def test_a_way_has_the_same_style_whatever_else_is_there():
    for strategy in factory.WAYS:
        label = f"{BASE}:{strategy}"
        everywhere = arm_styles.styles(
            [*(r.arm for r in WAYS), "cnn:scratch", "zoo:gradual", label]
        )
        assert arm_styles.styles([label])[label] == everywhere[label]


def test_a_base_that_all_share_is_told_once():
    for draw in (bars.final, curves.time, way_figures.cost):
        shown = words(draw(WAYS))
        assert "all arms on MobileNet ¼, 96 px" in shown
        assert "MobileNet ¼, 96 px ·" not in shown
        assert "linear probe" in shown
    mixed = [*WAYS, factory.record("cnn:scratch", train_size=5_000)]
    assert "MobileNet ¼, 96 px linear probe" in words(bars.final(mixed))


@pytest.mark.parametrize("draw", [curves.loss, curves.accuracy, curves.time])
def test_names_at_the_ends_of_so_many_lines_do_not_overlap(draw):
    (ax,) = draw(WAYS).axes
    boxes = [box_of(t) for t in ax.texts if t.get_text().split("\n")[0] in SAID.values()]
    assert len(boxes) == MANY
    ranked = sorted(boxes, key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(ranked))


def test_the_source_phase_is_a_part_of_the_time():
    fig = bars.split(WAYS)
    assert "the source phase" in words(fig)
    colour = to_rgb(bars.PART_COLOURS["the source phase"])
    widths = [p.get_width() for p in fig.axes[0].patches if p.get_facecolor()[:3] == colour]
    assert widths == [pytest.approx(95)]
    assert "source phase" not in words(bars.split(arm("full", 0.8)))


@pytest.mark.parametrize("name", NEW)
def test_letters_of_narrow_figures_are_12_pixels_on_a_page_of_400(name):
    fig = catalog.FIGURES[name].draw(WAYS, NARROW)
    texts = fig.findobj(lambda a: hasattr(a, "get_fontsize") and a.get_text().strip())
    assert min(t.get_fontsize() for t in texts) * 374 / (72 * fig.get_figwidth()) >= 12


# --- accuracy against time, with many arms ----------------------------------------------


def test_of_many_arms_the_best_few_are_named_and_the_axis_begins_at_nothing():
    s = arm_styles.styles({r.arm for r in WAYS})
    for size in (WIDE, NARROW):
        fig = curves.time(WAYS, size)
        (ax,) = fig.axes
        assert ax.get_ylim()[0] >= 0 and min(ax.get_yticks()) >= 0
        shown = words(fig)
        assert "Bars at the foot" not in shown and "prepared after" not in shown
        # The headline's two, and the quickest, which none beats in both accuracy and time.
        best = view(WAYS).best_first(view(WAYS).size)[0].records[0].strategy
        for strategy in (best, "scratch", "probe"):
            assert SAID[strategy] in shown
        drawn = {line.get_color() for line in ax.lines}
        assert s[f"{BASE}:probe"].colour in drawn and s[f"{BASE}:full-hot"].colour not in drawn
        assert SAID["full-hot"] not in shown


@pytest.mark.parametrize("draw", [curves.accuracy, curves.loss])
def test_of_many_arms_over_epochs_those_of_the_title_and_the_failed_have_names(draw):
    size = view(WAYS).size
    lost = [factory.record("cnn:gradual", s, size, status="diverged") for s in range(2)]
    several = [*WAYS, *lost]
    s = arm_styles.styles({r.arm for r in several})
    best = [p.label for p in titles.peaks(view(several), size)]
    for on in (WIDE, NARROW):
        fig = draw(several, on)
        shown = words(fig)
        (ax,) = fig.axes
        colours = {line.get_color() for line in ax.lines}
        named = [label for label in best if s[label].colour in colours]
        assert named[:2] == best[:2] and len(named) <= MANY < len(best)
        assert f"{BASE}:scratch" in named
        inks = {t.get_color() for t in fig.findobj(Text)}
        assert on is NARROW or {s[label].ink for label in named} <= inks
        assert "2 of 2 diverged" in shown
        # The others have one line each, of validation.
        grey = [line for line in ax.lines if line.get_color() == curves.FADED]
        assert len(grey) >= len(best) - len(named)
        assert {line.get_linestyle() for line in grey} == {"-"}


def test_few_arms_have_what_they_prepare_in_a_strip_below_every_tick_of_accuracy():
    (ax,) = curves.time([*arm("full", 0.8), *arm("probe", 0.7)]).axes
    floor = max(line.get_ydata()[0] for line in ax.lines if line.get_color() == EDGE)
    bars = [line for line in ax.lines if line.get_linewidth() == 3.5]
    assert len(bars) == 2 and max(line.get_ydata()[0] for line in bars) < floor
    assert min(ax.get_yticks()) >= floor > ax.get_ylim()[0]


@pytest.mark.parametrize("name", ["accuracy", "loss", "accuracy-time"])
def test_every_seed_that_is_drawn_is_inside_the_axis(name):
    runs = [factory.record("cnn:scratch", seed) for seed in range(3)]
    for epoch in runs[1].history:
        epoch.val_accuracy, epoch.val_loss = 0.97, 4.0
    (ax,) = catalog.FIGURES[name].draw(runs).axes
    low, high = ax.get_ylim()
    ys = [y for line in ax.lines for y in line.get_ydata() if not np.isnan(y)]
    assert low <= min(ys) and max(ys) <= high


# --- names ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["accuracy", "accuracy-time", "moved", "final-accuracy"])
def test_no_name_of_a_table_loses_its_middle_on_a_narrow_page(name):
    mixed = [*arm("full", 0.8, "mobilenet@0.25x160"), *arm("discriminative", 0.7, "tiny@96")]
    bad = [factory.way("full-hot", seed, status="diverged") for seed in range(3)]
    shown = words(catalog.FIGURES[name].draw([*mixed, *bad], NARROW))
    assert "…" not in shown and "fully fine-tuned" in shown


def test_names_beside_many_rows_do_not_meet():
    bad = [factory.way("full-hot", seed, status="diverged") for seed in range(3)]
    runs = [*(r for r in WAYS if r.strategy != "full-hot"), *bad, factory.record("cnn:scratch")]
    for size in (WIDE, NARROW):
        (ax, *_) = bars.final(runs, size).axes
        boxes = [t.get_window_extent() for t in ax.get_yticklabels()]
        assert all(a.y0 >= b.y1 for a, b in pairwise(boxes))
