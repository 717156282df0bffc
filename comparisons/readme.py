"""`python -m comparisons.readme`: fill in the README's figures and tables.

Each stretch of README.md between `<!-- made: NAME -->` and `<!-- end -->` is written by the
function of that name, from committed records or from the tables in the code, so that no figure
there is typed by hand. A test fails where the README differs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from comparisons.benchmarks import summary
from comparisons.core.files import write_text
from comparisons.core.machine import ROOT
from comparisons.core.records import Record, load_all
from comparisons.data.catalog import SOURCES
from comparisons.findings import intervals, text, verdict
from comparisons.findings.headline import headline
from comparisons.plan.knobs import KNOBS
from comparisons.plan.presets import PRESETS
from comparisons.plan.strategies import STRATEGIES
from comparisons.report import table
from models.catalog import OWN, families

EVIDENCE = ROOT / "results" / "evidence" / "cifar10"
WAYS = ROOT / "results" / "evidence" / "strategies"
SHAPES = ROOT / "results" / "evidence" / "shapes"
TURNED = ROOT / "results" / "evidence" / "knobs"
GOALS = ROOT / "results" / "evidence" / "presets"
BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(readme: str) -> str:
    """README text with every made stretch made again. Raises KeyError for an unknown name."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]().strip()}\n{found[3]}", readme)


def finding() -> str:
    """The headline of the evidence, and where it was measured."""
    lines = [f"> {line}" for line in verdict.headline(_evidence())]
    return "\n>\n".join(lines)


def results() -> str:
    """A row for each arm and size of the evidence."""
    rows = [
        (
            f"`{row.arm}`",
            text.count(row.train_size),
            _accuracy(row),
            str(row.ok),
            text.seconds(row.seconds_cold),
            text.seconds(row.seconds_warm),
            text.scaled(row.parameters_trainable),
            text.scaled(row.peak_memory, "B"),
        )
        for row in table.summarise(_evidence())
    ]
    head = (
        "arm",
        "training images",
        "test accuracy",
        "seeds",
        "seconds, cold",
        "seconds, warm",
        "trained parameters",
        "peak memory",
    )
    return text.markdown(head, rows)


def ways() -> str:
    """A row for each strategy of the evidence on strategies, and where it was measured."""
    return _ways(WAYS)


def forgetting() -> str:
    """The same of the evidence on drawn shapes, where what a base forgets was measured."""
    return _ways(SHAPES)


def turned() -> str:
    """What turning each knob showed, by its evidence, and where it was measured."""
    runs = {name: load_all(TURNED / name)[0] for name in KNOBS}
    lines = [
        f"- [`{name}`](results/evidence/knobs/{name}/report.html): {' '.join(headline(found))}"
        for name, found in runs.items()
        if found
    ]
    return "\n\n".join(("\n".join(lines), _where([r for found in runs.values() for r in found])))


def _ways(folder: Path) -> str:
    runs = load_all(folder)[0]
    rows = table.summarise(runs)
    columns: dict[str, Callable[[table.Row], str]] = {
        "arm": lambda row: f"`{row.arm}`",
        "training images": lambda row: text.count(row.train_size),
        "test accuracy": _accuracy,
        "seeds": lambda row: f"{row.ok} of {row.runs}",
        "seconds, cold": lambda row: text.seconds(row.seconds_cold),
        "trained parameters": lambda row: text.scaled(row.parameters_trainable),
        "adapted weights": lambda row: (
            text.scaled(row.adapted_bytes, "B") if row.adapted_bytes else ""
        ),
    }
    if any(row.forgotten_mean is not None for row in rows):
        columns["forgets, points"] = lambda row: (
            "" if row.forgotten_mean is None else text.points(row.forgotten_mean, sign=False)
        )
    filled_in = [tuple(show(row) for show in columns.values()) for row in rows]
    return "\n\n".join((text.markdown(tuple(columns), filled_in), _where(runs)))


def measured() -> str:
    """Commands and machine of the evidence."""
    return _where(_evidence())


def _accuracy(row: table.Row) -> str:
    """Test accuracy, with the standard deviation of several seeds."""
    spread = f" ± {text.points(row.accuracy_spread, sign=False)}" if row.ok > 1 else ""
    return text.percent(row.accuracy_mean) + spread


def _where(runs: Sequence[Record]) -> str:
    commands = sorted({run.environment.command for run in runs})
    machines = sorted(
        {
            f"{text.machine(run.environment)}, "
            f"TensorFlow {run.environment.versions['tensorflow']}, "
            f"Keras {run.environment.versions['keras']}, {run.environment.precision}"
            for run in runs
        }
    )
    shown = "\n".join(commands)
    return f"Measured on {text.listing(machines)} by\n\n```sh\n{shown}\n```"


