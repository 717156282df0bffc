"""Compact SVG: the same shapes in the same places, and far fewer bytes."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import factory
import pytest
from hypothesis import given
from hypothesis import strategies as some
from matplotlib.backends.backend_svg import FigureCanvasSVG

from comparisons.report.figures import catalog
from comparisons.report.figures.compact import compact
from comparisons.report.figures.paper import NARROW, svg
from comparisons.report.page import _data_uri

RECORDS = factory.records(["cnn:scratch", "mobilenet@0.25x160:frozen"], seeds=3)
HREF = "{http://www.w3.org/1999/xlink}href"


def commands(shape):
    """A path as [letter, x, y, …] for every command, implicit ones too; after M comes L."""
    takes = {"M": 2, "L": 2, "Q": 4, "C": 6}
    found = []
    for letter, rest in re.findall(r"([MLQCz])([^MLQCz]*)", shape):
        numbers = [float(n) for n in re.split(r"[\s,]+", rest.strip(" ,\n")) if n]
        n = takes.get(letter, 0)
        if not n:
            found.append([letter])
        for i in range(0, len(numbers), n or 1):
            found.append([letter if i == 0 or letter != "M" else "L", *numbers[i : i + n]])
    return found


def same(before, after):
    """Whether two paths are one, but for the third digit."""
    letters = [[c[0] for c in path] for path in (before, after)]
    places = [[v for c in path for v in c[1:]] for path in (before, after)]
    return letters[0] == letters[1] and places[0] == pytest.approx(places[1], abs=0.00501)


def drawn(text):
    """Of a parsed SVG: paths, and letters by the shape that each shows, with where it stands."""
    tree = ET.fromstring(text)
    shapes = {e.get("id"): e.get("d") for e in tree.iter() if e.tag.endswith("}path")}
    paths = [commands(e.get("d")) for e in tree.iter() if e.get("d")]
    uses = []
    for e in tree.iter():
        if e.tag.endswith("}use") and shapes[e.get(HREF)[1:]]:
            moved = re.fullmatch(r"translate\((\S+) 0\)", e.get("transform") or "")
            place = float(moved[1] if moved else e.get("x") or 0)
            uses.append((commands(shapes[e.get(HREF)[1:]]), place))
    return paths, uses


@pytest.mark.parametrize("name", ["accuracy-time", "final-accuracy", "confusion"])
def test_a_figure_has_the_same_shapes_in_the_same_places(name):
    figure = catalog.FIGURES[name].draw(RECORDS, NARROW)
    file = io.StringIO()
    FigureCanvasSVG(figure).print_svg(file)
    before, after = file.getvalue(), compact(file.getvalue())
    for old, new in zip(*map(drawn, (before, after)), strict=True):
        assert len(old) == len(new)
    (paths, uses), (paths_after, uses_after) = drawn(before), drawn(after)
    for old, new in zip(paths, paths_after, strict=True):
        assert same(old, new)
    for (shape, place), (shape_after, place_after) in zip(uses, uses_after, strict=True):
        assert len(shape) == len(shape_after) and place == pytest.approx(place_after, abs=0.51)
    assert len(after) < 0.65 * len(before)
    assert len(_data_uri(after.encode())) < 0.45 * len(_data_uri(before.encode()))


def test_what_is_referred_to_is_there_and_nothing_else_is_named():
    text = svg(catalog.FIGURES["accuracy-time"].draw(RECORDS, NARROW)).decode()
    used = set(re.findall(r"(?:href='|url\()#([^')]*)", text))
    named = re.findall(r" id='([^']*)'", text)
    assert used == set(named) and len(named) == len(set(named))
    assert "<g></g>" not in text and "<g>" not in text and '"' not in text


numbers = some.floats(-1e4, 1e4).map(lambda v: f"{v:.6f}")
lines = some.tuples(some.sampled_from("ML"), numbers, numbers).map(" ".join)


@given(some.lists(lines, min_size=1, max_size=8))
def test_any_path_stays_itself(some_lines):
    shape = " \n".join(["M 0 0", *some_lines, "z"])
    found = ET.fromstring(compact(f'<svg xmlns="x"><path d="{shape}"/></svg>'))
    before, after = commands(shape), commands(found[0].get("d"))
    assert same(before, after)
