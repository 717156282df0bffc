"""The table of pages: which has which made stretches, and who makes them.

Each stretch of a page between `<!-- made: NAME -->` and `<!-- end -->` is written by the function
of that name, from committed records or from the tables in the code, so that no figure there is
typed by hand. A test fails where a page differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from comparisons.benchmarks import summary
from comparisons.core.machine import ROOT
from comparisons.findings.experience import PACKAGED
from comparisons.readme import advice, evidence, front, glossary, house, tables

Maker = Callable[[], str]

BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

PAGES: dict[str, Sequence[Maker]] = {
    "README.md": (front.finding, front.main_arms, front.first_run, house.rooms, advice.advised),
    "comparisons/README.md": (
        tables.sure,
        tables.strategies,
        tables.datasets,
        tables.presets,
        tables.knobs,
        house.layers,
        house.walls,
        house.files,
    ),
    "models/README.md": (tables.models, tables.bases, house.networks),
    "notebooks/README.md": (tables.lessons,),
    "results/README.md": (glossary.glossary,),
    "results/evidence/README.md": (
        evidence.results,
        evidence.measured,
        evidence.tutorial,
        evidence.photographs,
        evidence.drawings,
        evidence.ways,
        evidence.vgg16,
        evidence.forgetting,
        evidence.own,
        evidence.digits,
        evidence.turned,
        evidence.goals,
        evidence.tuned,
        evidence.kills,
        advice.regret,
        summary.benchmarks,
    ),
}


def pages() -> dict[Path, str]:
    """What each page that is made, in whole or in part, should say now."""
    made = {
        ROOT / name: filled((ROOT / name).read_text(), makers) for name, makers in PAGES.items()
    }
    return made | {
        summary.FOLDER / "README.md": summary.measurements(),
        PACKAGED: advice.experience(),
    }


def filled(text: str, makers: Sequence[Maker]) -> str:
    """A page's text with every made stretch made again. Raises KeyError for an unknown name."""
    by_name = {make.__name__: make for make in makers}
    return BLOCK.sub(lambda found: f"{found[1]}{by_name[found[2]]().strip()}\n{found[3]}", text)
