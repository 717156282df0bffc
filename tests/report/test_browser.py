"""The page in a real browser, offline: narrow and wide."""

from __future__ import annotations

import json

import factory
import pytest
from browser import chromium
from test_page import CLASSROOM
from test_strip import answered
from test_untrusted import HOSTILE, everywhere

from comparisons import report
from comparisons.core import samples

OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"
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
  height: document.documentElement.scrollHeight,
  images: [...document.images].map(i => {
    const box = i.getBoundingClientRect();
    return {complete: i.complete, natural: i.naturalWidth, width: box.width, height: box.height,
            left: box.left, right: box.right, alt: i.alt, narrow: i.currentSrc !== i.src};
  }),
  boxes: [...document.querySelectorAll('.scroll')].map(b => b.getBoundingClientRect().right),
  cells: [...document.querySelectorAll('td')].map(t => t.getBoundingClientRect().right),
  hidden: [...document.querySelectorAll('.scroll')].map(b => b.scrollWidth - b.clientWidth),
  shades: [...document.querySelectorAll('.scroll')].map(
    b => getComputedStyle(b).backgroundImage.split('gradient').length - 1),
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
    records[-1].environment.device = records[0].environment.device  # or no seconds are compared
    with chromium(profile) as browser:
        address = report.build(folder, records).as_uri()
        measured = {}
        other = tmp_path_factory.mktemp("pair")
        pair = factory.records(["cnn:scratch", "mobilenet@0.25x160:frozen"])
        answered(other, pair)
        browser.get("about:blank")
        browser.get_log("performance")  # the browser's own start page is not ours
        for width in (400, 1400):
            metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            browser.get(address)
            measured[width] = browser.execute_script(MEASURE)
            browser.execute_script(OPEN)
            measured[width]["images"] = browser.execute_script(MEASURE)["images"]
        second = report.build(other, pair).as_uri()
        browser.get(second)
        measured["pair"] = browser.execute_script(MEASURE)
        browser.execute_script(OPEN)
        measured["opened"] = browser.execute_script(MEASURE)
        many = factory.records(["cnn:scratch", "mobilenet@0.25x160:frozen"], 3, (5_000, 45_000))
        for run in many:
            run.processor_seconds = run.seconds
        third = report.build(tmp_path_factory.mktemp("many"), many).as_uri()
        browser.get(third)
        browser.execute_script(OPEN)
        measured["many"] = browser.execute_script(MEASURE)
        events = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
        return {
            "addresses": [address, second, third],
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
    asked = {url for url in seen["requests"] if not url.startswith("data:")}
    assert asked == set(seen["addresses"])


@pytest.mark.parametrize("width", [400, 1400])
def test_every_figure_is_loaded_visible_and_described(seen, width):
    images = seen["measured"][width]["images"]
    assert len(images) == 12
    for image in images:
        assert image["complete"]
        assert image["natural"] > 0
        assert min(image["width"], image["height"]) > 100
        assert 0 <= image["left"] < image["right"] <= width
        assert len(image["alt"]) > 40
        assert image["narrow"] == (width == 400)


@pytest.mark.parametrize("width", [400, 1400])
def test_nothing_is_out_of_sight_sideways(seen, width):
    measured = seen["measured"][width]
    assert measured["inner"] == width
    assert measured["scroll"] <= width
    assert max(measured["boxes"]) <= width
    if width == 400:  # a row is a card there: nothing of it is out of sight, its costs neither
        assert max(measured["cells"]) <= width
    assert set(measured["first"]) == {"static" if width == 400 else "sticky"}


@pytest.mark.parametrize("width", [400, 1400])
def test_no_text_is_smaller_than_12_pixels(seen, width):
    assert seen["measured"][width]["small"] == []


def test_the_page_is_not_heavy(seen):
    assert seen["bytes"] < 5_000_000


def test_a_page_of_two_arms_is_read_without_much_scrolling(seen):
    pair, opened = seen["measured"]["pair"], seen["measured"]["opened"]
    assert pair["height"] < 6_000 < opened["height"]
    assert max(pair["cells"]) <= 1400
    assert max(opened["cells"]) <= 1400


def test_a_table_with_every_usual_column_fits_and_a_wider_one_says_that_it_goes_on(seen):
    many = seen["measured"]["many"]
    assert max(many["hidden"]) == 0 and max(many["cells"]) <= 1400
    assert set(many["shades"]) == {2}  # one at the edge, and one that hides it at the end


def test_the_images_of_the_strip_are_shown(seen):
    images = [i for i in seen["measured"]["pair"]["images"] if i["alt"].startswith("test image")]
    assert len(images) == samples.COUNT
    for image in images:
        assert image["complete"] and image["natural"] > 0 and image["width"] > 40
