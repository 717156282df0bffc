"""The page: every string escaped, and right in a real browser, offline."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from contextlib import contextmanager
from itertools import pairwise

import factory
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from msgspec.structs import replace

from comparisons import report
from comparisons.core.records import Environment, Forgetting, Moved, Settings
from comparisons.findings import verdict
from comparisons.findings.text import clean
from comparisons.report import page, table

ARMS = ["cnn:scratch", "mobilenet@0.25x160:frozen", "tutorial-cnn:scratch"]
CLASSROOM = factory.classroom()
SPACE = {"{http://www.w3.org/1999/xhtml}": ""}


def render(records, left_out=()):
    return page.render(records, table.summarise(records), [], left_out)


def parsed(html):
    """The page as a tree: the template is written as XML too, so a parser finds any tear."""
    return ET.fromstring(html)


def texts(tree):
    return " ".join("".join(tree.itertext()).replace("\u00a0", " ").split())


def tags(tree):
    return Counter(element.tag.rpartition("}")[2] for element in tree.iter())


# --- what it says -----------------------------------------------------------------------


def test_the_page_opens_with_its_finding_and_shows_what_went_wrong():
    words = texts(parsed(render(CLASSROOM)))
    head = verdict.headline(CLASSROOM)[0].replace("\u00a0", " ")
    assert words.index(head) < words.index("Results")
    assert "the loss is not finite" in words
    assert "1 of 3 diverged" in words
    assert "9 runs of 3 arms, 1 diverged" in words


def test_a_page_of_failures_alone_is_a_page():
    words = texts(parsed(render([factory.record(status="failed", error="out of memory")])))
    assert "No run ended well" in words
    assert "out of memory" in words


def banner(records):
    return " ".join(page.warnings(records))


def test_there_is_a_banner_only_where_there_is_something_to_warn_of():
    assert page.warnings(CLASSROOM) == []
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


def test_two_data_sets_or_two_devices_are_said_loudly():
    records = factory.records(["cnn:scratch"], seeds=2)
    records[1].environment.device = "gpu"
    assert "means over different devices" in banner(records)
    records[1].data.name = "shapes"
    assert "2 data sets are in this folder" in banner(records)


def test_files_that_were_left_out_are_named():
    assert "torn.json is damaged" in texts(parsed(render(CLASSROOM, ["torn.json is damaged"])))


def test_differences_show_each_seed_and_an_interval_from_three():
    found = {(d["first"], d["second"]): d for d in page.differences(page.view(CLASSROOM))}
    three = found[(ARMS[1], ARMS[0])]
    assert len(three["each"]) == 3
    assert three["low"] < three["gap"] < three["high"]
    two = found[(ARMS[0], ARMS[2])]
    assert [seed for seed, _ in two["each"]] == [0, 1]
    assert two["low"] is None
    assert "no interval" in two["says"]


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
        if e.tag.endswith("}a") and e.attrib["href"] != "#figures":
            assert e.attrib["href"][1:] in ids
        if "aria-labelledby" in e.attrib:
            assert e.attrib["aria-labelledby"] in ids


# --- hostile strings --------------------------------------------------------------------

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"' onmouseover='alert(1)",
    "]]><!--",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;",
    "\x00\x0b\ufffe\x85",
    "‮ محمد 一二三 🙂 é",
    "",
]


def everywhere(words):
    """A record with the same words in every text field."""
    r = factory.record(
        words, error=words, notices=[words], model=words, strategy=words, id=words, engine=words,
        started=words, classes=[words] * 3,
        settings=Settings(data=words, device=words, engine=words, backend=words,
                          deterministic=False),
        environment=Environment(command=words, device=words, versions={words: words}),
    )  # fmt: skip
    r.phases = [replace(phase, name=words, optimizer=words, augment=(words,)) for phase in r.phases]
    r.data.name = r.data.fingerprint = r.data.note = words
    r.data.synthetic, r.data.complete = True, False
    r.weights = type(factory.record(ARMS[1]).weights)(words, words, {words: words})
    for epoch in r.history:
        epoch.phase = words
    r.moved = [Moved(words, 0.1), Moved(words, 0.2)]
    r.forgetting = Forgetting(words, 100, 0.9, 0.8)
    return r


def check(words):
    calm = tags(parsed(render([everywhere("calm"), failed("calm")], ["calm"])))
    html = render([everywhere(words), failed(words)], [words])
    tree = parsed(html)
    found = tags(tree)
    for tag in ("wbr", "br"):  # where an arm's name may break depends on its letters
        found.pop(tag, None)
        calm.pop(tag, None)
    assert found.keys() <= calm.keys()
    assert not [n for e in tree.iter() for n in e.attrib if n.startswith("on")]
    assert " ".join(clean(words).replace("\u00a0", " ").split()) in texts(tree)


def failed(words):
    r = everywhere(words)
    r.status, r.test, r.seed = "failed", None, 1
    return r


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_in_every_field_are_shown_and_do_nothing(words):
    check(words)
    if "<" in words:
        assert words not in render([everywhere(words)])


@given(some.text(max_size=30))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_words_in_every_field_leave_the_page_whole(words):
    check(words)


@pytest.mark.parametrize("words", HOSTILE)
def test_the_notebook_fragment_is_escaped_too(words):
    tree = parsed(page.fragment([everywhere(words)]))
    assert "script" not in tags(tree)
    assert "img" not in tags(tree)


def test_hostile_words_in_figures_and_files(tmp_path):
    r = everywhere(HOSTILE[1])
    path = report.build(tmp_path, [r])
    assert HOSTILE[1] not in path.read_text()
    for svg in (tmp_path / "figures").glob("*.svg"):
        tree = ET.parse(svg)
        assert "script" not in tags(tree)
        assert not [n for e in tree.iter() for n in e.attrib if n.startswith("on")]
    assert HOSTILE[1] in json.loads((tmp_path / "summary.json").read_text())["rows"][0]["label"]


# --- in a real browser ------------------------------------------------------------------

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
]  # fmt: skip


@contextmanager
def chromium(profile):
    """The system's own browser, driven by the system's own driver: nothing is fetched."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("no Chromium with its chromedriver on this system")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    service = webdriver.ChromeService(executable_path=driver)
    session = webdriver.Chrome(options=options, service=service)
    try:
        yield session
    finally:
        session.quit()


