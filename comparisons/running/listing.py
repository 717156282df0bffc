"""What `--list` and `--dry-run` print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table

from comparisons.core.console import plain_console
from comparisons.core.files import in_the_way, no_folder
from comparisons.core.phases import Phase
from comparisons.data import DATASETS
from comparisons.findings import text
from comparisons.plan.knobs import KNOBS
from comparisons.plan.presets import PRESETS
from comparisons.plan.request import Request
from comparisons.plan.runs import Run
from comparisons.plan.strategies import STRATEGIES
from comparisons.plan.tuning import RUNGS, TRIES
from comparisons.running.estimate import estimate
from comparisons.running.session import planned_without_supplies
from models.catalog import MODELS, OWN, families


def show_tables() -> None:
    """Print the tables of models, strategies, data sets and presets."""
    console = plain_console()
    models = [
        *((m.full_name, m.sentence) for m in OWN.values()),
        ("hub:PLACE", "a SavedModel, frozen: PLACE is a TensorFlow Hub handle or a folder"),
        ("file:PATH", "a base that comparisons.pretrain made: its weights or its card"),
    ]
    others = [(what, " ".join(m.name for m in members)) for what, members in families()]
    strategies = [(s.name, s.question) for s in STRATEGIES.values()]
    data = [
        *((s.name, s.sentence) for s in DATASETS.values()),
        ("FILE.npz", "your own: x_train y_train x_test y_test and optionally classes"),
    ]
    presets = [(n, f"{p.sentence}: {' '.join(p.arms)}") for n, p in PRESETS.items()]
    for title, rows in (
        ("models (options after @)", models),
        ("more bases, of keras.applications (pixels a side after @: resnet50@96)", others),
        ("strategies", strategies),
        ("data sets", data),
        ("presets", presets),
    ):
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for row in rows:
            table.add_row(*row)
        console.print(table)
    console.print("An arm is MODEL:STRATEGY, such as cnn:scratch or mobilenet@0.25x96:frozen.")
    scratch_only = [m.name for m in MODELS.values() if not m.pretrained]
    console.print(f"Without pretrained weights, so from scratch only: {', '.join(scratch_only)}.")


def show_plan(request: Request, timed: bool = True) -> None:
    """Print the runs that a request would do, without doing or fetching anything.

    A row for each arm and size, with its seeds; `timed`: and how long each run may take.
    """
    if request.out and (file := in_the_way(request.out)):
        raise no_folder(request.out, file)
    console = plain_console()
    name, planned = planned_without_supplies(request)
    # Not as the table's title, which would break a long path.
    console.print(f"{text.plural(len(planned), 'run')} on {name}", soft_wrap=True)
    found = estimate(planned, request.folder(name), request.fresh) if timed else None
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("arm", "images", "seeds", *(["about"] if found else []), "phases"):
        table.add_column(heading, no_wrap=heading != "phases")
    for places in _alike(planned):
        run = planned[places[0]]
        seeds = " ".join(str(planned[place].seed) for place in places)
        about = [found.cell(places)] if found else []
        phases = "; ".join(map(_phase, run.phases))
        table.add_row(run.name, f"{run.train_size:,}", seeds, *about, phases)
    console.print(table)
    if found:
        console.print(found.said())


def _alike(planned: Sequence[Run]) -> Iterable[list[int]]:
    """Places of runs that differ in nothing but the seed, together."""
    found: dict[tuple[str, int, str], list[int]] = {}
    for place, run in enumerate(planned):
        phases = "; ".join(map(_phase, run.phases))
        found.setdefault((run.name, run.train_size, phases), []).append(place)
    return found.values()


def show_knobs() -> None:
    """Print the table of knobs."""
    console = plain_console()
    table = Table(title="knobs", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("knob", "question", "variants", "run on"):
        table.add_column(heading)
    for name, knob in KNOBS.items():
        table.add_row(name, knob.question, ", ".join(knob.variants), knob.preset.sentence)
    console.print(table)


def show_tries() -> None:
    """Print the recipes that tuning tries for each arm, and for how long."""
    console = plain_console()
    table = Table(title="recipes that are tried", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("recipe", "rate", "decay", "epochs"):
        table.add_column(heading)
    for name, one in TRIES.items():
        decay = "more" if one.decay else "as it is"
        table.add_row(name, f"x {one.rate:.2g}", decay, f"x {one.epochs:g}")
    console.print(table)
    shares = ", ".join(text.percent(share, 0) for share in RUNGS)
    console.print(f"In rungs of {shares} of the epochs; the better half goes on.")


def _phase(phase: Phase) -> str:
    extras = "".join(f" + {name}" for name in phase.augment)
    if few := phase.windowed_epochs:
        extras += f" + window in the first {few}"
    found = " x the rate found" if phase.found_rate else ""
    turned = "".join(
        f", {name.replace('_', ' ')} {getattr(phase, name)}"
        for name in ("weight_decay", "label_smoothing", "init", "dropout", "l1", "l2", "patience")
        if getattr(phase, name)
    )
    weighed = ", classes weighed alike" if phase.class_weights else ""
    return (
        f"{phase.name}: {text.plural(phase.epochs, 'epoch')}, {phase.optimizer} "
        f"{phase.learning_rate:g}{found}, batch {phase.batch_size}{extras}{turned}{weighed}"
    )
