"""The race in a real browser: replayed from a server and from a folder, and once run live."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from pathlib import Path

import pytest
from pages import Page
from PIL import Image
from races import served

from comparisons.core.machine import ROOT
from comparisons.live.__main__ import main

EVIDENCE = ROOT / "results" / "evidence" / "cifar10"
FROZEN, CNN = "mobilenet@0.25x160:frozen", "cnn:scratch"
ASK = f"?heat=n45000-s0&arms={CNN}+{FROZEN}&speed=60&at=30"


DROPPED = """
    const bytes = Uint8Array.from(atob(arguments[0]), letter => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], 'red.png', {type: 'image/png'}));
    document.getElementById('drop').dispatchEvent(new DragEvent('drop', {dataTransfer: data}));
"""
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs="
# What a server would have answered, of an arm with filters and of one without.
LOOKED_INTO = """
    const [[first, second], image] = arguments, some = n => Array(n).fill(image);
    const plane = Array.from({length: 12}, (_, i) => [Math.cos(i), 9 * Math.sin(i)]);
    inside.told = {
        pictures: plane.map(() => ({image, truth: 'cat', answers: {}})),
        arms: [{label: first, filters: some(32), found: some(16), plane, alike: 0.75,
                moved: {figure: image, said: 'Classes drew apart', how_to_read: 'A point is'}},
               {label: second, filters: [], found: [], plane, alike: 0.5, moved: null}]};
    document.getElementById('inside-part').hidden = false;
    inside.show();
"""


@pytest.fixture(scope="module")
def replayed():
    with served("--replay", EVIDENCE) as race:
        yield race


@pytest.fixture
def page(browser, replayed):
    """The page of a replay of two arms; whatever the browser said or asked is looked at after."""
    return Page(browser, f"{replayed.address}{ASK}")


def test_a_lesson_predicts_watches_and_compares(page, replayed):
    assert "cifar10 · 45,000 training images" in page.text("title")
    assert [row[0] for row in page.rows("hands")[1:]][-1] == "too close to call"
    # For the network from scratch two hands at first and three at the end; there one for neither.
    page.do(
        "const all = document.querySelectorAll('#hands button');"
        "for (const i of [0, 0, 1, 5]) all[i].click()"
    )
    page.do(
        "const input = document.querySelectorAll('#hands input')[1];"
        "input.value = 3; input.dispatchEvent(new Event('input'))"
    )
    page.click("go")
    assert page.text("predict") == ""
    page.until("view.now > 25")
    page.click("pause")
    held = page.text("clock")
    time.sleep(0.6)
    assert page.text("clock") == held
    before = [row[2] for row in page.rows("standings")[1:]]
    page.click("step")
    after = [row[2] for row in page.rows("standings")[1:]]
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert "test images" not in page.rows("standings")[0]
    page.click("go")
    page.until("view.over")
    said = page.text("said")
    assert "After 30 s of learning MobileNet ¼, 160 px · frozen leads" in said
    assert "0 of 2 hands said MobileNet ¼, 160 px · frozen." in said
    assert "At the end it is too close to call on 5,000 images" in said
    assert "1 of 4 hands said too close to call." in said
    assert [row[4] for row in page.rows("standings")] == ["test images", "85.6 %", "83.2 %"]
    assert page.text("confusion").count("Most often it took") == 2
    page.quiet(replayed.address)


def test_a_race_begins_at_zero_for_every_arm_and_draws_the_records_numbers(page):
    page.click("step")
    first = page.rows("standings")
    assert {row[3] for row in first[1:]} == {page.text("clock")}
    page.do("document.querySelector('details').open = true")
    page.until("document.querySelectorAll('#numbers tr').length > 1")
    while not page.do("return view.over"):
        page.click("step")
    records = [json.loads(path.read_text()) for path in EVIDENCE.glob("runs/*-n45000-s0-*.json")]
    for column, arm in ((1, CNN), (2, FROZEN)):
        (history,) = (r["history"] for r in records if r["arm"] == arm)
        shown = [row[column].split(" · ")[0] for row in page.rows("numbers")[1:] if row[column]]
        assert shown == [
            "–" if e["val_accuracy"] is None else f"{100 * e['val_accuracy']:.1f} %"
            for e in history
        ]


def test_at_the_end_what_each_arm_took_for_what_is_a_table(browser, replayed):
    """Of the records' own counts, darker where there are more; of many classes a few words."""
    page = Page(browser, f"{replayed.address}{ASK}")
    assert page.text("confusion-part") == ""
    page.do("view.begun = true; view.now = 1e9; replay.show()")
    (path,) = EVIDENCE.glob("runs/cnn-scratch-n45000-s0-*.json")
    record = json.loads(path.read_text())
    label = "[...document.querySelectorAll('#confusion table')][0]"
    assert page.do(f"return [...{label}.rows].slice(1).map(r => r.cells[0].scope)") == ["row"] * 10
    table = page.do(
        f"return [...{label}.tBodies[0].rows].map(row => [...row.cells].map(c => c.innerText))"
    )
    first = page.do("return document.querySelector('#confusion h3').innerText")
    assert "CNN" in first
    assert [row[0] for row in table] == record["data"]["classes"]
    told = [[int(cell.replace(",", "")) for cell in row[1:]] for row in table]
    assert told == record["test"]["confusion"]
    ground = "getComputedStyle(arguments[0]).backgroundColor"
    cells = page.do(f"return [...{label}.tBodies[0].rows[0].cells].slice(1, 3)")
    assert page.do(f"return {ground}", cells[0]) != page.do(f"return {ground}", cells[1])
    page.do(
        "view.heat.tracks.forEach(t => { t.confusion.rows = []; }); replay.back();"
        "view.begun = true; view.now = 1e9; replay.show()"
    )
    assert page.do("return document.querySelectorAll('#confusion table').length") == 0
    assert page.text("confusion").count("Most often it took") == 2
    page.quiet(replayed.address)
    left_out = Page(browser, f"{replayed.address}{ASK}&hide=confusion")
    left_out.do("view.begun = true; view.now = 1e9; replay.show()")
    assert left_out.text("confusion-part") == ""


