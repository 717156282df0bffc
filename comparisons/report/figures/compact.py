"""An SVG in a third of the bytes: what nobody sees is left out, and coordinates are rounded.

Where a page holds it as a data URI every space, quote and line break would take three bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby

DECIMALS = 2  # of a point, which is 1.3 pixels

HEAD = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)
BETWEEN = re.compile(r">\s+<")
SHAPE = re.compile(r' d="([^"]*)"')
COMMAND = re.compile(r"([A-Za-z])([^A-Za-z]*)")
VALUE = re.compile(r' (x|y|width|height|transform|style)="([^"]*)"')
NUMBER = re.compile(r"-?\d+\.\d+")
# Letters of a line: where each stands, in hundredths of its size or less. Spaces have no shape.
LETTER = re.compile(r'(<use xlink:href="#[^"]*") transform="translate\(([-.\d]+) 0\)"/>')
SPACE = re.compile(r'<path id="([^"]*)" transform="[^"]*"/>')
ID = re.compile(r' id="([^"]*)"')
USED = re.compile(r'(href="#|url\(#)([^")]*)')
GROUP = re.compile(r"<g(?: [^>]*)?>|</g>")
# Marks of one look in a row. Of these only the opacity is each one's own: a group's is that of all.
MARK = r'<use xlink:href="#[^"]*" x="[^"]*" y="[^"]*" style="'
MARKS = re.compile(rf'{MARK}([^"]*)"/>(?:{MARK}\1"/>)+')
OPACITY = re.compile(r"(?<![-\w])opacity:([.\d]+);?")


def compact(svg: str) -> str:
    """The same picture. `svg` is one that matplotlib wrote."""
    short = BETWEEN.sub("><", HEAD.sub("", svg)).strip()
    spaces = "|".join(map(re.escape, SPACE.findall(short)))
    if spaces:
        short = re.sub(rf'<(use xlink:href="#|path id=")({spaces})"[^>]*/>', "", short)
    short = SHAPE.sub(lambda found: f' d="{_path(found[1])}"', short)
    short = LETTER.sub(lambda found: f'{found[1]} x="{float(found[2]):.0f}"/>', short)
    short = VALUE.sub(lambda found: f' {found[1]}="{_tight(found[2])}"', short)
    return _ungrouped(MARKS.sub(_alike, _renamed(short))).replace('"', "'")


@lru_cache(maxsize=2000)  # the same letters are in every figure
def _path(shape: str) -> str:
    """A path's commands: one letter for several in a row, numbers between commas."""
    said = []
    for letter, same in groupby(COMMAND.findall(shape), key=lambda one: one[0]):
        each = [",".join(map(_rounded, numbers.split())) for _, numbers in same]
        # Further numbers after an M would be read as those of an L.
        said += [letter + one for one in each] if letter == "M" else [letter + ",".join(each)]
    return "".join(said)


def _tight(value: str) -> str:
    """An attribute's value, with numbers rounded and no space that can be done without."""
    # A number in brackets may be a factor, which needs its digits.
    if "(" not in value:
        value = NUMBER.sub(lambda n: _rounded(n[0]), value)
    return re.sub(r"(?<=[\d)]) (?=[-\d])", ",", re.sub(r"\s*([;:])\s*", r"\1", value))


def _rounded(number: str) -> str:
    short = f"{float(number):.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def _alike(marks: re.Match[str]) -> str:
    """Marks that say their look once."""
    look = OPACITY.search(marks[1])
    own = f' opacity="{look[1]}"' if look else ""
    said = f' style="{marks[1]}"'
    return f'<g style="{OPACITY.sub("", marks[1])}">{marks[0].replace(said, own)}</g>'


def _renamed(svg: str) -> str:
    """Names only for what is referred to, and these short."""
    used = dict.fromkeys(found[2] for found in USED.finditer(svg))
    names = {name: f"i{n:x}" for n, name in enumerate(used)}
    svg = ID.sub(lambda found: f' id="{names[found[1]]}"' if found[1] in names else "", svg)
    return USED.sub(lambda found: found[1] + names[found[2]], svg)


def _ungrouped(svg: str) -> str:
    """Without the groups that say nothing of what is in them."""
    kept: list[bool] = []

    def keep(found: re.Match[str]) -> str:
        if found[0] != "</g>":
            kept.append(found[0] != "<g>")
            return found[0] if kept[-1] else ""
        return found[0] if kept.pop() else ""

    return GROUP.sub(keep, svg)
