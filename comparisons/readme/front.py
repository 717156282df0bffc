"""What the first page says: the finding, the main arms at each size, and what a first run takes."""

from __future__ import annotations

from comparisons.benchmarks import summary
from comparisons.data.catalog import DATASETS
from comparisons.findings import text, verdict
from comparisons.findings.names import arm_name
from comparisons.plan import arms, budget
from comparisons.plan.presets import PRESETS
from comparisons.readme import evidence
from comparisons.report import table
from comparisons.running import tuning


def finding() -> str:
    """The headline of the evidence, and what else bears on it."""
    lines = [*verdict.headline(evidence.main()), *_stopped_early(), _tuned_through()]
    return "\n>\n".join(f"> {line}" for line in lines)


def _stopped_early() -> list[str]:
    """Which of the two sides is stopped early at which sizes, and what that may cost it."""
    found = tuning.read(evidence.EVIDENCE / "tuning")
    said = []
    for arm in _standard():
        early = sorted(
            (one.train_size, one.doubled)
            for one in found
            if one.arm == arm and (one.doubled or 0) >= budget.A_POINT
        )
        if early:
            gains = [f"{text.points(gain)} at {text.count(size)} images" for size, gain in early]
            said.append(f"{arm_name(arm)} {text.listing(gains)}")
    if not said:
        return []
    return [
        "Recipes stop early where twice the epochs gain a point or more on validation images: "
        f"{'; '.join(said)}."
    ]


def _tuned_through() -> str:
    """Where a base that is fine-tuned as a whole is overtaken, beside the frozen one."""
    found = evidence.overtaken(evidence.EVIDENCE / "tasks" / "cifar10")
    return f"With smaller images, and the whole base fine-tuned as well: {found}"


SIZES = (1_000, 10_000, 45_000)  # of the evidence, that the first page has rows for


def main_arms() -> str:
    """A row for some sizes and each arm of the standard preset."""
    rows = [
        (
            text.count(row.train_size),
            f"`{row.arm}`",
            evidence.accuracy_of(row),
            text.seconds(row.seconds_learning_cold),
            text.seconds(row.seconds_learning_warm),
        )
        for row in _rows()
        if row.train_size in SIZES
    ]
    head = ("training images", "arm", "test accuracy", "learning, cold", "warm")
    where = evidence.machines([run for run in evidence.main() if run.arm in _standard()])
    return f"{text.markdown(head, rows)}\n\nMeans of {_seeds()} seeds on {where}."


def first_run() -> str:
    """What the first command fetches, and how long it and the demo take."""
    times = {row.arm: row.seconds_learning_cold for row in _rows() if row.train_size == _largest()}
    shown = text.listing([f"{text.seconds(time)} for `{arm}`" for arm, time in times.items()])
    demo = {side.name: text.seconds(side.median) for side in summary.result("demo").sides}
    return (
        f"It fetches CIFAR-10 ({DATASETS['cifar10'].megabytes}{text.SPACE}MB) and the weights of "
        f"MobileNet once, then trains both arms on all images: {shown} on the machine named "
        f"above. `--preset demo` takes {demo['the first time']} the first time, "
        f"{demo['again']} again."
    )


def _standard() -> list[str]:
    return [arms.parse(arm).name for arm in PRESETS["standard"].arms]


def _rows() -> list[table.Row]:
    """Each size and arm of the standard preset, the smaller size and the better arm first."""
    return [row for row in table.summarise(evidence.main()) if row.arm in _standard()]


def _seeds() -> str:
    (count,) = {row.ok for row in _rows()}
    return str(count)


def _largest() -> int:
    return max(row.train_size for row in _rows())
