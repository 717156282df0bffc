"""The page, its figures and files hold whatever a record says: shown, and without effect."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import factory
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from msgspec.structs import replace
from test_page import ARMS, parsed, render, tags, texts

from comparisons import report
from comparisons.core.records import Environment, Forgetting, Moved, Settings
from comparisons.findings.text import clean
from comparisons.report import page

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
    calm["code"] = 1  # an arm that is known has its typed name in one, and words may be its name
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
