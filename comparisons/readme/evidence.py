"""What pages show of the committed records: every result, with its commands and machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from comparisons.core.machine import ROOT
from comparisons.core.neighbours import CONTENDED
from comparisons.core.records import Record, load_all
from comparisons.findings import crossings, intervals, text
from comparisons.findings.headline import headline
from comparisons.findings.view import busy_before, view
from comparisons.plan.knobs import KNOBS
from comparisons.plan.presets import PRESETS
from comparisons.plan.tuning import AS_IT_IS
from comparisons.report import table
from comparisons.running import tuning

EVIDENCE = ROOT / "results" / "evidence"
MAIN = EVIDENCE / "cifar10"


def main() -> list[Record]:
    """The records of the main comparison."""
    return load_all(MAIN)[0]


def results() -> str:
    """A row for each arm and size of the evidence."""
    rows = [
        (
            f"`{row.arm}`",
            text.count(row.train_size),
            accuracy_of(row),
            str(row.ok),
            text.seconds(row.seconds_learning_cold),
            text.seconds(row.seconds_learning_warm),
            text.scaled(row.parameters_trainable),
            text.scaled(row.peak_memory, "B"),
            row.notes,
        )
        for row in table.summarise(main())
    ]
    head = (
        "arm",
        "training images",
        "test accuracy",
        "seeds",
        "learning, cold",
        "warm",
        "trained parameters",
        "peak memory, at most",
        "notes",
    )
    return text.markdown(head, rows)


def overtaken(folder: Path) -> str:
    """Sentences on where training from scratch overtakes each other arm of some evidence."""
    found = [
        crossings.say(one)
        for one in crossings.crossings(view(load_all(folder)[0]))
        if any(arm.endswith(":scratch") for arm in one.arms)
    ]
    return " ".join(found)


def photographs() -> str:
    """Other bases and strategies over sizes, and where training from scratch overtakes them."""
    return _curves("cifar10")


def drawings() -> str:
    """The same on drawn shapes, by the base that comes with this package."""
    return _curves("shapes")


def _curves(name: str) -> str:
    folder = EVIDENCE / "curves" / name
    return f"{overtaken(folder)}\n\n{_ways(folder)}"


def ways() -> str:
    """A row for each strategy of the evidence on strategies, and where it was measured."""
    return _ways(EVIDENCE / "strategies")


def vgg16() -> str:
    """The same of the evidence on VGG16, whose runs take minutes each."""
    return _ways(EVIDENCE / "vgg16")


def forgetting() -> str:
    """The same of the evidence on drawn shapes, where what a base forgets was measured."""
    return _ways(EVIDENCE / "shapes")


# Ants and bees, ResNet-18, right of 153 images, which had also chosen the best of 25 epochs:
# "Transfer Learning for Computer Vision Tutorial", PyTorch's tutorials.
PUBLISHED = {"fine-tuned": 144, "frozen": 147}
ANTS_AND_BEES = 153


def own() -> str:
    """The evidence on a folder of photographs, and what was published for the same ones."""
    shares = {way: right / ANTS_AND_BEES for way, right in PUBLISHED.items()}
    sides = [f"{text.percent(share)} {way}" for way, share in shares.items()]
    ends = [intervals.wilson(share, ANTS_AND_BEES) for share in shares.values()]
    luck = [f"{text.percent(low)} to {text.percent(high)}" for low, high in ends]
    tie = max(low for low, _ in ends) < min(high for _, high in ends)
    return (
        f"{_ways(EVIDENCE / 'hymenoptera')}\n\n"
        f"Published for the same pictures is ResNet-18 with {' and '.join(sides)}, at the best "
        f"epoch on the {ANTS_AND_BEES} images that it was then judged by. So few images alone say "
        f"{' and '.join(luck)} (Wilson's intervals): "
        f"{'a tie' if tie else 'not by luck of the images alone'}."
    )


def digits() -> str:
    """The evidence on MNIST, where a base has learnt from photographs."""
    return _ways(EVIDENCE / "mnist")


def turned() -> str:
    """What turning each knob showed, by its evidence, and where it was measured."""
    runs = {name: load_all(EVIDENCE / "knobs" / name)[0] for name in KNOBS}
    lines = [
        f"- [`{name}`](knobs/{name}): {' '.join(headline(found))}"
        for name, found in runs.items()
        if found
    ]
    everything = [r for found in runs.values() for r in found]
    return "\n\n".join(("\n".join(lines), _where(everything))) if everything else AGAIN


def tuned() -> str:
    """What more care would gain each arm that was tuned, by validation images alone."""
    found = tuning.read(EVIDENCE / "tuning")
    rows = [
        (
            f"`{one.arm}`",
            text.count(one.train_size),
            str(len(one.seeds)),
            text.percent(one.usual),
            f"{text.points(one.gain)} ({one.best})" if one.best != AS_IT_IS else text.NONE,
            text.points(one.doubled) if one.doubled is not None else text.NONE,
        )
        for one in sorted(found, key=lambda one: (one.arm, one.train_size))
    ]
    if not rows:
        return AGAIN
    head = (
        "arm",
        "training images",
        "seeds",
        "validation accuracy of its recipe",
        "the best of the others gains, points",
        "twice its epochs gain, points",
    )
    return f"{text.markdown(head, rows)}\n\nMeasured by{_shell(one.command for one in found)}"


def measured() -> str:
    """Commands and machine of the evidence."""
    return _where(main())


def accuracy_of(row: table.Row) -> str:
    """Test accuracy, with the standard deviation of several seeds."""
    if row.ok < 2:
        return text.percent(row.accuracy_mean)
    spread = text.points(row.accuracy_spread, sign=False)
    return f"{text.percent(row.accuracy_mean)}{text.SPACE}±{text.SPACE}{spread}"


def tutorial() -> str:
    """How long the tuned network takes to pass the tutorial's final test accuracy."""
    largest = max(run.train_size for run in main())
    runs = [run for run in main() if run.train_size == largest]
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


