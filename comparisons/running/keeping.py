"""The model that comes out of a comparison: which run's network is kept, and its exports."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from comparisons.core import card as cards
from comparisons.core import samples
from comparisons.core.card import Accuracy, Card
from comparisons.core.errors import ComparisonError
from comparisons.core.events import Error, Stage
from comparisons.core.files import cannot_write, remove
from comparisons.core.machine import backend
from comparisons.core.parts import FEWEST
from comparisons.core.records import Record
from comparisons.findings import disputes, intervals, mistakes, text
from comparisons.findings.view import view
from comparisons.plan import arms
from comparisons.plan.request import BEST, Request, sized
from comparisons.plan.runs import Run
from comparisons.running import tasks
from comparisons.running.process import Worker

PACKAGES = {"onnx": ("tf2onnx", "onnxruntime"), "tflite": ("tensorflow",)}


@dataclass(frozen=True)
class Kept:
    """What came of keeping: all records, the model's folder, and why it or an export is missing."""

    records: list[Record]
    model: Path | None = None
    why_not: str | None = None


@dataclass(frozen=True)
class Keeping:
    """What is to be kept under `folder`: the network of one of the `candidates`, by its ID."""

    folder: Path
    candidates: list[Run]
    best: bool
    exports: tuple[str, ...]


def wanted(request: Request, planned: Sequence[Run], out: Path | None) -> Keeping | None:
    """What a request wants kept; the runs it may come from are told so. None: nothing.

    They are those of the first seed at the largest size. Raises ComparisonError.
    """
    if request.kept is None or out is None:
        return None
    if request.scheduler:
        raise ComparisonError("--keep and --export work on this machine, not with --scheduler")
    most = max(run.train_size for run in planned)
    first = [run for run in planned if (run.train_size, run.seed) == (most, planned[0].seed)]
    best = request.kept == BEST
    if best:
        candidates = [run for run in first if can_be_kept(run)]
    else:
        arm = sized(request.kept, request.image_size)
        candidates = [run for run in first if run.arm == arm.name]
        if not candidates:
            named = ", ".join(dict.fromkeys(run.arm for run in first))
            raise ComparisonError(f"--keep {request.kept} is none of the arms compared ({named})")
    if not all(map(can_be_kept, candidates)) or not candidates:
        raise ComparisonError(
            f"--keep {request.kept}: a SavedModel's computation cannot be kept; keep another arm"
        )
    _must_be_exportable(request.export)
    keeping = Keeping(out / cards.FOLDER, candidates, best, request.export)
    for run in candidates:
        run.keep = str(keeping.folder)
    return keeping


def can_be_kept(run: Run) -> bool:
    """Whether a run's network can be built again from code."""
    return arms.parse(run.written).model.builder != "hub"


def _must_be_exportable(formats: Sequence[str]) -> None:
    """Raise ComparisonError where a format cannot be had here."""
    for name in formats:
        if backend() != "tensorflow":
            raise ComparisonError("--export needs the TensorFlow backend")
        missing = [p for p in PACKAGES[name] if importlib.util.find_spec(p) is None]
        if missing:
            raise ComparisonError(
                f"--export {name} needs {' and '.join(missing)}: "
                "pip install 'scratch-or-finetune[export]'"
            )


def keep(
    keeping: Keeping,
    records: Sequence[Record],
    ran: set[str],
    again: Callable[[Run], Record],
    say: Callable[[str], None],
) -> Kept:
    """Keep what is wanted, once all runs have ended. Raises ComparisonError.

    `ran` are the IDs of runs that were done just now; one that was done before without its network
    being kept is done `again`.
    """
    records = list(records)
    chosen = _chosen(keeping, records)
    if chosen is None:
        return Kept(
            records, None, "no model is kept: none of the runs it could come from ended well"
        )
    run, record, why = chosen
    try:
        card = _saved(keeping.folder, run)
        if card is None and run.id not in ran:
            say(f"{run.arm} was trained before, but its network was not kept: it is trained again")
            record = again(run)
            records = [record if r.id == run.id else r for r in records]
            card = _saved(keeping.folder, run)
        if card is None:
            said = record.error or "; ".join(n for n in record.notices if "not kept" in n)
            said = f"no model is kept: {run.arm}: {said or 'its file is damaged'}"
            return Kept(records, None, said)
        _finish(keeping, card, record, why)
        return Kept(records, keeping.folder, _exported(keeping, run, say))
    except OSError as error:
        raise cannot_write(keeping.folder, error) from None


