"""The page of a live race before one runs, in a real browser: its form, and what cannot be done."""

from __future__ import annotations

import pytest
from browser import FLAGS, chromium
from pages import Page

IMAGE = "data:image/gif;base64,R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs="
# A race that is over, as its server would have told it.
OVER = """
    const image = arguments[0], label = view.heat.tracks[0].label;
    const said = {called: 'cat', certainty: 0.7}, tracks = [view.heat.tracks[0]];
    race.hear({kind: 'begin', heat: {title: 'A race', notices: [], tracks}});
    race.hear({kind: 'disputed', said: 'Both are sure.',
               pictures: [{image, truth: 'cat', answers: {[label]: said}}]});
    race.hear({kind: 'ended', track: 0, seconds: 1, status: 'ok', error: null, test: 0.5,
               confusion: {classes: ['cat', 'dog'], rows: [[3, 1], [2, 2]],
                           most: [{truth: 'dog', called: 'cat', count: 2, images: 4}]}});
    race.hear({kind: 'state', state: 'over', text: ''});
    race.draw();
    trying.show([{label, called: 'cat', certainty: 0.7, sure: false, seen: image, looked: image,
                  found: []}]);
"""


@pytest.fixture
def page(browser, race):
    return Page(browser, f"{race.address}#{race.token}")


@pytest.mark.parametrize(("width", "dark"), [(400, True), (1920, False)])
def test_nobody_is_left_out_of_the_form_and_of_trying(page, width, dark):
    page.resize(width, dark)
    page.leaves_nobody_out(width)
    page.do(OVER, IMAGE)
    page.leaves_nobody_out(width)


def test_the_keyboard_reaches_all_of_the_form_and_of_trying(page):
    from selenium.webdriver.common.keys import Keys

    page.do(OVER, IMAGE)
    page.do(
        "window.missed = new Set([...document.querySelectorAll('button, select, input')]"
        ".filter(e => !e.disabled && e.checkVisibility()));"
        "document.addEventListener('focusin', event => missed.delete(event.target));"
        "document.getElementById('title').tabIndex = -1; document.getElementById('title').focus()"
    )
    count = page.do("return missed.size")
    assert count > 20
    for _ in range(count + 10):
        page.press(Keys.TAB)
    assert page.do("return [...missed].map(e => e.outerHTML)") == []


def test_a_disputed_picture_is_tried_by_the_keyboard(page, browser):
    from selenium.webdriver.common.keys import Keys

    page.do(OVER, IMAGE)
    assert "Choose a picture" in page.text("disputed-said")
    page.do("document.querySelector('#disputed button').focus()")
    page.press(Keys.ENTER)
    # There are no networks here; that it was asked is what the answer shows.
    page.until("document.getElementById('try-message').innerText.includes('no network')")
    page.do("race.hear({kind: 'state', state: 'preparing', text: ''}); race.draw()")
    assert page.do("return document.querySelector('#disputed button').disabled")
    browser.get_log("browser")  # a refusal is an error to it


def test_classes_of_two_words_and_folders_can_be_chosen(page, race):
    assert "FOLDER" in page.text("choices")
    write = (
        "const [name, value] = arguments, input = [...document.querySelectorAll('#choices label')]"
        ".find(label => label.innerText.startsWith(name)).querySelector('input');"
        "input.value = value; input.dispatchEvent(new Event('change'))"
    )
    chosen = "return race.asked.classes"
    for written, read in (
        ("cat dog", ["cat", "dog"]),
        ("cat, dog", ["cat", "dog"]),
        ("sea lion, cat", ["sea lion", "cat"]),
        ("", []),
    ):
        page.do(write, "Classes", written)
        assert page.do(chosen) == read
        again = Page(page.browser, page.do("return location.href"))
        assert again.do(chosen) == read
    again = Page(page.browser, f"{race.address}?classes=cat+dog#{race.token}")
    assert again.do(chosen) == ["cat", "dog"]
    again.quiet(race.address)


def test_a_browser_that_cannot_follow_a_race_is_told_so(browser, race):
    script = {"source": "delete window.EventSource"}
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    try:
        page = Page(browser, f"{race.address}#{race.token}")
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert "cannot follow a race" in page.text("message")
    assert "The race: ready." in page.text("message")
    page.do("document.querySelectorAll('#choices [type=checkbox]')[0].click()")
    assert page.do("return document.getElementById('go').disabled")
    page.quiet(race.address)


@pytest.mark.parametrize(
    ("without", "more", "said"),
    [
        ("--use-fake-ui", ["--deny-permission-prompts"], "The camera may not be used"),
        ("--use-fake-device", [], "No camera was found"),
    ],
)
def test_a_camera_that_is_refused_or_missing_is_said(race, tmp_path, without, more, said):
    flags = [*more, *(flag for flag in FLAGS if not flag.startswith(without))]
    with chromium(tmp_path / "profile", flags) as browser:
        page = Page(browser, f"{race.address}#{race.token}")
        page.do(OVER, IMAGE)
        page.click("camera")
        page.until("document.getElementById('try-message').innerText")
        assert said in page.text("try-message")
        assert page.do("return document.getElementById('take').hidden")
        page.quiet(race.address)
