"""The page: its files, what data they are given, and the same as a folder that needs no server."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import msgspec

from comparisons.core.files import cannot_write, write_text
from comparisons.data import DATASETS
from comparisons.findings import text
from comparisons.findings.looks import looks
from comparisons.findings.names import arm_name
from comparisons.live.heats import Heat
from comparisons.plan import arms
from comparisons.plan.presets import PRESETS

FOLDER = Path(__file__).parent / "page"
# In the order of the page: each may use what those before it define.
SCRIPTS = (
    "race.js", "chart.js", "page.js", "pictures.js", "confusion.js", "inside.js", "clock.js",
    "start.js",
)  # fmt: skip
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
FILES = ("race.css", *SCRIPTS)
# A page without a server has its policy in itself; `file:` for one that is opened from a stick.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'self' file:; style-src 'self' file:; img-src data:\">"
)


class Arm(msgspec.Struct, frozen=True):
    """An arm that can be chosen: as it is written, its full label, and how it is shown."""

    written: str
    label: str
    name: str
    colour: str
    glyph: str


class Given(msgspec.Struct):
    """What the page's scripts are given: heats to replay, or what can be chosen for a live one.

    `presets` have the arms of each as they are written.
    """

    live: bool
    heats: list[Heat] = []
    arms: list[Arm] = []
    data: list[str] = []
    presets: dict[str, list[str]] = {}


def script(given: Given) -> str:
    """The data as a script, which a page that was opened as a file may load as well."""
    # In a file of its own nothing ends it early; these two would end a line in old readers.
    said = msgspec.json.encode(given).decode()
    said = said.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"const GIVEN = {said};\n"


def choices() -> Given:
    """What a live race can be made of: every arm that a preset has, and the bundled base."""
    presets = {name: list(preset.arms) for name, preset in PRESETS.items()}
    written = dict.fromkeys([*(arm for some in presets.values() for arm in some), "tiny:frozen"])
    labels = {one: arms.parse(one).name for one in written}
    found = looks(labels.values())
    shown = [
        Arm(one, label, arm_name(label), found[label].colour, found[label].glyph)
        for one, label in labels.items()
    ]
    return Given(live=True, arms=shown, data=list(DATASETS), presets=presets)


def page(now: str, policy: str = "") -> str:
    """The HTML: `now` is what a browser without scripts shows."""
    template = (FOLDER / "index.html").read_text(encoding="utf-8")
    return template.replace("<!-- policy -->", policy).replace("<!-- now -->", html.escape(now))


def told(heats: Sequence[Heat]) -> str:
    """Heats in a few lines, for a browser without scripts."""
    lines = []
    for heat in heats:
        ends = [f"{track.name} {text.percent(track.test)}" for track in heat.tracks]
        lines.append(f"{heat.title}: right on test images: {', '.join(ends)}.")
    return "\n".join(lines)


def save(folder: Path, heats: list[Heat]) -> Path:
    """Write the page of a replay as a folder that opens from a disk; the path of its page.

    Raises ComparisonError where it cannot be written.
    """
    try:
        for name in FILES:
            write_text(folder / name, (FOLDER / name).read_text(encoding="utf-8"))
        write_text(folder / "data.js", script(Given(live=False, heats=heats)))
        path = folder / "index.html"
        write_text(path, page(told(heats), POLICY))
    except OSError as error:
        raise cannot_write(folder, error, "--save") from None
    return path
