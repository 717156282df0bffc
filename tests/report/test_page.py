"""The page: what it says and how it is built; every string escaped."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import pairwise

import factory
import pytest
from msgspec.structs import replace

from comparisons.core.records import Environment
from comparisons.findings.headline import headline
from comparisons.findings.view import view
from comparisons.report import page
from comparisons.report.banner import warnings
from comparisons.report.differences import differences

ARMS = ["cnn:scratch", "mobilenet@0.25x160:frozen", "tutorial-cnn:scratch"]
CLASSROOM = factory.classroom()


def render(records, left_out=(), lead=()):
    return page.render(view(records, lead), [], left_out=left_out)


def parsed(html):
    """The page as a tree: the template is written as XML too, so a parser finds any tear."""
    return ET.fromstring(html)


def texts(tree):
    return " ".join("".join(tree.itertext()).replace("\u00a0", " ").split())


def section(tree, name):
    """The words of the part of the page that a link of its menu leads to."""
    parents = {child: parent for parent in tree.iter() for child in parent}
    (found,) = (e for e in tree.iter() if e.attrib.get("id") == name)
    return texts(parents[found])


def headings(tree, name):
    """The headings of the columns of a section's first table."""
    parents = {child: parent for parent in tree.iter() for child in parent}
    (found,) = (e for e in tree.iter() if e.attrib.get("id") == name)
    part = parents[found]
    (table, *_) = part.iter("{http://www.w3.org/1999/xhtml}thead")
    return [texts(e) for e in table.iter() if e.tag.endswith("}th")]


def tags(tree):
    return Counter(element.tag.rpartition("}")[2] for element in tree.iter())


# --- what it says -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arms", "asks"),
    [
        (ARMS, "train from scratch, or fine-tune?"),
        ([ARMS[1], "vgg16@64:frozen"], "which base, trained how far?"),
        ([ARMS[0], ARMS[2]], "what to train from scratch?"),
        (ARMS[:1], "what does CNN · from scratch reach?"),
    ],
)
def test_the_page_asks_what_its_arms_can_answer(arms, asks):
    tree = parsed(render(factory.records(arms)))
    (said,) = (texts(e) for e in tree.iter() if e.tag.endswith("}h1"))
    assert said == f"cifar10: {asks}"


def test_the_bill_says_what_its_columns_mean_and_per_cents_are_written_in_one_way():
    lost = factory.way("full-hot", status="diverged", error="accuracy 9.1% in the end")
    runs = [*factory.ways(seeds=1), lost]
    for r in runs:
        r.seconds.watch = 3.0
    tree = parsed(render(runs))
    bill = section(tree, "bill")
    assert {"watching", "adapted weights", "work"} <= set(headings(tree, "bill"))
    for word in ("Watching: ", "Adapted weights: ", "Work: "):
        assert word in bill
    assert "accuracy 9.1 % in the end" in section(tree, "mishaps")
    (body,) = (e for e in tree.iter() if e.tag.endswith("}body"))
    assert not re.search(r"\d%", texts(body))


def test_the_page_opens_with_its_finding_and_shows_what_went_wrong():
    words = texts(parsed(render(CLASSROOM)))
    head = headline(CLASSROOM)[0].replace("\u00a0", " ")
    assert words.index(head) < words.index("How sure")
    assert "the loss is not finite" in words
    assert "1 of 3 diverged" in words
    assert "9 runs of 3 arms, 1 diverged" in words


def test_a_page_of_failures_alone_is_a_page():
    words = texts(parsed(render([factory.record(status="failed", error="out of memory")])))
    assert "No run ended well" in words
    assert "out of memory" in words


def banner(records):
    return " ".join(warnings(view(records)))


def test_times_of_runs_that_were_continued_are_marked():
    records = factory.records(ARMS)
    records[0].continued = 2
    assert f"1 of {len(records)} runs went on from a checkpoint" in banner(records)
    html = render(records)
    assert "Times are put together" in html and "continued" in html


