"""How far the runs of a plan are, as heard from their events, and how long the rest may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from comparisons.core import events, records
from comparisons.plan.runs import Run

Clock = Callable[[], float]
SEVERAL = 3  # runs of which an overview is given


@dataclass
class Counted:
    """Something that is counted while it is done, epochs or images, and how fast it goes.

    The time of the first count is no measure: preparations came before it. `hint` is what one
    is said to take until two counts tell.
    """

    total: int
    done: int
    at: float
    hint: float | None = None
    first: tuple[int, float] | None = None

    def count(self, done: int, now: float) -> None:
        """Take note that so many are done now."""
        self.first = self.first or (done, now)
        self.done, self.at = done, now

    def each(self) -> float | None:
        """Seconds that one takes, as far as this is known."""
        if self.first and self.done > self.first[0]:
            return (self.at - self.first[1]) / (self.done - self.first[0])
        return self.hint

    def left(self, now: float) -> float | None:
        """Seconds until all are done, as far as this is known."""
        each = self.each()
        if each is None:
            return None
        return max(each * (self.total - self.done) - (now - self.at), 0.0)

    def share(self, now: float) -> float:
        """How much is done, from 0 to 1, with the part of the one in hand that time tells."""
        within = min((now - self.at) / each, 0.9) if (each := self.each()) else 0.0
        return min((self.done + within) / self.total, 1.0) if self.total else 1.0


@dataclass
class Watched:
    """One run as heard so far.

    `key`, the arm and its size, is the same for runs that should take equally long; `shown` is how
    many images its recipe shows it. `marks` are the times of its start
    and of the start of each of its phases.
    """

    label: str
    key: tuple[str, int]
    epochs: int
    shown: int = 0
    done: int = 0
    marks: list[float] = field(default_factory=list)
    ended: float | None = None
    counted: Counted | None = None
    # What it does now, or how it ended; with more words, and with fewer.
    state: tuple[str, str] = ("", "")
    record: records.Record | None = None
    kept: bool = False
    at_work: bool = False

    def elapsed(self, now: float) -> float | None:
        """Seconds since its start, until its end; None where it was not run."""
        if not self.marks or self.kept:
            return None
        return (now if self.ended is None else self.ended) - self.marks[0]

    def share(self, now: float) -> float:
        """How much of what is counted now is done, from 0 to 1."""
        if self.counted:
            return self.counted.share(now)
        return self.done / self.epochs if self.epochs else 1.0

    def after(self) -> list[float]:
        """Once it has ended: the seconds that each of its marks was before its end."""
        assert self.ended is not None
        return [self.ended - mark for mark in self.marks]


class Progress:
    """All runs of a plan, and those in hand: one, or as many as were `at_once` on a cluster."""

    def __init__(self, plan: Sequence[Run], clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self.runs = [
            Watched(label, (run.name, run.train_size), _epochs(run), _epochs(run) * run.train_size)
            for run, label in zip(plan, labels(plan), strict=True)
        ]
        self.at_once = 1
        self._known: dict[tuple[str, int], list[float]] = {}

    def hear(self, number: int, event: events.Event) -> None:
        """Take note of an event of the run at a place of the plan."""
        run, now = self.runs[number], self.clock()
        match event:
            case events.Start():  # once more where the worker that did it was killed
                run.marks, run.done, run.counted, run.at_work = [now], 0, None, True
                self.at_once = max(self.at_once, len(self.in_hand))
            case events.Done():  # what came of it is on its way
                run.at_work = False
            case events.Lost():
                run.marks, run.done, run.counted, run.at_work = [], 0, None, False
                run.state = ("its worker is gone, waiting for another", "waiting")
            case events.Stage(text):
                run.state, run.counted = (text, text), None
            case events.Features(_, done, total):
                run.counted = run.counted or Counted(total, done, now)
                run.counted.count(done, now)
                run.state = (
                    f"features {done:,}/{total:,}",
                    f"features {_percent(done / total, 0)}",
                )
            case events.Phase(name):
                run.marks.append(now)
                run.state, run.counted = (f"phase {name}", f"phase {name}"), None
            case events.Epoch(entry):
                run.done += 1
                run.counted = run.counted or Counted(run.epochs, run.done, now, entry.seconds)
                run.counted.count(run.done, now)
                run.state = _state(entry)
            case events.Continued(entries):
                run.done = len(entries)
            case events.Record(record, kept):
                self._end(run, record, kept, now)

    @property
    def in_hand(self) -> list[Watched]:
        """The runs that somebody is at."""
        return [run for run in self.runs if run.at_work]

    def left(self, run: Watched) -> float | None:
        """Seconds until a run ends, by its own pace and by its kind before it; None below one."""
        if run.record:
            return None
        now = self.clock()
        known = self._known.get(run.key, [])
        guesses = [run.counted.left(now)] if run.counted else []
        if 0 < len(run.marks) <= len(known):
            guesses.append(known[len(run.marks) - 1] - (now - run.marks[-1]))
        return max((guess for guess in guesses if guess and guess >= 1), default=None)

    def overall(self) -> str:
        """How many of several runs are done, and how long the rest may take; else nothing."""
        if len(self.runs) < SEVERAL:
            return ""
        done = sum(run.record is not None for run in self.runs)
        rest = [self._expected(run) for run in self.runs if run.record is None]
        said = f"{done} of {len(self.runs)} runs done"
        if not rest or None in rest:
            return said
        each = list(filter(None, rest))
        left = max([sum(each) / min(self.at_once, len(rest)), *each])
        return f"{said}, about {clock_time(left)} left"

    def _expected(self, run: Watched) -> float | None:
        """Seconds that a run may still take, by runs of its arm that have ended; None for none.

        By the two sizes nearest to its own, how much longer it takes with every image shown more;
        where one size ended, by the seconds in which that was shown its images.
        """
        arm, _ = run.key
        ended = {
            other.shown: (self._known[other.key][0], other.record.seconds)
            for other in self.runs
            if other.key[0] == arm and other.record and not other.record.error
        }
        if not ended:
            return self.left(run)
        near, *others = sorted(ended, key=lambda shown: abs(shown - run.shown))
        took, spent = ended[near]
        if others:
            each = max((took - ended[others[0]][0]) / (near - others[0]), 0.0)
        else:
            each = min(spent.extract_train + spent.train, took) / max(near, 1)
        whole = max(took + each * (run.shown - near), 0.0)
        return max(whole - (run.elapsed(self.clock()) or 0.0), 0.0)

    def _end(self, run: Watched, record: records.Record, kept: bool, now: float) -> None:
        run.record, run.kept, run.ended, run.at_work = record, kept, now, False
        run.counted = None
        words = ["kept"] if kept else []
        words += [record.status] if record.error else []
        words += [_accuracy(record)] if record.test or record.status == "ok" else []
        run.done = len(record.history) if record.error else run.epochs
        if not record.error:
            in_parts = kept or record.continued
            self._known[run.key] = [record.seconds.in_all] if in_parts else run.after()
        run.state = (", ".join(words),) * 2


def labels(plan: Sequence[Run]) -> list[str]:
    """A short name for each run: its arm, with what else the runs differ in."""
    sizes, seeds = {run.train_size for run in plan}, {run.seed for run in plan}
    return [
        run.name
        + (f" · {run.train_size:,}" if len(sizes) > 1 else "")
        + (f" · seed {run.seed}" if len(seeds) > 1 else "")
        for run in plan
    ]


def clock_time(seconds: float) -> str:
    """0:07, 12:34 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _epochs(run: Run) -> int:
    return sum(phase.epochs for phase in run.phases)


def _state(entry: records.Epoch) -> tuple[str, str]:
    if entry.val_accuracy is None and entry.train_loss is not None:  # not looked at
        said = f"loss {_number(entry.train_loss)}"
        return said, said
    short = f"val {_percent(entry.val_accuracy)}"
    losses = f"loss {_number(entry.train_loss)}, val {_number(entry.val_loss)}"
    return f"{short}  {losses}", short


def _accuracy(record: records.Record) -> str:
    """Of test images; of validation images where none are to be tested."""
    if record.test:
        return f"test {_percent(record.test.accuracy)}"
    return f"val {_percent(record.history[-1].val_accuracy)}" if record.history else "untested"


def _number(value: float | None) -> str:
    return "nan" if value is None else f"{value:.3f}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "nan" if value is None else f"{100 * value:.{digits}f} %"