def test_what_is_chosen_stands_in_the_address_and_comes_back(page, replayed):
    page.do(
        "const axis = document.getElementById('axis');"
        "axis.value = 'epoch'; axis.dispatchEvent(new Event('change'))"
    )
    page.do("document.querySelectorAll('#choices [type=checkbox]')[2].click()")
    address = page.do("return location.href")
    assert "axis=epoch" in address and "tutorial-cnn" in address
    again = Page(page.browser, f"{address}&hide=predict,choose")
    assert again.do("return document.getElementById('axis').value") == "epoch"
    assert len(again.rows("standings")) == 4
    assert again.text("predict") == again.text("choose") == ""
    again.quiet(replayed.address)


@pytest.mark.parametrize(("width", "dark"), [(400, True), (1920, False)])
def test_nobody_is_left_out(page, width, dark):
    """By what axe-core finds, before the start and at the end; nothing is out of sight sideways."""
    page.resize(width, dark)
    for _ in range(2):
        page.leaves_nobody_out(width)
        page.do("view.begun = true; view.now = 1e9; replay.show()")
        page.do(LOOKED_INTO, [FROZEN, CNN], PIXEL)


def test_what_is_inside_networks_is_shown_arm_by_arm_and_of_the_picture_tried_last(page):
    page.do(LOOKED_INTO, [FROZEN, CNN], PIXEL)
    first, second = page.do("return [...document.querySelectorAll('#inside > li')]")
    assert "frozen" in first.text and "The nearest other picture" in first.text
    assert "does not begin with a convolution" in second.text
    assert "A point is" in first.text and "A point is" not in second.text
    altered = "[...arguments[0].querySelectorAll('.moved img')].map(img => img.alt)"
    assert page.do(f"return {altered}", first) == ["Classes drew apart."]
    parts = "[...arguments[0].querySelectorAll('[role=img]')]"
    counts = f"{parts}.map(e => [e.tagName, e.childElementCount])"
    assert page.do(f"return {counts}", first) == [["DIV", 32], ["DIV", 16], ["svg", 12]]
    assert "a held-out cat" in first.text
    page.do("inside.tried([{label: arguments[0], seen: arguments[1], found: []}])", FROZEN, PIXEL)
    assert "your picture" in first.text and "a held-out cat" not in first.text
    page.do("inside.forget()")
    assert page.do("return document.getElementById('inside').innerText") == ""


def test_the_keyboard_alone_is_enough(page):
    from selenium.webdriver.common.keys import Keys

    page.do("document.querySelector('#hands input').focus()")
    page.press(Keys.ARROW_UP)
    page.press(Keys.TAB)
    page.press(Keys.ENTER)
    assert page.do("return Object.values(view.hands.early)") == [2]
    while page.do("return document.activeElement.id") != "go":
        page.press(Keys.TAB)
    page.press(Keys.ENTER)
    page.until("view.running")
    page.do("document.getElementById('pause').focus()")
    page.press(Keys.SPACE)
    assert not page.do("return view.running")


def test_with_reduced_motion_nothing_moves_between_epochs(page):
    page.resize(1280, calm=True)
    page.do(
        "window.drawn = 0; const chart = document.getElementById('chart');"
        "new MutationObserver(() => drawn++).observe(chart, {childList: true})"
    )
    page.do("replay.speed = 1")
    page.click("go")
    page.do("drawn = 0")
    time.sleep(1.2)
    assert page.do("return [view.now > 1, drawn <= 1]") == [True, True]


