"""How a comparison is watched: live on a terminal or in a notebook, line by line in a log."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from comparisons.core import events
from comparisons.core.console import in_notebook
from comparisons.plan.runs import Run
from comparisons.running.progress import Clock, Progress, Watched, clock_time

# Seconds between two looks at what is live, and between two lines of a log at most.
LIVE, LOGGED = 0.25, 30.0
NOTEBOOK_WIDTH = 80
# Columns: of a name at least, of a bar, of what is said with few words and with more.
NAME, BAR, FEW, MORE = 16, range(8, 21), 25, 48


class Display:
    """Shows the runs of a plan, each as a line, and how they get on; a listener of the runner.

    Use as a context manager.
    """

    def __init__(
        self, plan: Sequence[Run], console: Console, clock: Clock = time.monotonic
    ) -> None:
        self.progress = Progress(plan, clock)
        if in_notebook():
            self.screen: Screen = Notebook(self.progress)
        elif console.is_terminal and not console.is_dumb_terminal:
            self.screen = Terminal(self.progress, console)
        else:
            self.screen = Log(self.progress, console)

    def __enter__(self) -> Display:
        self.screen.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.screen.stop()

    def __call__(self, number: int, event: events.Event) -> None:
        """Show one event."""
        self.progress.hear(number, event)
        self.screen.heard(self.progress.runs[number], event)


class Screen(Protocol):
    """What runs are shown on, whenever one of them was heard or some time has passed."""

    def start(self) -> None:
        """Begin to show."""

    def stop(self) -> None:
        """Leave what was shown last."""

    def heard(self, run: Watched, event: events.Event) -> None:
        """Show what has changed."""


class Terminal:
    """The run in hand and those to come below what has ended, drawn four times a second."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self.progress = progress
        self.console = console
        self.unicode = not console.options.ascii_only
        self.live = Live(
            console=console,
            get_renderable=self.drawn,
            refresh_per_second=1 / LIVE,
            transient=True,
        )

    def start(self) -> None:
        """See Screen."""
        self.live.start()

    def stop(self) -> None:
        """See Screen."""
        self.live.stop()

    def heard(self, run: Watched, event: events.Event) -> None:
        """See Screen."""
        _print_note(self.console, run, event)
        if isinstance(event, events.Record):
            layout = fitting(self.progress.runs, self.console.width)
            self.console.print(line(run, self.progress, layout, self.unicode))
            _print_error(self.console, run)

    def drawn(self) -> Group:
        """The lines of all runs that have not ended, as many as there is room for."""
        layout = fitting(self.progress.runs, self.console.width)
        coming = [run for run in self.progress.runs if run.record is None]
        room = max(self.console.height - 2, 1)
        lines = [line(run, self.progress, layout, self.unicode) for run in coming[:room]]
        more = [f"and {len(coming) - room} more"] if len(coming) > room else []
        more += filter(None, [self.progress.overall()])
        if more:
            lines.append(Text("; ".join(more), style="dim"))
        return Group(*lines)


class Notebook:
    """All runs in one output, which is changed when they do, at most four times a second."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.shown = ""
        self.handle: Any = None
        self.ticker = Ticker(LIVE, self.show)

    def start(self) -> None:
        """See Screen."""
        self.show()
        self.ticker.start()

    def stop(self) -> None:
        """See Screen."""
        self.ticker.stop()
        self.show()

    def heard(self, run: Watched, event: events.Event) -> None:
        """Nothing: it is shown when its time has come."""

    def show(self) -> None:
        """Put what has changed where it was."""
        from IPython.display import display

        layout = fitting(self.progress.runs, NOTEBOOK_WIDTH)
        lines = []
        for run in self.progress.runs:
            lines.append(line(run, self.progress, layout).plain.rstrip())
            lines += [f"  {run.record.error}"] if run.record and run.record.error else []
        text = "\n".join([*lines, *filter(None, [self.progress.overall()])])
        if text == self.shown:
            return
        self.shown = text
        shown = {"text/plain": text}
        if self.handle:
            self.handle.update(shown, raw=True)
        else:
            self.handle = display(shown, raw=True, display_id=True)


class Log:
    """A line as each phase begins and each run ends, and every half minute in between."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self.progress = progress
        self.console = console
        self.said = progress.clock()
        self.ticker = Ticker(1.0, self.tick)

    def start(self) -> None:
        """See Screen."""
        self.ticker.start()

    def stop(self) -> None:
        """See Screen."""
        self.ticker.stop()

    def heard(self, run: Watched, event: events.Event) -> None:
        """See Screen."""
        _print_note(self.console, run, event)
        if isinstance(event, events.Phase | events.Record):
            self.say(run)
            _print_error(self.console, run)
        if isinstance(event, events.Record) and (overall := self.progress.overall()):
            self.console.print(f"({overall})", soft_wrap=True)

    def tick(self) -> None:
        """Say how far the runs in hand are, if nothing has been said for long."""
        if self.progress.clock() - self.said >= LOGGED:
            for run in self.progress.in_hand:
                self.say(run)

    def say(self, run: Watched) -> None:
        """Print a line on a run, of all that is known of it."""
        self.said = self.progress.clock()
        self.console.print(line(run, self.progress), soft_wrap=True)


