"""What pages show of the tables in the code: models, strategies, data, presets, knobs, lessons."""

from __future__ import annotations

from comparisons.core.machine import ROOT
from comparisons.core.parts import FEWEST, RISK
from comparisons.data.catalog import DATASETS
from comparisons.findings import text
from comparisons.plan.knobs import KNOBS
from comparisons.plan.presets import PRESETS
from comparisons.plan.strategies import STRATEGIES
from models.catalog import OWN, families

# What a phase trains, in words.
WORDS = {
    "all": "everything",
    "head": "the head",
    "last": "the last blocks and the head",
    "adapters": "adapters and the head",
    "new": "new blocks and the head",
}
STARTS = {"random": "random weights", "pretrained": "a base", "source": "a source data set"}


def models() -> str:
    """The models that have a row of their own."""
    rows = [(f"`{m.full_name}`", m.sentence, "yes" if m.pretrained else "no") for m in OWN.values()]
    return text.markdown(("model", "what it is", "pretrained weights"), rows)


def bases() -> str:
    """The other bases of keras.applications, a row for each family."""
    rows = [(what, " ".join(f"`{m.full_name}`" for m in members)) for what, members in families()]
    return text.markdown(("family", "bases"), rows)


def strategies() -> str:
    """The table of strategies: question, start and phases."""
    rows = []
    for row in STRATEGIES.values():
        at = f"@{row.option[1]}" if row.option else ""
        trains = ", then ".join(WORDS[phase.trainable] for phase in row.phases)
        rows.append((f"`{row.name}{at}`", row.question, STARTS[row.start], trains))
    return text.markdown(
        ("strategy", "the question that it answers", "begins with", "trains"), rows
    )


def datasets() -> str:
    """The table of data sets."""
    rows = [(f"`{row.name}`", row.sentence) for row in DATASETS.values()]
    return text.markdown(("data set", "what it is"), rows)


def presets() -> str:
    """The table of presets."""
    rows = [
        (f"`{name}`", preset.sentence, " ".join(f"`{arm}`" for arm in preset.arms))
        for name, preset in PRESETS.items()
    ]
    return text.markdown(("preset", "what is run", "arms"), rows)


def knobs() -> str:
    """The table of knobs."""
    rows = [
        (f"`{name}`", knob.question, ", ".join(knob.variants), knob.preset.sentence)
        for name, knob in KNOBS.items()
    ]
    return text.markdown(("knob", "question", "variants", "run on"), rows)


def lessons() -> str:
    """The table of lessons: number and title, minutes, both notebooks, what a teacher needs."""
    rows = []
    for script in sorted((ROOT / "notebooks").glob("[0-9]*.py")):
        lines = script.read_text().splitlines()
        title = next(line[4:] for line in lines if line[:4] == "# # ")
        minutes = next(line.split()[2][:2] for line in lines if line.startswith("# **Minutes.**"))
        stem, number = script.stem, script.stem[:2]
        rows.append(
            (
                f"{int(number)}. {title}",
                minutes,
                f"[exercise]({stem}.ipynb)",
                f"[solution](solutions/{stem}.ipynb)",
                ", ".join(f"[{w}](teaching/{number}_{w}.md)" for w in ("plan", "key", "handout")),
            )
        )
    return text.markdown(("lesson", "minutes", "to run", "to read", "for the teacher"), rows)


def sure() -> str:
    """When a kept model calls an answer sure."""
    return (
        "`class` is the likeliest always; `sure` says that its probability is above the threshold "
        f"that\nleft at most {text.percent(RISK, 0)} of the answers wrong on validation images;\n"
        f"where fewer than {FEWEST} could choose it, none is sure."
    )
