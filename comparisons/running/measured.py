"""What was measured before, packaged and by the user, with the seconds that this machine takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from comparisons.core.machine import cpu_name
from comparisons.core.probe import Speed
from comparisons.core.records import Record, load_all
from comparisons.findings import experience, text
from comparisons.findings.experience import Point


@dataclass(frozen=True)
class Measured:
    """Points with the seconds of this machine, and in sentences where these come from."""

    points: list[Point]
    said: list[str]


def own(folders: Sequence[Path]) -> tuple[list[Record], list[str]]:
    """The user's own records, and a line for each file that could not be read.

    Of folders that have some, or of folders in these.
    """
    records, left_out = [], []
    for folder in folders:
        for path in sorted({run.parent.parent for run in folder.glob("**/runs/*.json")}):
            found, damaged = load_all(path)
            records += found
            left_out += damaged
    return records, left_out


def here(records: Sequence[Record], speed: Speed) -> Measured:
    """What is packaged and the user's own, as a machine of that speed takes.

    Each point is scaled by the machine that made it; of one whose speed is not known the seconds
    stay. What a processor of this name made is taken to be made here.
    """
    packaged = experience.packaged()
    mine = experience.points(experience.on_processors(records))
    times = experience.ratios(packaged.points, packaged.speeds, speed)
    times_mine = {**experience.ratios(mine, packaged.speeds, speed), cpu_name(): 1.0}
    points = experience.joined(
        experience.scaled(packaged.points, times), experience.scaled(mine, times_mine)
    )
    made_by = {p.device for p in points}
    others = {d: t for d, t in times_mine.items() if d != cpu_name()} | times
    known = [f"{others[d]:.2g} times as long as {d}" for d in sorted(made_by & others.keys())]
    unknown = sorted(made_by - times.keys() - times_mine.keys())
    said = [f"This machine is taken to need {text.listing(known)}."] if known else []
    if unknown:
        said.append(f"The seconds of {text.listing(unknown)} are taken as they are.")
    return Measured(points, said)