class Ticker:
    """A thread that does something every so often."""

    def __init__(self, seconds: float, do: Callable[[], None]) -> None:
        self.seconds = seconds
        self.do = do
        self.over = threading.Event()
        # In the context of who started it: a kernel knows by that which cell has said something.
        run = contextvars.copy_context().run
        self.thread = threading.Thread(target=run, args=(self._tick,), daemon=True)

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self) -> None:
        """End; what is being done is done first."""
        self.over.set()
        self.thread.join()

    def _tick(self) -> None:
        while not self.over.wait(self.seconds):
            self.do()


@dataclass(frozen=True)
class Layout:
    """How many columns each part of a line has; `bar` may be 0, `room` is what words may take."""

    width: int
    name: int
    bar: int
    count: int
    room: int


def fitting(runs: Sequence[Watched], width: int) -> Layout:
    """The layout of lines of at most `width` columns.

    What is missed least goes first: the losses, the bar, the end of long names.
    """
    name = max((len(run.label) for run in runs), default=0)
    count = max((len(_count(run, run.epochs)) for run in runs), default=0)
    room = width - name - count - 9
    for words in (MORE, FEW):
        if room - words > BAR.start:
            bar = min(room - words - 1, BAR.stop - 1)
            return Layout(width, name, bar, count, room - bar - 1)
    less = min(max(FEW - room, 0), max(name - NAME, 0))
    return Layout(width, name - less, 0, count, max(room + less, 1))


def line(
    run: Watched, progress: Progress, layout: Layout | None = None, unicode: bool = True
) -> Text:
    """What is known of a run, in one line: of a layout, or of any length and without a bar."""
    now = progress.clock()
    elapsed, left = run.elapsed(now), progress.left(run)
    time_said = "" if elapsed is None else clock_time(elapsed)
    left_said = "" if left is None else f"  ~{clock_time(left)} left"
    style = "red" if run.record and run.record.error else ""
    if layout is None:
        numbers = "  ".join(filter(None, (_count(run, run.done), time_said)))
        return Text.assemble(f"{run.label}  {numbers}  ", (run.state[0], style), left_said)
    room = layout.room - len(left_said)
    state = run.state[0] if layout.room >= MORE or len(run.state[0]) <= room else run.state[1]
    shown = Text(_cut(run.label, layout.name).ljust(layout.name))
    if layout.bar:
        shown.append(" ").append_text(_bar(run.share(now), layout.bar, unicode))
    shown.append(f" {_count(run, run.done):>{layout.count}} {time_said:>5}  ")
    shown.append(_cut(state, room), style)
    shown.append(left_said, "dim")
    shown.truncate(layout.width, overflow="ellipsis")
    return shown


def _print_error(console: Console, run: Watched) -> None:
    if run.record and run.record.error:
        said = f" {run.record.id}: {run.record.error}"
        # A log is not wrapped: its lines are searched.
        console.print(
            Text.assemble((run.record.status, "red"), said), soft_wrap=not console.is_terminal
        )


def _print_note(console: Console, run: Watched, event: events.Event) -> None:
    if isinstance(event, events.Continued):
        said = f"goes on from its checkpoint, after epoch {len(event.entries)}"
    elif isinstance(event, events.Note):
        said = event.text
    else:
        return
    console.print(Text(f"{run.label}: {said}", "yellow"), soft_wrap=not console.is_terminal)


def _count(run: Watched, done: int) -> str:
    return f"{done}/{run.epochs}"


def _cut(words: str, width: int) -> str:
    return words if len(words) <= width else words[: max(width - 1, 0)] + "…"


def _bar(share: float, width: int, unicode: bool) -> Text:
    full = round(share * width)
    done, rest = ("━", "─") if unicode else ("=", "-")
    return Text.assemble((done * full, "green"), (rest * (width - full), "dim"))
