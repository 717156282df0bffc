"""What `--list` and `--dry-run` print."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

from comparisons.data import SOURCES
from comparisons.presets import PRESETS
from comparisons.session import Request, plain_console, planned_without_supplies
from comparisons.strategies import STRATEGIES
from models.catalog import MODELS, OWN, families, resolved_name


def show_tables() -> None:
    """Print the tables of models, strategies, data sets and presets."""
    console = plain_console()
    models = [
        *((resolved_name(m, dict(m.options)), m.sentence) for m in OWN.values()),
        ("hub:PLACE", "a SavedModel, frozen: PLACE is a TensorFlow Hub handle or a folder"),
        ("file:PATH", "a base that comparisons.pretrain made: its weights or its card"),
    ]
    others = [(what, " ".join(m.name for m in members)) for what, members in families()]
    strategies = [(s.name, s.question) for s in STRATEGIES.values()]
    data = [
        *((s.name, s.sentence) for s in SOURCES.values()),
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


def show_plan(request: Request) -> None:
    """Print every run that a request would do, without doing or fetching anything."""
    console = plain_console()
    name, planned = planned_without_supplies(request)
    table = Table(title=f"{len(planned)} runs on {name}", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("arm", "images", "seed", "phases"):
        table.add_column(heading)
    for run in planned:
        phases = "; ".join(_phase(phase) for phase in run.phases)
        table.add_row(run.arm, f"{run.train_size:,}", str(run.seed), phases)
    console.print(table)


def _phase(phase: dict[str, Any]) -> str:
    extras = "".join(f" + {name}" for name in phase["augment"])
    return (
        f"{phase['name']}: {phase['epochs']} epochs, {phase['optimizer']} "
        f"{phase['learning_rate']:g}, batch {phase['batch_size']}{extras}"
    )