def test_there_is_a_banner_only_where_there_is_something_to_warn_of():
    assert warnings(view(CLASSROOM)) == []
    assert "Before you believe" not in render(CLASSROOM)


def test_synthetic_incomplete_and_replaced_are_said_loudly():
    records = factory.records(ARMS[:2])
    records[0].data.synthetic = records[1].data.synthetic = True
    assert "Synthetic data" in banner(records)
    records[0].data.complete = False
    records[0].data.note = "80 images of each class"
    assert "Not the whole data set" in banner(records)
    assert "80 images of each class" in banner(records)
    records[1].notices = ["vgg16:frozen was replaced, for its weights could not be had"]
    assert f"{ARMS[1]}: vgg16:frozen was replaced" in banner(records)
    assert "Before you believe a number" in render(records)


def test_a_failed_run_that_never_saw_its_device_is_no_other_device():
    lost = factory.record(seed=1, status="failed", environment=Environment(command="python"))
    assert banner([factory.record(), lost]) == ""


def test_two_devices_are_said_loudly():
    records = factory.records(["cnn:scratch"], seeds=2)
    records[1].environment.device = "gpu"
    assert "means over different devices" in banner(records)


def test_another_data_set_is_also_here_and_nothing_else_is_about_it():
    other = factory.record("tiny:frozen", accuracy=0.999)
    other.data.name = "shapes"
    tree = parsed(render([*factory.records(ARMS[:2]), other]))
    assert "99.9 %" in section(tree, "also") and "shapes" not in section(tree, "sure")
    assert "shapes" in section(tree, "runs")


def test_files_that_were_left_out_are_named():
    assert "torn.json is damaged" in texts(parsed(render(CLASSROOM, ["torn.json is damaged"])))


def test_differences_show_each_seed_and_an_interval_from_three():
    found = {(d.first, d.second): d for d in differences(view(CLASSROOM))}
    three = found[(ARMS[1], ARMS[0])]
    assert len(three.each) == 3
    assert three.low < three.gap < three.high
    two = found[(ARMS[0], ARMS[2])]
    assert [seed for seed, _ in two.each] == [0, 1]
    assert two.low is None
    assert "no interval" in two.says


def test_environment_settings_and_upstream_cost_are_there():
    words = texts(parsed(render(CLASSROOM)))
    for part in ("keras 3.15.1", "python -m comparisons.cifar", "0123abc", "Howard et al. 2017",
                 "batch size", "Glossary", "95 % Student t interval"):  # fmt: skip
        assert part in words, part


def test_columns_that_only_some_arms_need_are_there_for_these_alone():
    words = ("source phase, cold", "adapted weights", "forgotten")
    ways = " ".join(re.findall(r"<th .*?</th>", render(factory.ways(seeds=1))))
    plain = " ".join(re.findall(r"<th .*?</th>", render(CLASSROOM)))
    assert [word in ways for word in words] == [True] * 3
    assert [word in plain for word in words] == [False] * 3


def test_the_page_loads_nothing_and_has_no_script():
    html = render(CLASSROOM)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    assert "<script" not in html
    tree = parsed(html)
    for element in tree.iter():
        for name in ("src", "srcset", "href"):
            if name in element.attrib:
                assert re.match(r"data:|#", element.attrib[name]), element.attrib[name]