def test_the_same_page_opens_from_a_folder(browser, tmp_path):
    assert main(["--replay", str(EVIDENCE), "--save", str(tmp_path / "a stick")]) == 0
    address = (tmp_path / "a stick" / "index.html").as_uri()
    page = Page(browser, address + ASK)
    page.click("step")
    # Whichever arm's first epoch ended sooner.
    _, *epochs = [row[2] for row in page.rows("standings")]
    assert epochs in (["1 of 8", "0 of 12"], ["0 of 8", "1 of 12"])
    page.do("view.now = 1e9; replay.show()")
    assert page.do("return document.querySelectorAll('#confusion table').length") == 2
    page.quiet(Path(tmp_path / "a stick").as_uri())


def test_without_scripts_the_page_says_what_there_is(browser, replayed):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(replayed.address)
        shown = browser.find_element("tag name", "noscript").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "CNN · from scratch 85.6" in shown


def _pictures(page, folder):
    """Held-out pictures with two answers each; then one's own, chosen, dropped and photographed."""
    answers = (
        "[...document.querySelectorAll('#shown > li')].map(e => e.querySelectorAll('li').length)"
    )
    assert page.do(f"return {answers}") == [2] * 12
    path = folder / "red.png"
    Image.new("RGB", (64, 48), "red").save(path)
    page.browser.find_element("id", "file").send_keys(str(path))
    tried = "document.querySelectorAll('#tried > li').length"
    page.until(f"{tried} === 2", 60)
    page.do(
        "document.getElementById('tried').replaceChildren();"
        "const data = new DataTransfer();"
        "data.items.add(new File(['none'], 'none.txt', {type: 'text/plain'}));"
        "document.getElementById('drop').dispatchEvent(new DragEvent('drop', {dataTransfer: data}))"
    )
    assert page.text("try-message") == "That is no picture."
    page.do(DROPPED, b64encode(path.read_bytes()).decode())
    page.until(f"{tried} === 2", 60)
    page.do("document.getElementById('tried').replaceChildren()")
    page.click("camera")
    page.until("!document.getElementById('take').hidden")
    page.click("take")
    page.until(f"{tried} === 2", 60)
    assert page.text("try-message") == ""
    page.do("view.disputed = {said: '', pictures: view.shown}; redraw(); race.buttons()")
    page.do("document.getElementById('tried').replaceChildren()")
    page.do("document.querySelector('#disputed button').click()")
    page.until(f"{tried} === 2", 60)
    page.click("look")
    page.until("document.querySelectorAll('#inside > li').length === 2", 60)
    assert page.text("inside").count("What they find in your picture") == 2
    assert page.text("inside-message") == ""


@pytest.mark.slow
def test_a_live_race_in_two_windows(browser, tiny_npz, tmp_path):
    """Choose by a link, predict, start, pause, single epoch, go on, see the end; then stop one."""
    with served("--save", tmp_path / "kept") as race:
        link = f"{race.address}?data={tiny_npz}&arms={CNN}+tiny:frozen&size=100&epochs=4"
        stale = Page(browser, f"{link}#no-token")
        stale.click("go")
        stale.until("document.getElementById('message').innerText.includes('not the token')")
        browser.get_log("browser")  # a refusal is an error to it
        page = Page(browser, f"{link}#{race.token}")
        first = browser.current_window_handle
        page.do("document.querySelectorAll('#hands button')[1].click()")  # at the end
        page.click("go")
        page.until("!document.getElementById('pause').disabled", 60)
        page.click("pause")
        page.until("race.state === 'paused'")
        page.click("step")
        page.until("view.heat.tracks[0].points.length === 1", 60)
        time.sleep(1.0)
        assert page.do("return view.heat.tracks[0].points.length") == 1
        browser.switch_to.new_window("tab")
        other = Page(browser, link)  # no token: that of the last visit
        other.until("view.heat.tracks[0].points.length === 1")
        other.until("document.getElementById('go').textContent === 'Continue'")
        other.click("go")
        other.until("view.over", 90)
        there = other.rows("standings")
        other.quiet(race.address)
        browser.close()
        browser.switch_to.window(first)
        page.until("race.state === 'over'", 30)
        assert page.rows("standings") == there
        assert page.text("clock") != "0.0 s"
        assert "of 1 hand said" in page.text("said")
        _pictures(page, tmp_path)
        page.click("go")
        page.until("!document.getElementById('stop').disabled")
        page.click("stop")
        page.until("race.state === 'stopped'", 30)
        assert "no result" in page.text("message")
    saved = Page(browser, (tmp_path / "kept" / "index.html").as_uri())
    saved.click("step")
    assert "a demonstration" in saved.text("notices")
