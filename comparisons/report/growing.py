"""Curves that grow in a notebook while a comparison runs: one output, changed as epochs end."""

from __future__ import annotations

import contextvars
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import TYPE_CHECKING

from comparisons.core import events
from comparisons.core.console import in_notebook
from comparisons.core.events import Listener
from comparisons.core.records import Epoch
from comparisons.findings import text
from comparisons.findings.looks import looks
from comparisons.findings.names import arm_name

if TYPE_CHECKING:
    from comparisons.plan.runs import Run

BEAT = 0.25  # seconds between two drawings: watching must not slow what is timed
WIDE, HIGH, LINE = 640, 300, 20  # pixels: the curves, and below them a line for each arm
LEFT, RIGHT, TOP, BOTTOM = 50, 20, 12, 40
INK, PALE, GRID = "#1c1c1c", "#595959", "#d4d4d4"

Look = tuple[int, float]  # an epoch of a run, from 1 on, and the validation accuracy after it


def curves(planned: Sequence[Run]) -> Listener:
    """What shows the validation accuracy of runs as it grows, in one output of a notebook's cell.

    For `watch` of comparisons.cifar.compare; elsewhere than in a notebook it shows nothing.
    """
    return _Growing(planned).hear if in_notebook() else lambda number, event: None


class _Growing:
    def __init__(self, planned: Sequence[Run]) -> None:
        from IPython.display import display

        self._labels = [run.name for run in planned]
        self._epochs = max(sum(phase.epochs for phase in run.phases) for run in planned)
        self._seen: list[list[Epoch]] = [[] for _ in planned]
        self._ended = 0
        self._lock = threading.Lock()
        self._waits = False  # a drawing that is to come has what was heard meanwhile
        self._drawn = time.monotonic()
        self._output = display(self._shown(), raw=True, display_id=True)

    def hear(self, number: int, event: events.Event) -> None:
        """Take note of an event of the run at a place of the plan, and draw what came of it."""
        with self._lock:
            match event:
                case events.Epoch(entry):
                    self._seen[number].append(entry)
                case events.Continued(entries):
                    self._seen[number] = list(entries)
                case events.Record(record):
                    self._seen[number] = record.history
                    self._ended += 1
                case _:
                    return
            if self._ended == len(self._seen):  # now: later it were no output of this cell
                self._draw()
            elif not self._waits:
                self._waits = True
                # In the context of who is heard: a kernel knows by that which cell has said it.
                rest = max(0.0, self._drawn + BEAT - time.monotonic())
                later = threading.Timer(rest, contextvars.copy_context().run, [self._draw_later])
                later.daemon = True
                later.start()

    def _draw_later(self) -> None:
        with self._lock:
            if self._waits:
                self._draw()

    def _draw(self) -> None:
        self._waits, self._drawn = False, time.monotonic()
        self._output.update(self._shown(), raw=True)

    def _shown(self) -> dict[str, str]:
        lines = [
            (label, _looks_at(seen)) for label, seen in zip(self._labels, self._seen, strict=True)
        ]
        return {"image/svg+xml": _svg(lines, self._epochs), "text/plain": _words(lines)}


def _looks_at(epochs: Sequence[Epoch]) -> list[Look]:
    numbered = enumerate(epochs, start=1)
    return [(i, e.val_accuracy) for i, e in numbered if e.val_accuracy is not None]


def _words(lines: Sequence[tuple[str, list[Look]]]) -> str:
    """The same in words: of each run its last look."""
    said = []
    for label, points in lines:
        epoch, accuracy = points[-1] if points else (0, None)
        said.append(f"{arm_name(label)}: {text.percent(accuracy)} after {epoch} epochs")
    return "\n".join(["validation images named rightly", *said])


def _svg(lines: Sequence[tuple[str, list[Look]]], epochs: int) -> str:
    """Curves over epochs, and a line for each arm; by hand, as others compute while it is drawn."""
    arms = looks(label for label, _ in lines)
    last = {label: points[-1][1] if points else None for label, points in lines}
    high = HIGH + LINE * len(arms)
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
    root.attrib |= {"viewBox": f"0 0 {WIDE} {high}", "width": str(WIDE), "height": str(high)}
    root.attrib |= {"font-family": "sans-serif", "font-size": "13", "fill": INK}
    ET.SubElement(root, "title").text = _words(lines)
    _add(root, "rect", width=WIDE, height=high, fill="#fff")

    def x(epoch: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * epoch / max(epochs, 1)

    def y(share: float) -> float:
        return HIGH - BOTTOM - (HIGH - BOTTOM - TOP) * share

    for share in (0, 0.25, 0.5, 0.75, 1):
        _add(root, "line", x1=LEFT, x2=WIDE - RIGHT, y1=y(share), y2=y(share), stroke=GRID)
        _write(root, text.percent(share, 0), LEFT - 8, y(share) + 4, PALE, "end")
    for epoch in sorted({0, round(epochs / 2), epochs}):
        _write(root, str(epoch), x(epoch), y(0) + 17, PALE, "middle")
    under = "validation images named rightly, after so many epochs"
    _write(root, under, WIDE / 2, HIGH - 6, PALE, "middle")
    for label, points in lines:
        look, places = arms[label], [(x(epoch), y(share)) for epoch, share in points]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
        _add(root, "polyline", points=path, fill="none", stroke=look.colour, stroke_width=2.5)
        for px, py in places:
            _write(root, look.glyph, px, py + 4, look.colour, "middle")
    for row, (label, accuracy) in enumerate(last.items(), start=1):
        foot = HIGH + LINE * row - 8
        _write(root, arms[label].glyph, LEFT, foot, arms[label].colour)
        _write(root, f"{arm_name(label)}: {text.percent(accuracy)}", LEFT + 20, foot, INK)
    return ET.tostring(root, encoding="unicode")


def _write(root: ET.Element, said: str, x: float, y: float, fill: str, at: str = "start") -> None:
    _add(root, "text", said, x=x, y=y, fill=fill, text_anchor=at)


def _add(root: ET.Element, name: str, said: str | None = None, **attributes: str | float) -> None:
    """Add a part; Python has `_` where an attribute has a hyphen."""
    named = {
        key.replace("_", "-"): value if isinstance(value, str) else f"{value:g}"
        for key, value in attributes.items()
    }
    ET.SubElement(root, name, named).text = said