KILLED = ("kills", "lost", "partial", "corrupt", "wrong", "orphans", "continued")


def kills() -> str:
    """What kills at random moments have done, all seeds together."""
    found = [json.loads(path.read_bytes()) for path in (EVIDENCE / "kills").glob("*.json")]
    if not found:
        return "Not counted yet: `python -m pytest -m slow tests/test_hostile.py` counts."
    counts = tuple(text.count(sum(one[name] for one in found)) for name in KILLED)
    return text.markdown(KILLED, [counts])


def goals() -> str:
    """The presets that were made for an accuracy in a time, and what their evidence shows."""
    wanted = {name: preset.goal for name, preset in PRESETS.items() if preset.goal}
    runs = {name: load_all(EVIDENCE / "presets" / name)[0] for name in wanted}
    rows = []
    for name, (accuracy, seconds) in wanted.items():
        # A goal is exact: 10 min, not 10.0.
        goal = f"{text.percent(accuracy, 0)} in {text.seconds(seconds).replace('.0', '')}"
        (row,) = table.summarise(runs[name]) or (None,)
        shown = (text.NONE,) * 4
        if row:
            longest = max(run.seconds.total_cold for run in runs[name])
            shown = (
                f"`{row.arm}`, epochs: {len(runs[name][0].history)}",
                accuracy_of(row),
                f"{text.seconds(row.seconds_total_cold)}, at most {text.seconds(longest)}",
                f"{row.ok} of {row.runs}",
            )
        rows.append((f"`{name}`", goal, *shown))
    head = ("preset", "goal on two cores", "what is run", "test accuracy", "whole run", "seeds")
    found = [run for some in runs.values() for run in some]
    return "\n\n".join((text.markdown(head, rows), *([_where(found)] if found else [])))


def machines(runs: Sequence[Record]) -> str:
    """The machines and versions that made some runs, in words."""
    return text.listing(
        sorted(
            {
                f"{text.machine(run.environment)}, "
                f"TensorFlow {run.environment.versions['tensorflow']}, "
                f"Keras {run.environment.versions['keras']}, {run.environment.precision}"
                for run in runs
            }
        )
    )


def _where(runs: Sequence[Record]) -> str:
    commands = _shell(run.environment.command for run in runs)
    return f"Measured on {machines(runs)}; {contended(runs)}; by{commands}"


def contended(runs: Sequence[Record]) -> str:
    """In how many of some runs others kept the processors busy, in words."""
    own = [share for run in runs if (share := run.neighbours.share) > CONTENDED]
    kept = [share for run in runs if (share := busy_before(run)) > CONTENDED]
    said = f"others used over {text.percent(CONTENDED, 0)} of the processors in "
    said += f"{len(own)} of {text.plural(len(runs), 'run')}" if own else "none of these runs"
    said += f", up to {text.percent(max(own), 0)}" if own else ""
    if kept:
        said += (
            f"; of {len(kept)} the cold cost that was found ready had been measured beside others, "
            f"who used up to {text.percent(max(kept), 0)}"
        )
    return said


def _shell(commands: Iterable[str]) -> str:
    """Commands, each once, as a block of a page."""
    return "\n\n```sh\n" + "\n".join(sorted(set(commands))) + "\n```"


AGAIN = "Being measured again by the clock of today's records."


def _ways(folder: Path) -> str:
    runs = load_all(folder)[0]
    if not runs:
        return AGAIN
    rows = table.summarise(runs)
    columns: dict[str, Callable[[table.Row], str]] = {
        "arm": lambda row: f"`{row.arm}`",
        "training images": lambda row: text.count(row.train_size),
        "test accuracy": accuracy_of,
        "seeds": lambda row: f"{row.ok} of {row.runs}",
        "learning, cold": lambda row: text.seconds(row.seconds_learning_cold),
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