def look(
    keeping: Keeping, out: Path, records: Sequence[Record], say: Callable[[str], None]
) -> None:
    """Keep under `out` where the kept model looked in test images that the page shows.

    In the mistakes that it is surest of, and in what the headline's two arms answer differently,
    if it is of one of them. All runs have ended, and their answers are there.
    """
    card = cards.read(keeping.folder / cards.CARD)
    run = next(run for run in keeping.candidates if run.id == card.record)
    seen = view(records)
    found = mistakes.mistakes(mistakes.answered(out, seen))
    rows = [r for one in found if one.of.record.id == run.id for r in one.rows[: mistakes.EACH]]
    differ = disputes.disputes(out, seen)
    if differ and run.id in differ.records:
        rows += differ.rows[: disputes.SHOWN].tolist()
    rows = [int(row) for row in dict.fromkeys(rows)]
    known = samples.read_looked(out, run.id)
    if not rows or (known and known.rows.tolist() == rows):
        return
    with Worker(tasks.Look(run, str(keeping.folder), rows, str(out))) as worker:
        for event in worker:
            if isinstance(event, Error):
                say(f"where the model looked is not on the page: {event.text}")


def _chosen(keeping: Keeping, records: Sequence[Record]) -> tuple[Run, Record, str] | None:
    """The run whose network is kept, its record, and why; by validation, never by test images."""
    by_id = {record.id: record for record in records}
    good = [run for run in keeping.candidates if by_id[run.id].status == "ok"]
    if not good:
        return None
    if not keeping.best:
        return good[0], by_id[good[0].id], "named by --keep"

    def same(run: Run) -> list[Record]:
        return [r for r in records if (r.arm, r.train_size) == (run.arm, run.train_size)]

    def validated(run: Run) -> float:
        return intervals.mean_of(map(validation_accuracy, same(run))) or 0.0

    if len(keeping.candidates) == 1:
        return good[0], by_id[good[0].id], "the only arm that can be kept"
    best = max(good, key=validated)
    images = sum(r.data.sizes.validation or 0 for r in same(best))
    few = ", too few to choose by" if images < FEWEST else ""
    why = (
        f"the best of {len(keeping.candidates)} arms on "
        f"{text.plural(images, 'validation image')}{few}"
    )
    return best, by_id[best.id], why


def validation_accuracy(record: Record) -> float | None:
    """The accuracy on validation images of the weights that were tested; None where unknown."""
    if record.best_epoch is not None:
        return record.history[record.best_epoch - 1].val_accuracy
    seen = [e.val_accuracy for e in record.history if e.val_accuracy is not None]
    return seen[-1] if seen else None


def _saved(folder: Path, run: Run) -> Card | None:
    """The card of a run's network, if that is kept: as the run left it, or as the model."""
    for name in (f"{run.id}.json", cards.CARD):
        try:
            card = cards.read(folder / name)
            card.file = cards.MODEL if name == cards.CARD else f"{run.id}.keras"
            cards.model_file(card, folder)
        except ComparisonError:
            continue
        if card.record == run.id:
            return card
    return None


def _finish(keeping: Keeping, card: Card, record: Record, why: str) -> None:
    """Make a run's network the model, with all that is known of it; the others go."""
    folder = keeping.folder
    assert record.test is not None
    images = sum(map(sum, record.test.confusion))
    low, high = intervals.wilson(record.test.accuracy, images)
    card.chosen = why
    card.test = Accuracy(
        accuracy=record.test.accuracy,
        low=low,
        high=high,
        method="95 % Wilson interval over test images",
        images=images,
    )
    if card.file != cards.MODEL:
        _remove_exports(folder)
        samples.remove_looked(folder.parent)
        (folder / card.file).replace(folder / cards.MODEL)
        card.file = cards.MODEL
    cards.write(card, folder / cards.CARD)
    for run in keeping.candidates:
        for ending in ("json", "keras"):
            remove(folder / f"{run.id}.{ending}")


def _remove_exports(folder: Path) -> None:
    """Take away the exports of the model that was here before; any other file may be anybody's."""
    try:
        old = cards.read(folder / cards.CARD)
    except ComparisonError:
        return
    for name, export in old.exports.items():
        if export.file and _is_there(old, name, folder):
            remove(folder / export.file)


def _exported(keeping: Keeping, run: Run, say: Callable[[str], None]) -> str | None:
    """Export the model to what is asked for and not yet there; why one could not be, if so."""
    card = cards.read(keeping.folder / cards.CARD)
    missing = [name for name in keeping.exports if not _is_there(card, name, keeping.folder)]
    if not missing:
        return None
    with Worker(tasks.Export(run, str(keeping.folder), missing)) as worker:
        for event in worker:
            if isinstance(event, Stage):
                say(event.text)
            elif isinstance(event, Error):
                return event.text
    return None


def _is_there(card: Card, name: str, folder: Path) -> bool:
    known = card.exports.get(name)
    if known is None or known.file is None:
        return False
    try:
        of_export = msgspec.structs.replace(card, file=known.file, sha256=known.sha256)
        cards.model_file(of_export, folder)
    except ComparisonError:
        return False
    return True
