"""The live display of a comparison on a terminal; plain lines where there is none."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from comparisons.core.records import Record, full_name
from comparisons.plan.runs import Run


class Display:
    """Shows each run as a line with a bar and the latest values of both loss curves.

    Use as a context manager; `tell` takes the events of comparisons.running.runner.
    """

    def __init__(self, plan: list[Run], console: Console) -> None:
        self.console = console
        self.progress = Progress(
            TextColumn("{task.description}", table_column=_column(30)),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
        )
        self.tasks = [
            self.progress.add_task(_label(run), total=_epochs(run), state="", start=False)
            for run in plan
        ]
        self.live = Live(
            self.progress, console=console, refresh_per_second=4, vertical_overflow="visible"
        )
        self.kept = False

    def __enter__(self) -> Display:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def tell(self, event: dict[str, Any]) -> None:
        """Show one event."""
        task = self.tasks[event["number"]]
        show = {
            "start": self._start,
            "stage": self._stage,
            "extract": self._extract,
            "phase": self._phase,
            "epoch": self._epoch,
            "end": self._end,
        }.get(event["event"])
        if show:
            show(task, event)

    def _start(self, task: Any, event: dict[str, Any]) -> None:
        self.kept = event["kept"]
        self.progress.start_task(task)

    def _stage(self, task: Any, event: dict[str, Any]) -> None:
        self.progress.update(task, state=event["text"])

    def _extract(self, task: Any, event: dict[str, Any]) -> None:
        done, total = event["done"], event["total"]
        self.progress.update(task, state=f"features {done:,}/{total:,}")

    def _phase(self, task: Any, event: dict[str, Any]) -> None:
        self.progress.update(task, state=f"phase {event['name']}")

    def _epoch(self, task: Any, event: dict[str, Any]) -> None:
        state = (
            f"loss {_number(event['train_loss'])} · val {_number(event['val_loss'])} "
            f"· val acc {_percent(event['val_accuracy'])}"
        )
        self.progress.update(task, advance=1, state=state)

    def _end(self, task: Any, event: dict[str, Any]) -> None:
        record: Record = event["record"]
        state: str = "kept" if self.kept else record.status
        if record.test:
            state = f"{state}: test {_percent(record.test.accuracy)}"
        if record.error:
            state = f"[red]{record.status}[/red]"
        total = self.progress.tasks[task].total
        self.progress.update(task, completed=total if not record.error else None, state=state)
        self.progress.stop_task(task)
        if record.error:
            self.console.print(f"[red]{record.status}[/red] {record.id}: {record.error}")
        elif not self.console.is_terminal:
            name = full_name(record.arm, record.settings.variant)
            self.console.print(f"{name} seed {record.seed}: {state}")


def _label(run: Run) -> str:
    return f"{run.name} · {run.train_size:,} · seed {run.seed}"


def _column(width: int) -> Any:
    from rich.table import Column

    return Column(min_width=width, no_wrap=True)


def _epochs(run: Run) -> int:
    return sum(phase.epochs for phase in run.phases)


def _number(value: float | None) -> str:
    return "nan" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "nan" if value is None else f"{value:.1%}"


def plain_console(width: int = 100) -> Console:
    """A console of at most `width` columns, to standard output."""
    console = Console(force_jupyter=False, highlight=False)
    console.width = min(width, console.width)
    return console
