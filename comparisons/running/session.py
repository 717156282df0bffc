"""A comparison from request to records: supplies, plan, runs. The command line and Python's
`compare` both end here, so that they say and do the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from comparisons.core import audit as audits
from comparisons.core import cache, samples
from comparisons.core.audit import Audit
from comparisons.core.console import plain_console
from comparisons.core.errors import ComparisonError
from comparisons.core.files import cannot_write, must_be_writable
from comparisons.core.records import Record
from comparisons.data import Dataset, catalog, splits
from comparisons.findings import pictures
from comparisons.plan import bases
from comparisons.plan.arms import Arm
from comparisons.plan.presets import Preset
from comparisons.plan.request import Known, Request, check, must_fit, runs, seeds
from comparisons.plan.runs import Run
from comparisons.running import keeping, rehearsal, runner, supplies
from comparisons.running.supplies import known
from comparisons.running.terminal import Display


@dataclass(frozen=True)
class Session:
    """What came of a request; `unkept` says why a model, or an export of it, is not there."""

    records: list[Record]
    out: Path | None
    model: Path | None = None
    unkept: str | None = None


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
) -> Session:
    """Have data and weights ready, run what is not yet done, and return all records.

    `meanwhile` is called where something else would only be waited for.
    Raises ComparisonError before any training when something asked for cannot be had, and
    when a record cannot be written.
    """
    console = console or plain_console()
    had = have(request, console)
    planned = had.runs(request)
    out = request.folder(had.name)
    if out and catalog.is_folder(had.name) and out.resolve().is_relative_to(Path(had.name)):
        raise ComparisonError(
            f"--out {out} lies within {had.name}, where nothing is ever changed: name another"
        )
    for folder in filter(None, (out, request.save_base and request.save_base.parent)):
        must_be_writable(folder)
    if out and had.audit:
        _keep_audit(out, had, had.audit)
    wish = keeping.wanted(request, planned, out)
    ran = {run.id for run in planned if request.fresh or not (out and runner.finished(run, out))}
    records = carry_out(planned, had.dataset, out, request.fresh, console, meanwhile)
    kept = keeping.Kept(records)
    if wish:

        def again(run: Run) -> Record:
            return carry_out([run], had.dataset, out, True, console)[0]

        kept = keeping.keep(wish, records, ran, again, _sayer(console))
    if out:
        _keep_samples(out, had)
    return Session(kept.records, out, kept.model, kept.why_not)


def have(request: Request, console: Console) -> Supplies:
    """Have ready what a request needs. Raises ComparisonError for what cannot be had."""
    preset, wanted = check(request)
    cache.check()  # said now, not after an hour of training
    say = _sayer(console)
    size = request.image_size or supplies.image_size(request.data, wanted)
    name, whole, notices = supplies.dataset(request.data, request.data_dir, say, size)
    dataset = whole.only(request.classes)
    audit = catalog.audit(name, size)
    for line in pictures.lines(audit) if audit else ():
        console.print(Text(line))
    tested = splits.tested(dataset, seeds(request, preset), splits.read(request.folder(name)))
    classes = dataset.classes if request.classes else ()
    wanted, more = supplies.weights(wanted, request.arms is not None, say)
    notices = notices + more
    for notice in notices:
        console.print(Panel(notice, style="bold yellow", title="please note", width=console.width))
    must_fit(wanted, dataset.image_shape)
    for arm in wanted:
        if arm.strategy.pretrained:
            bases.must_be_transferred(arm.model, name, whole.fingerprint)
    source = None
    if any(arm.strategy.start == "source" for arm in wanted):
        source = supplies.source(request.source, name, dataset, request.data_dir, say)
    return Supplies(preset, wanted, name, classes, dataset, tested, audit, source, notices)


def carry_out(
    planned: list[Run],
    dataset: Dataset,
    out: Path | None,
    fresh: bool,
    console: Console,
    meanwhile: Callable[[], object] = lambda: None,
) -> list[Record]:
    """Rehearse and do the runs of a plan that are not yet done; the records of all of them."""
    kept = () if fresh or out is None else [run for run in planned if runner.finished(run, out)]
    rehearsal.rehearse([run for run in planned if run not in kept], dataset, _sayer(console))
    with Display(planned, console) as display:
        return runner.run_all(planned, dataset.described(), out, fresh, [display], meanwhile)


def _keep_audit(out: Path, had: Supplies, audit: Audit) -> None:
    """What was seen in the pictures, and which of them are tested on."""
    try:
        audits.write(out, audit)
        splits.write(out, had.dataset, had.tested)
    except OSError as error:
        raise cannot_write(out, error) from None


def _keep_samples(out: Path, had: Supplies) -> None:
    """A few test images for the page. All runs have ended: their labels may be opened now."""
    first = min(had.tested, default=None)
    dataset = had.dataset if first is None else had.dataset.dealt(had.tested[first])
    labels = dataset.open_test_labels()
    try:
        samples.keep(out, dataset.fingerprint, dataset.x_test, labels, first)
    except OSError as error:
        raise cannot_write(out, error) from None


def planned_without_supplies(request: Request) -> tuple[str, list[Run]]:
    """The data set's name and the runs of a request, by what is known without fetching."""
    preset, wanted = check(request)
    name = "cifar10" if request.data == "auto" else request.data
    target = supplies.described(name, request.data_dir, request.classes)
    source = None
    if any(arm.strategy.start == "source" for arm in wanted):
        first = supplies.source_name(request.source, name)
        source = supplies.described(first, request.data_dir)
    return name, runs(request, preset, wanted, target, source)


def _sayer(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(f"… {text}", style="dim")
