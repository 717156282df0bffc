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
from comparisons.plan import budget

COMMITTED = "evidence"  # in the folder of results: of other machines, if only by name of this one


@dataclass(frozen=True)
class Measured:
    """Points with the seconds of this machine, and in sentences where these come from."""

    points: list[Point]
    said: list[str]


def own(folders: Sequence[Path]) -> tuple[list[Record], list[str]]:
    """The user's own records, and a line for each file that could not be read.

    Of folders that have some, or of folders in these; without the committed evidence, of which
    what advice needs is packaged.
    """
    records, left_out = [], []
    for folder in folders:
        for path in sorted({run.parent.parent for run in folder.glob("**/runs/*.json")}):
            if path.is_relative_to(folder / COMMITTED):
                continue
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
    usual = [r for r in records if budget.by_recipe(r.arm, r.train_size, r.phases)]
    suited = experience.on_processors(usual)
    mine = experience.points(suited)
    times = experience.ratios([*packaged.points, *mine], packaged.speeds, speed)
    own_times = {**times, cpu_name(): 1.0}
    points = experience.joined(
        experience.scaled(packaged.points, times), experience.scaled(mine, own_times)
    )
    made_here = [p for p in mine if p.device == cpu_name()]
    made_by = {p.device for p in points if p not in made_here}
    known = [f"{times[d]:.2g} times as long as {d}" for d in sorted(made_by & times.keys())]
    unknown = sorted(made_by - times.keys())
    said = [f"This machine is taken to need {text.listing(known)}."] if known else []
    if made_here:
        said.append("The seconds of your own runs here are taken as they are.")
    for left, why in (
        (len(records) - len(usual), "by other epochs or batches than their recipe's"),
        (len(usual) - len(suited), "on a GPU or TPU"),
    ):
        if left:
            said.append(f"Of your own runs {left} {why} are left out.")
    if unknown:
        said.append(f"The seconds of {text.listing(unknown)} are taken as they are.")
    return Measured(points, said)
