"""The same few recipes tried for each arm, by validation alone: what more care would gain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.files import cannot_write, must_be_writable, write_text
from comparisons.core.parts import Count, Name, Share
from comparisons.core.records import Record
from comparisons.data import catalog
from comparisons.findings import text
from comparisons.plan import tuning
from comparisons.plan.request import Request, check
from comparisons.plan.runs import Run
from comparisons.plan.tuning import AS_IT_IS, DOUBLED
from comparisons.running import session

FILE = "tuning.json"


class Tried(msgspec.Struct):
    """A recipe that was tried, and what it reached in its last rung."""

    name: Annotated[Name, Meta(description="what it changes")]
    share: Annotated[float, Meta(description="of the recipe's epochs that it was trained for")]
    accuracy: Annotated[
        Share | None,
        Meta(description="on validation images, mean over seeds; null where one came to nothing"),
    ]


class Tuned(msgspec.Struct):
    """What tuning an arm at one size showed; `tries` come the best of the last rung first."""

    arm: Name
    data: Name
    train_size: Count
    seeds: list[Count]
    tries: list[Tried]
    command: str

    @property
    def usual(self) -> float | None:
        """What the table's recipe reaches."""
        return self._of(AS_IT_IS)

    @property
    def best(self) -> str:
        """The best recipe of the last rung with the table's epochs, which may be that itself."""
        whole = [one for one in self.tries if one.share == 1.0 and one.name != DOUBLED]
        return max(whole, key=lambda one: one.accuracy or 0.0).name

    @property
    def gain(self) -> float:
        """What that has more than the table's."""
        return (self._of(self.best) or 0.0) - (self.usual or 0.0)

    @property
    def doubled(self) -> float | None:
        """What the table's recipe gains by twice the epochs, where that was tried."""
        usual, twice = self.usual, self._of(DOUBLED)
        return None if usual is None or twice is None else twice - usual

    def _of(self, name: str) -> float | None:
        whole = (one for one in self.tries if one.name == name and one.share == 1.0)
        return next((one.accuracy for one in whole), None)


def tune(request: Request, console: Console) -> list[Tuned]:
    """Tune every arm of a request at every size; what came of it is written under `request.out`.

    Raises ComparisonError, also for an arm without anything to tune.
    """
    assert request.out is not None
    must_be_tunable(request)
    catalog.must_lie_outside(request.data, request.out)
    must_be_writable(request.out)
    read(request.out)  # what is damaged is said now, not after an hour of training
    had = session.have(request, console)
    planned = had.runs(request)
    found = []
    with session.crew(request, console) as who:
        for size, name in dict.fromkeys((run.train_size, run.arm) for run in planned):
            own = [run for run in planned if (run.train_size, run.arm) == (size, name)]
            found.append(_tuned(own, had, request, console, who))
            show(found[-1], console)
            _keep(request.out, found[-1])
    return found


def must_be_tunable(request: Request) -> None:
    """Raise ComparisonError for arms that cannot be, or have nothing to tune, or unknown tries."""
    if request.robustness:
        raise ComparisonError("--robustness needs test images, which tuning does not look at")
    tuning.chosen(request.tries)
    for arm in check(request)[1]:
        tuning.must_be_tunable(arm)


def read(folder: Path) -> list[Tuned]:
    """What was tuned under a folder, by size and arm.

    Raises ComparisonError for a file that cannot be read.
    """
    path = folder / FILE
    try:
        known = msgspec.json.decode(path.read_bytes(), type=list[Tuned]) if path.exists() else []
    except (OSError, ValueError, RecursionError) as error:  # msgspec's are ValueErrors
        raise ComparisonError(
            f"{path} is damaged ({first_line(error)}): move it away, then its runs are kept and "
            "it is made again"
        ) from None
    return sorted(known, key=lambda one: (one.data, one.train_size, one.arm))


def show(found: Tuned, console: Console) -> None:
    """Print what tuning an arm showed."""
    table = Table(box=box.SIMPLE_HEAD, title_justify="left")
    table.title = f"{found.arm}, {found.train_size:,} images"
    for heading in ("recipe", "epochs", "validation accuracy"):
        table.add_column(heading, justify="left" if heading == "recipe" else "right")
    for one in found.tries:
        reached = "diverged" if one.accuracy is None else text.percent(one.accuracy)
        table.add_row(Text(one.name), text.percent(one.share, 0), reached)
    console.print(table)
    said = f"The best of these gains {text.points(found.gain)} points over the table's recipe"
    if found.doubled is not None:
        said += f", twice its epochs {text.points(found.doubled)}"
    console.print(f"{said}.")


def _tuned(
    own: Sequence[Run],
    had: session.Supplies,
    request: Request,
    console: Console,
    who: session.Crew,
) -> Tuned:
    wanted = tuning.chosen(request.tries)
    left, reached = wanted, dict[str, Tried]()
    for share in tuning.rungs(wanted):
        names = tuning.rung(share, left)
        fingerprint = had.dataset.fingerprint
        plan = [tuning.tried(run, name, share, fingerprint) for name in names for run in own]
        records = session.carry_out(plan, had.dataset, request.out, request.fresh, console, who=who)
        for place, name in enumerate(names):
            runs = records[place * len(own) : (place + 1) * len(own)]
            reached[name] = Tried(name, share, _mean(map(_accuracy, runs)))
        left = sorted(names, key=lambda name: -(reached[name].accuracy or 0.0))
        left += [DOUBLED] if DOUBLED in wanted else []
    first = own[0]
    return Tuned(
        arm=first.arm,
        data=first.settings.data,
        train_size=first.train_size,
        seeds=[run.seed for run in own],
        tries=_best_first(reached.values()),
        command=first.command,
    )


def _accuracy(record: Record) -> float | None:
    """Validation accuracy after the last epoch, of a run that ended well."""
    return record.history[-1].val_accuracy if record.history and record.status == "ok" else None


def _mean(values: Iterable[float | None]) -> float | None:
    """None where one of them is: a recipe that fails with one seed is no recipe."""
    known = list(values)
    return None if None in known else sum(filter(None, known)) / len(known)


def _best_first(tries: Iterable[Tried]) -> list[Tried]:
    return sorted(tries, key=lambda one: (-one.share, -(one.accuracy or 0.0)))


def _keep(folder: Path, found: Tuned) -> None:
    """Put what was found in place of what was known of the same recipes, arm and size."""

    def key(one: Tuned) -> tuple[str, str, int]:
        return one.data, one.arm, one.train_size

    known = {key(one): one for one in read(folder)}
    before = known.pop(key(found), None)
    if before and before.seeds == found.seeds:
        names = [one.name for one in found.tries]
        more = [one for one in before.tries if one.name not in names]
        found = replace(found, tries=_best_first([*found.tries, *more]))
    content = msgspec.json.format(msgspec.json.encode([*known.values(), found]), indent=1).decode()
    try:
        write_text(folder / FILE, content + "\n")
    except OSError as error:
        raise cannot_write(folder, error) from None