def test_headings_tables_and_links_are_accessible():
    tree = parsed(render(CLASSROOM))
    assert tree.attrib["lang"] == "en"
    names = [e.tag.rpartition("}")[2] for e in tree.iter()]
    levels = [int(n[1]) for n in names if re.fullmatch("h[1-6]", n)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    ids = [e.attrib["id"] for e in tree.iter() if "id" in e.attrib]
    assert len(ids) == len(set(ids))
    for e in tree.iter():
        if e.tag.endswith("}th"):
            assert e.attrib["scope"] in ("row", "col")
        if e.tag.endswith("}a"):
            assert e.attrib["href"][1:] in ids
        if "aria-labelledby" in e.attrib:
            assert e.attrib["aria-labelledby"] in ids


# --- only what its records need ----------------------------------------------------------

PAIR = factory.records(ARMS[:2])


def test_a_page_of_two_arms_and_a_seed_explains_and_tabulates_no_more_than_they_have():
    tree = parsed(render(PAIR))
    assert "interval" not in headings(tree, "sure")
    assert headings(tree, "sure")[:4] == ["arm", "training images", "seeds", "test accuracy"]
    words = texts(tree)
    for absent in ("forget", "adapter", "quantized", "knob", "interval means", "source phase"):
        assert absent not in words, absent
    for present in ("What cold and warm mean", "What the upstream cost is", "backbone"):
        assert present in words, present


def test_what_records_have_is_explained():
    three, ways = texts(parsed(render(CLASSROOM))), texts(parsed(render(factory.ways())))
    assert "What the interval means" in three and "interval" in headings(
        parsed(render(CLASSROOM)), "sure"
    )
    for present in ("What forgetting is", "What the blocks tell", "What adapters are", "quantized"):
        assert present in ways and present not in three


def test_settings_runs_environment_and_glossary_are_folded():
    tree = parsed(render(CLASSROOM))
    folded = [e for e in tree.iter() if e.tag.endswith("}details")]
    inside = {i.attrib["id"] for e in folded for i in e.iter() if "id" in i.attrib}
    assert {"reading", "settings", "runs", "environment", "glossary"} <= inside
    assert not {"why", "sure", "bill"} & inside


def test_first_the_answer_then_why_then_how_sure_then_the_bill():
    words = render(CLASSROOM)
    places = [words.index(f'id="{name}"') for name in ("why", "sure", "bill", "mishaps", "runs")]
    assert words.index('class="lead"') < places[0]
    assert places == sorted(places)


def test_an_arm_is_named_in_words_and_once_as_it_is_typed():
    tree = parsed(render(PAIR))
    assert "MobileNet ¼, 160 px · frozen mobilenet@0.25x160:frozen" in section(tree, "sure")
    assert "mobilenet@0.25x160:frozen" not in section(tree, "bill")


def test_cells_say_of_what_they_are_where_a_narrow_page_has_no_head():
    tree = parsed(render(CLASSROOM))
    cells = [e for e in tree.iter() if e.tag.endswith("}td")]
    assert cells and all(e.attrib["data-of"] for e in cells)


# --- what leads ---------------------------------------------------------------------------


def test_what_leads_is_what_was_asked_for_and_the_rest_is_also_here():
    large, small = factory.records(ARMS[:2]), factory.records(ARMS[:2], sizes=(2_000,))
    alone = texts(parsed(render([*large, *small])))
    assert "With 45,000 training images" in alone and "Also here" not in alone
    tree = parsed(render([*large, *small], lead=[r.id for r in small]))
    assert "With 2,000 training images" in texts(tree)
    assert "45,000" in section(tree, "also")
    for name in ("why", "sure", "bill"):
        assert "45,000" not in section(tree, name)
    assert "45,000" in section(tree, "runs")


def test_what_is_also_here_is_told_apart_by_its_settings():
    again = factory.record(ARMS[0], 1)
    again.phases = [replace(phase, epochs=40) for phase in again.phases]
    tree = parsed(render([*PAIR, again], lead=[r.id for r in PAIR]))
    assert "epochs 40" in section(tree, "also")
    assert "epochs" not in section(tree, "sure")


# --- no better than chance ------------------------------------------------------------------


def test_a_run_at_chance_is_said_to_be_and_its_accuracy_is_shown():
    lost = factory.record(ARMS[2], accuracy=0.1012)
    lost.status = "diverged"
    for error in ("training accuracy never left chance (10.5%)", "no better than chance yet: 10 %"):
        lost.error = error
        tree = parsed(render([*PAIR, lost]))
        assert "no better than chance yet" in section(tree, "sure")
        for name in ("sure", "mishaps", "runs"):
            assert "10.1 %" in section(tree, name)
        assert "diverged" not in section(tree, "mishaps")
