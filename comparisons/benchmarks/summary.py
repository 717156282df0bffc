"""What the benchmarks measured, as the page of evidence and a page of their own show it."""

from __future__ import annotations

import msgspec

from comparisons.benchmarks import guard
from comparisons.benchmarks.measure import EVIDENCE as FOLDER
from comparisons.benchmarks.measure import Result, Side
from comparisons.findings import text

FEW = 7
PAGE = "benchmarks/README.md"  # from the page of evidence
MEASUREMENTS = """# What the benchmarks measured

Made from the files beside this one by `python -m comparisons.readme`. Sides of a benchmark
are timed in turn, round by round; a ratio is the median of those of the rounds, with the lowest and
the highest. A rate counts the images, or the operations, of a side."""


def benchmarks() -> str:
    """What the benchmarks measured: the guarded figures, and the question of each of the others."""
    results = _benchmarked()
    guarded = {figure.benchmark for figure in guard.FIGURES}
    lines = [
        f"- {found.question} {_briefly(found)} (`{found.name}`)."
        for found in results
        if found.name not in guarded
    ]
    machines = " and ".join(sorted({text.machine(found.environment) for found in results}))
    return "\n\n".join([_guarded(results), "\n".join(lines), f"Measured on {machines}."])


def measurements() -> str:
    """Every benchmark with all its sides and ratios: a page of its own."""
    parts = [MEASUREMENTS]
    for found in _benchmarked():
        rows = [
            (
                side.name,
                f"{side.median:.3g} s",
                f"{min(side.seconds):.3g} to {max(side.seconds):.3g} s",
                "" if side.unit == "run" else _rate(side),
                _noted(side),
            )
            for side in found.sides
        ]
        head = ("side", "median", f"of {len(found.sides[0].seconds)} rounds", "rate", "notes")
        command = f"`{found.command}` on {text.machine(found.environment)}:"
        ratios = "\n".join(f"- {one.sentence}." for one in found.ratios)
        parts += [f"## {found.question}", command, text.markdown(head, rows), ratios]
    return "\n\n".join(part for part in parts if part) + "\n"


def result(name: str) -> Result:
    """What one benchmark measured. Raises OSError where it has not been run."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Result)


def _benchmarked() -> list[Result]:
    names = sorted(path.stem for path in FOLDER.glob("*.json") if path.name != guard.NAME)
    return [result(name) for name in names]


def _briefly(found: Result) -> str:
    """A benchmark's sides; of many those that have a limit, if any has, else where they are."""
    limited = [side for side in found.sides if any(key.startswith("limit") for key in side.notes)]
    sides = found.sides if len(found.sides) <= FEW else limited
    if not sides:
        return f"{len(found.sides)} sides, on [their page]({PAGE})"
    return "; ".join(_side(side) for side in sides)


def _side(side: Side) -> str:
    """A side's median and its notes; a difference below zero is nothing that took time."""
    notes = f" ({_noted(side)})" if side.notes else ""
    return f"{side.name} {max(side.median, 0.0):.3g} s{notes}"


def _noted(side: Side) -> str:
    return ", ".join(f"{key} {value}".strip() for key, value in side.notes.items())


def _guarded(results: list[Result]) -> str:
    """Each guarded figure's target beside what was measured, if it was."""
    ratios = {found.name: found.ratios for found in results}
    rows = []
    for figure in guard.FIGURES:
        one = guard.find(figure, ratios.get(figure.benchmark, []))
        measured = (
            f"{one.median:.3g} ({one.lowest:.3g} to {one.highest:.3g})" if one else "not measured"
        )
        rows.append((figure.sentence, f"{figure.target:g}", measured, f"`{figure.benchmark}`"))
    head = ("how many times as fast", "target, at least", "measured", "benchmark")
    return text.markdown(head, rows)


def _rate(side: Side) -> str:
    return (
        f"{text.scaled(side.rate)} {side.unit}s/s"
        if side.rate >= 1e6
        else f"{side.rate:,.0f} {side.unit}s/s"
    )