def tutorial() -> str:
    """How long the tuned network takes to pass the tutorial's final test accuracy."""
    largest = max(run.train_size for run in _evidence())
    runs = [run for run in _evidence() if run.train_size == largest]
    by_arm = {arm: [r for r in runs if r.arm == arm] for arm in {r.arm for r in runs}}
    published, tuned = by_arm["tutorial-cnn:scratch"], by_arm["cnn:scratch"]
    level = intervals.mean_of(intervals.accuracy(run) for run in published)
    whole = intervals.mean_of(intervals.clock(run)[-1] for run in published)
    reached = [intervals.time_to_accuracy(run, level or 1.0) for run in tuned]
    passed = intervals.mean_of(reached)
    if level is None or whole is None or passed is None or None in reached:
        return "`cnn:scratch` did not pass the tutorial network's final accuracy in every run."
    return (
        f"With all {text.count(largest)} images the tutorial's network ends at "
        f"{text.percent(level)} after {text.seconds(whole)} of training; `cnn:scratch` passes "
        f"that, on validation images, after {text.seconds(passed)}: "
        f"{passed / whole:.2f} of the time (means of {len(tuned)} seeds, validation apart)."
    )


def models() -> str:
    """The table of models."""
    rows = [(f"`{m.full_name}`", m.sentence, "yes" if m.pretrained else "no") for m in OWN.values()]
    for what, members in families():
        names = " ".join(f"`{m.full_name}`" for m in members)
        rows.append((names, what, "yes"))
    return text.markdown(("model", "what it is", "pretrained weights"), rows)


def strategies() -> str:
    """The table of strategies: question, start and phases."""
    starts = {"random": "random weights", "pretrained": "a base", "source": "a source data set"}
    rows = []
    for row in STRATEGIES.values():
        at = f"@{row.option[1]}" if row.option else ""
        trains = ", then ".join(WORDS[phase.trainable] for phase in row.phases)
        rows.append((f"`{row.name}{at}`", row.question, starts[row.start], trains))
    return text.markdown(
        ("strategy", "the question that it answers", "begins with", "trains"), rows
    )


def datasets() -> str:
    """The table of data sets."""
    rows = [(f"`{row.name}`", row.sentence) for row in SOURCES.values()]
    return text.markdown(("data set", "what it is"), rows)


def presets() -> str:
    """The table of presets."""
    rows = [
        (f"`{name}`", preset.sentence, " ".join(f"`{arm}`" for arm in preset.arms))
        for name, preset in PRESETS.items()
    ]
    return text.markdown(("preset", "what is run", "arms"), rows)


def goals() -> str:
    """The presets that were made for an accuracy in a time, and what their evidence shows."""
    wanted = {name: preset.goal for name, preset in PRESETS.items() if preset.goal}
    runs = {name: load_all(GOALS / name)[0] for name in wanted}
    rows = []
    for name, (accuracy, seconds) in wanted.items():
        # A goal is exact: 10 min, not 10.0.
        goal = f"{text.percent(accuracy, 0)} in {text.seconds(seconds).replace('.0', '')}"
        (row,) = table.summarise(runs[name]) or (None,)
        shown = (text.NONE,) * 4
        if row:
            longest = max(run.seconds.total for run in runs[name])
            shown = (
                f"`{row.arm}`, epochs: {len(runs[name][0].history)}",
                _accuracy(row),
                f"{text.seconds(row.seconds_cold)}, at most {text.seconds(longest)}",
                f"{row.ok} of {row.runs}",
            )
        rows.append((f"`{name}`", goal, *shown))
    head = ("preset", "goal on two cores", "what is run", "test accuracy", "whole run", "seeds")
    found = [run for some in runs.values() for run in some]
    return "\n\n".join((text.markdown(head, rows), *([_where(found)] if found else [])))


def knobs() -> str:
    """The table of knobs."""
    rows = [
        (f"`{name}`", knob.question, ", ".join(knob.variants), knob.preset.sentence)
        for name, knob in KNOBS.items()
    ]
    return text.markdown(("knob", "question", "variants", "run on"), rows)


# What a phase trains, in words.
WORDS = {
    "all": "everything",
    "head": "the head",
    "last": "the last blocks and the head",
    "adapters": "adapters and the head",
    "new": "new blocks and the head",
}

BLOCKS: dict[str, Callable[[], str]] = {
    make.__name__: make
    for make in (
        finding,
        results,
        measured,
        tutorial,
        ways,
        forgetting,
        models,
        strategies,
        datasets,
        presets,
        goals,
        knobs,
        turned,
    )
} | {"benchmarks": summary.benchmarks}


def main() -> int:
    """Rewrite README.md, and the page of measurements, where they differ; returns the exit code."""
    for path, new in pages().items():
        old = path.read_text() if path.exists() else ""
        if new != old:
            write_text(path, new)
        said = "was up to date" if new == old else "rewritten"
        print(f"{path.relative_to(ROOT)} {said}")
    return 0


def pages() -> dict[Path, str]:
    """What each page that is made, in whole or in part, should say now."""
    readme = ROOT / "README.md"
    return {
        readme: filled(readme.read_text()),
        summary.FOLDER / "README.md": summary.measurements(),
    }


def _evidence() -> list[Record]:
    return load_all(EVIDENCE)[0]


if __name__ == "__main__":
    sys.exit(main())
