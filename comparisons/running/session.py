"""A comparison from request to records: supplies, plan, runs. The command line and Python's
`compare` both end here, so that they say and do the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as with_other
from functools import partial
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from comparisons.core import audit as audits
from comparisons.core import cache, samples
from comparisons.core.audit import Audit
from comparisons.core.console import plain_console
from comparisons.core.errors import ComparisonError, printable
from comparisons.core.events import Listener
from comparisons.core.files import cannot_write, in_the_way, must_be_writable, no_folder
from comparisons.core.machine import must_have
from comparisons.core.records import Record, digest
from comparisons.data import Dataset, catalog, splits
from comparisons.findings import mistakes, pictures, suspects
from comparisons.findings.view import view
from comparisons.plan import bases
from comparisons.plan.arms import Arm
from comparisons.plan.presets import Preset
from comparisons.plan.request import (
    Known,
    Request,
    check,
    must_fit,
    runs,
    seeds,
    train_sizes,
    weighs_classes,
)
from comparisons.plan.runs import Run
from comparisons.running import keeping, kept, rehearsal, runner, supplies
from comparisons.running.estimate import estimate
from comparisons.running.supplies import known
from comparisons.running.terminal import Display

# What makes of a plan what hears its events.
Listening = Callable[[Sequence[Run]], Listener]


@dataclass(frozen=True)
class Session:
    """What came of a request; `unkept` says why a model, or an export of it, is not there."""

    records: list[Record]
    out: Path | None
    model: Path | None = None
    unkept: str | None = None


@dataclass(frozen=True)
class Crew:
    """Who does the runs of a plan, and whether on this machine."""

    run_all: Callable[..., list[Record]] = runner.run_all
    here: bool = True


ALONE = Crew()


@dataclass(frozen=True)
class Supplies:
    """What a request needs, had here: its preset, arms, data, the source of `complete`, notices.

    `tested` are the rows that each seed tests on, where these differ; `audit` is what was seen in
    a folder of pictures.
    """

    preset: Preset
    wanted: list[Arm]
    name: str
    classes: tuple[str, ...]
    dataset: Dataset
    tested: dict[int, list[int]]
    audit: Audit | None
    source: Known | None
    notices: list[str]

    def runs(self, request: Request) -> list[Run]:
        """Every run of the request."""
        target = known(self.name, self.dataset, self.classes, self.tested)
        return runs(request, self.preset, self.wanted, target, self.source, self.notices)


def run_session(
    request: Request,
    console: Console | None = None,
    meanwhile: Callable[[], object] = lambda: None,
    listening: Sequence[Listening] = (),
) -> Session:
    """Have data and weights ready, run what is not yet done, and return all records.

    `meanwhile` is called where something else would only be waited for; each of `listening` makes
    of the plan what hears its events. Raises ComparisonError before any training when something
    asked for cannot be had, and when a record cannot be written.
    """
    console = console or plain_console()
    with crew(request, console) as who:
        had = have(request, console)
        planned = had.runs(request)
        # Whoever trains reads the images anew.
        had = with_other(had, dataset=had.dataset.for_tests())
        out = request.folder(had.name)
        for folder in _written(request, had.name):
            must_be_writable(folder)
        if out and had.audit:
            _keep_audit(out, had, had.audit)
        wish = keeping.wanted(request, planned, out)
        todo = _todo(planned, out, request.fresh)
        if had.audit and todo and who.here:
            console.print(estimate(planned, out, request.fresh).said())
        hearing = [listen(planned) for listen in listening]
        records = carry_out(
            planned, had.dataset, out, request.fresh, console, meanwhile, who, hearing
        )
    model = keeping.Kept(records)
    if wish:

        def again(run: Run) -> Record:
            return carry_out([run], had.dataset, out, True, console)[0]

        model = keeping.keep(wish, records, {run.id for run in todo}, again, _sayer(console))
    if out:
        keep_samples(out, had, model.records)
    if out and wish and model.model:
        keeping.look(wish, out, model.records, _sayer(console))
    return Session(model.records, out, model.model, model.why_not)


@contextmanager
def crew(request: Request, console: Console) -> Iterator[Crew]:
    """Who does the runs of a request. Raises ComparisonError where a cluster cannot be had."""
    check(request)
    if request.scheduler is None and request.workers is None:
        yield ALONE
        return
    must_have("distributed", "--scheduler and --workers", "Dask", "cluster")
    from comparisons.running import cluster

    with cluster.joined(request.scheduler, request.workers, _sayer(console)) as client:
        yield Crew(partial(cluster.run_all, client), here=request.scheduler is None)


def have(request: Request, console: Console, over: supplies.Over | None = None) -> Supplies:
    """Have ready what a request needs. Raises ComparisonError for what cannot be had.

    With `over`, who may end them, processes of their own do what takes long.
    """
    preset, wanted = check(request)
    _must_stay_as_they_are(request)
    cache.check()  # said now, not after an hour of training
    kept.every()
    say = _sayer(console)
    size = request.image_size or supplies.image_size(request.data, wanted)
    name, whole, notices = supplies.dataset(request.data, request.data_dir, say, size, over)
    dataset = whole.only(request.classes)
    audit = catalog.audit(name, size)
    for line in pictures.lines(audit) if audit else ():
        console.print(Text(line))
    tested = _tested(request, preset, name, dataset)
    classes = dataset.classes if request.classes else ()
    wanted, more = supplies.weights(wanted, request.arms is not None, say, over)
    notices = [*notices, *more, *_weighed(request, known(name, dataset))]
    notices += pictures.untested(splits.untested(dataset, tested))
    sizes = train_sizes(request, preset, known(name, dataset, classes, tested))
    notices += pictures.unlearnt(splits.unlearnt(dataset, tested, seeds(request, preset), sizes))
    for notice in notices:
        console.print(Panel(notice, style="bold yellow", title="please note", width=console.width))
    must_fit(wanted, dataset.image_shape)
    for arm in wanted:
        if arm.strategy.pretrained:
            bases.must_be_transferred(arm.model, name, whole.fingerprint)
    source = None
    if any(arm.strategy.start == "source" for arm in wanted):
        source = supplies.source(request.source, name, dataset, request.data_dir, say, over)
    return Supplies(preset, wanted, name, classes, dataset, tested, audit, source, notices)


def _tested(request: Request, preset: Preset, name: str, dataset: Dataset) -> dict[int, list[int]]:
    """The rows that each seed tests on, where these differ; those of an earlier run stay so."""
    return splits.tested(dataset, seeds(request, preset), splits.read(request.folder(name)))


def _must_stay_as_they_are(request: Request) -> None:
    """Raise ComparisonError for data that are not known, or that results would be written into.

    And where a file lies in the way of results: now, not after pictures were decoded.
    """
    catalog.must_be_known(request.data, "auto")
    for folder in _written(request, supplies.usual(request.data)):
        catalog.must_lie_outside(request.data, folder)
        if file := in_the_way(folder):
            raise no_folder(folder, file)


def _written(request: Request, data: str) -> list[Path]:
    """The folders that a request has files written to."""
    base = request.save_base.parent if request.save_base else None
    return [folder for folder in (request.folder(data), base) if folder]


def _weighed(request: Request, target: Known) -> list[str]:
    """A line that says that rare classes weigh as much as others, where they do."""
    if not weighs_classes(request, target):
        return []
    why = "classes are uneven" if target.uneven else "--class-weights on"
    return [
        f"{why}: in training an image of class c weighs n / (k n_c), of n images in k classes, n_c "
        "of them in that one, for every arm; accuracy still counts images, macro F1 classes"
    ]


def carry_out(
    planned: list[Run],
    dataset: Dataset,
    out: Path | None,
    fresh: bool,
    console: Console,
    meanwhile: Callable[[], object] = lambda: None,
    who: Crew = ALONE,
    hearing: Sequence[Listener] = (),
) -> list[Record]:
    """Rehearse and do the runs of a plan that are not yet done; the records of all of them."""
    todo = _todo(planned, out, fresh)
    if out:
        kept.tidy(out)
        for line in filter(None, (kept.set_aside(run, out) for run in planned)):
            console.print(line, style="yellow", soft_wrap=True, markup=False, highlight=False)
    rehearsal.rehearse(todo, dataset, _sayer(console), who.here)
    with Display(planned, console) as display:
        listeners = [display, *hearing]
        return who.run_all(planned, dataset.described(), out, fresh, listeners, meanwhile)


def _todo(planned: list[Run], out: Path | None, fresh: bool) -> list[Run]:
    """The runs of a plan that are not yet done."""
    return [run for run in planned if fresh or out is None or not kept.finished(run, out)]


def _keep_audit(out: Path, had: Supplies, audit: Audit) -> None:
    """What was seen in the pictures, and which of them are tested on.

    Raises ComparisonError where that would take the place of what is known of another folder.
    """
    place = digest(printable(str(Path(had.name).resolve())))
    before = audits.read(out)
    if before and before.fingerprint != audit.fingerprint and before.place not in ("", place):
        raise ComparisonError(
            f"{out} has the results of another folder called {before.data}: name one for these "
            "by --out"
        )
    try:
        audits.write(out, replace(audit, place=place))
        splits.write(out, had.dataset, had.tested)
    except OSError as error:
        raise cannot_write(out, error) from None


def keep_samples(out: Path, had: Supplies, records: list[Record]) -> None:
    """A few test images for the page, and some that what the arms answered makes worth a look.

    All runs have ended: the test labels may be opened now.
    """
    first = min(had.tested, default=None)
    dataset = had.dataset if first is None else had.dataset.dealt(had.tested[first])
    labels, seen = dataset.open_test_labels(), view(records)
    doubted = suspects.suspects(mistakes.answered(out, seen), labels).tolist()
    whole = samples.tested(dataset.x_test, labels, dataset.test_files, doubted)
    rows = mistakes.worth_showing(out, seen, labels)
    rows = np.union1d(rows, np.array(doubted[: suspects.SHOWN], rows.dtype))
    try:
        samples.keep(out, dataset.fingerprint, whole, first)
        samples.keep_chosen(out, dataset.fingerprint, whole, rows, first)
    except OSError as error:
        raise cannot_write(out, error) from None


def planned_without_supplies(request: Request) -> tuple[str, list[Run]]:
    """The data set's name and the runs of a request, by what is known without fetching."""
    preset, wanted = check(request)
    name = supplies.usual(request.data)
    _must_stay_as_they_are(request)
    size = request.image_size or supplies.image_size(name, wanted)
    there = catalog.at_hand(name, size)
    if there:
        dataset = there.only(request.classes)
        classes = dataset.classes if request.classes else ()
        target = known(name, dataset, classes, _tested(request, preset, name, dataset))
    else:
        target = supplies.described(name, request.data_dir, request.classes)
    source = None
    if any(arm.strategy.start == "source" for arm in wanted):
        first = supplies.source_name(request.source, name)
        source = supplies.described(first, request.data_dir)
    return name, runs(request, preset, wanted, target, source)


def _sayer(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(f"… {text}", style="dim")