MEASURE = """
const bad = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  if (!node.textContent.trim()) continue;
  const size = parseFloat(getComputedStyle(node.parentElement).fontSize);
  if (size < 12) bad.push(node.textContent.trim() + ' ' + size);
}
return {
  small: bad,
  inner: innerWidth,
  scroll: document.documentElement.scrollWidth,
  images: [...document.images].map(i => {
    const box = i.getBoundingClientRect();
    return {complete: i.complete, natural: i.naturalWidth, width: box.width, height: box.height,
            left: box.left, right: box.right, alt: i.alt, narrow: i.currentSrc !== i.src};
  }),
  boxes: [...document.querySelectorAll('.scroll')].map(b => b.getBoundingClientRect().right),
  first: [...document.querySelectorAll('tbody th')].map(t => getComputedStyle(t).position),
};
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What the browser makes of a page: measured at two widths, with all that it logged."""
    folder = tmp_path_factory.mktemp("page")
    profile = tmp_path_factory.mktemp("profile")
    records = [*CLASSROOM, everywhere(HOSTILE[1])]
    records[-1].data = records[0].data
    with chromium(profile) as browser:
        address = report.build(folder, records).as_uri()
        measured = {}
        browser.get("about:blank")
        browser.get_log("performance")  # the browser's own start page is not ours
        for width in (400, 1400):
            metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            browser.get(address)
            measured[width] = browser.execute_script(MEASURE)
        events = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
        return {
            "address": address,
            "bytes": (folder / "report.html").stat().st_size,
            "measured": measured,
            "console": browser.get_log("browser"),
            "requests": [
                e["params"]["request"]["url"]
                for e in events
                if e["method"] == "Network.requestWillBeSent"
            ],
        }


def test_the_browser_has_nothing_to_complain_of(seen):
    assert seen["console"] == []


def test_no_request_leaves_the_page(seen):
    assert seen["address"] in seen["requests"]
    assert [u for u in seen["requests"] if u != seen["address"] and not u.startswith("data:")] == []


@pytest.mark.parametrize("width", [400, 1400])
def test_every_figure_is_loaded_visible_and_described(seen, width):
    images = seen["measured"][width]["images"]
    assert len(images) == 10
    for image in images:
        assert image["complete"]
        assert image["natural"] > 0
        assert min(image["width"], image["height"]) > 100
        assert 0 <= image["left"] < image["right"] <= width
        assert len(image["alt"]) > 40
        assert image["narrow"] == (width == 400)


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_never_scrolls_sideways_and_tables_do_within_their_box(seen, width):
    measured = seen["measured"][width]
    assert measured["inner"] == width
    assert measured["scroll"] <= width
    assert max(measured["boxes"]) <= width
    assert set(measured["first"]) == {"sticky"}


@pytest.mark.parametrize("width", [400, 1400])
def test_no_text_is_smaller_than_12_pixels(seen, width):
    assert seen["measured"][width]["small"] == []


def test_the_page_is_not_heavy(seen):
    assert seen["bytes"] < 5_000_000
