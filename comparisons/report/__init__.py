"""Records turned into a table, figures and a page. Imports no deep-learning framework.

`build` writes everything under a folder, `show` prints it, in a notebook or in a terminal, `draw`
makes one figure, and `draw_plane` that of the model that was kept under a folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from comparisons.core import card as cards
from comparisons.core.card import Card
from comparisons.core.console import in_notebook
from comparisons.core.errors import ComparisonError, unknown
from comparisons.core.files import write_text, write_with
from comparisons.core.prices import UNPRICED, Prices
from comparisons.core.records import Record, load_all
from comparisons.findings import plane as said_of_plane
from comparisons.findings.view import View, view
from comparisons.report import page, table, together
from comparisons.report.figures import catalog
from comparisons.report.figures import plane as planes
from comparisons.report.figures.paper import HALF, NARROW, SLIDE, WIDE, Sheet, png, svg
from comparisons.report.figures.style import MANY
from comparisons.report.gallery import gallery, wrong
from comparisons.report.looked import looked
from comparisons.report.model import model
from comparisons.report.strip import strip

__all__ = ["build", "draw", "draw_plane", "show"]


def build(
    folder: Path | str,
    records: Sequence[Record] | None = None,
    left_out: Sequence[str] = (),
    *,
    lead: Iterable[Record | str] = (),
    slides: bool = False,
    prices: Prices = UNPRICED,
) -> Path:
    """Write summary.csv, summary.json, figures and report.html under `folder`.

    Takes the records that lie under `folder`/runs unless some are given; `left_out` names, a
    line each, files that could not be read. Finding and figures are about the runs in `lead`,
    records or their IDs, and about all where it names none; the page shows the others in a table.
    `slides` makes figures for a projector too; of `prices` the page's bill makes money and energy.
    Returns the path of report.html. Raises
    ComparisonError, exit code 2 for no records, 1 for a folder that cannot be written.
    """
    folder = Path(folder)
    if records is None:
        records, left_out = load_all(folder)
    if not records:
        raise ComparisonError(f"there are no records under {folder / 'runs'}")
    records = sorted(records, key=lambda r: (r.arm, r.train_size, r.seed, r.id))
    seen = view(records, [one if isinstance(one, str) else one.id for one in lead])
    try:
        return _write(folder, seen, left_out, slides, prices)
    except OSError as error:
        raise ComparisonError(f"cannot write {folder}: {error.strerror or error}", 1) from error


def show(records: Sequence[Record]) -> None:
    """Show the headline, the table and the main figures in a notebook; elsewhere the first two."""
    if not records:
        print("There are no records to show.")
        return
    if not in_notebook():
        table.print_findings(records)
        return
    from IPython.display import HTML, display

    display(HTML(page.fragment(records)))
    for plot in catalog.drawable(records):
        if plot.main:
            display(plot.draw(records))


def draw(records: Sequence[Record], name: str) -> Sheet:
    """One figure by its name, such as `loss`: a matplotlib figure that a notebook shows.

    The names are those of the files that `build` writes under figures/. Raises ComparisonError
    for another name, and for a figure that these records have nothing to show in.
    """
    if name not in catalog.FIGURES:
        raise unknown("figure", name, catalog.FIGURES)
    able = [plot.name for plot in catalog.drawable(records)]
    if name not in able:
        raise ComparisonError(
            f"these records have nothing to show in figure '{name}'; they have for: "
            f"{', '.join(able) or 'none'}"
        )
    return catalog.FIGURES[name].draw(records)


def draw_plane(folder: Path | str) -> Sheet:
    """Held-out images before and after fine-tuning, by the base of the model under a folder.

    The folder is that of results. Raises ComparisonError where no model was kept, or one whose
    base did not move.
    """
    card = cards.read(Path(folder) / cards.FOLDER / cards.CARD)
    if card.plane is None:
        raise ComparisonError(f"the base of {card.arm} did not move: keep an arm that moves it")
    return planes.before_and_after(card)


def _write(folder: Path, seen: View, left_out: Sequence[str], slides: bool, prices: Prices) -> Path:
    everything = [*seen.records, *seen.also]
    rows = table.summarise(everything)
    table.write_csv(rows, folder / "summary.csv")
    table.write_json(rows, seen, folder / "summary.json")
    pictures = _drawn(folder / "figures", seen, slides)
    _remove_stale(folder / "figures", {p.plot.name for p in pictures}, slides)
    path = folder / "report.html"
    answers = page.Answers(strip(folder, seen), gallery(folder, seen), wrong(folder, seen))
    beside = answers, looked(folder, seen)
    card = model(folder, seen)
    moved = _plane(card) if card and card.plane else None
    write_text(path, page.render(seen, pictures, *beside, left_out, prices, card, moved))
    return path


def _plane(card: Card) -> page.Shown:
    wide, narrow = (svg(planes.before_and_after(card, on)) for on in (WIDE, NARROW))
    assert card.plane is not None
    said = f"{planes.HEADING}. {said_of_plane.title(card.plane)}."
    return page.shown("plane", planes.HEADING, planes.HOW_TO_READ, said, wide, narrow)


def _drawn(folder: Path, seen: View, slides: bool) -> list[page.Picture]:
    """Every figure that the records have something to show in, for the page and as files."""
    plots = catalog.drawable(seen.records)
    # The first one leads, and has all the room there is.
    few = len(seen.labels) <= MANY
    halves = [plot.half and few and number > 0 for number, plot in enumerate(plots)]

    def draw(number: int) -> tuple[bytes, bytes, bytes, bytes]:
        plot = plots[number]
        figure = plot.draw(seen.records, HALF if halves[number] else WIDE)
        narrow = plot.draw(seen.records, NARROW)
        slide = png(plot.draw(seen.records, SLIDE)) if slides else b""
        return svg(figure), svg(narrow), png(figure), slide

    pictures = []
    for plot, half, files in zip(plots, halves, together.made(draw, len(plots)), strict=True):
        wide, narrow, raster, slide = files
        _write_bytes(folder / f"{plot.name}.svg", wide)
        _write_bytes(folder / f"{plot.name}.png", raster)
        if slides:
            _write_bytes(folder / "slides" / f"{plot.name}.png", slide)
        pictures.append(page.Picture(plot, wide, narrow, half))
    return pictures


def _write_bytes(path: Path, data: bytes) -> None:
    write_with(path, lambda file: file.write(data))


def _remove_stale(folder: Path, made: set[str], slides: bool) -> None:
    """A figure of an earlier report that these records no longer give must not stay behind."""
    for name in catalog.FIGURES.keys() - made:
        for suffix in ("svg", "png"):
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)
    for name in catalog.FIGURES.keys() - (made if slides else set()):
        (folder / "slides" / f"{name}.png").unlink(missing_ok=True)
