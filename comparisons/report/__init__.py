"""Records turned into a table, figures and a page. Imports no deep-learning framework.

`build` writes everything under a folder, `show` prints it, in a notebook or in a terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparisons.core.errors import ComparisonError
from comparisons.core.files import write_text, write_with
from comparisons.core.records import Record, load_all
from comparisons.findings.headline import headline
from comparisons.report import page, table
from comparisons.report.figures import catalog, style

__all__ = ["build", "show"]


def build(
    folder: Path | str,
    records: Sequence[Record] | None = None,
    left_out: Sequence[str] = (),
) -> Path:
    """Write summary.csv, summary.json, figures and report.html under `folder`.

    Takes the records that lie under `folder`/runs unless some are given; `left_out` names, a
    line each, files that could not be read. Returns the path of report.html. Raises
    ComparisonError, exit code 2 for no records, 1 for a folder that cannot be written.
    """
    folder = Path(folder)
    if records is None:
        records, left_out = load_all(folder)
    if not records:
        raise ComparisonError(f"there are no records under {folder / 'runs'}")
    records = sorted(records, key=lambda r: (r.arm, r.train_size, r.seed, r.id))
    try:
        return _write(folder, records, left_out)
    except OSError as error:
        raise ComparisonError(f"cannot write {folder}: {error.strerror or error}", 1) from error


def show(records: Sequence[Record]) -> None:
    """Show the headline, the table and the main figures in a notebook; elsewhere the table."""
    if not records:
        print("There are no records to show.")
        return
    if not _in_notebook():
        print("\n".join(headline(records)))
        table.print_table(table.summarise(records))
        return
    from IPython.display import HTML, Image, display

    display(HTML(page.fragment(records)))
    for plot in catalog.drawable(records):
        if plot.main:
            # As PNG data, so that no figure is left behind to be drawn a second time.
            picture = style.png(plot.draw(records))
            display(Image(data=picture, width=760, alt=plot.finding(records)))


def _write(folder: Path, records: Sequence[Record], left_out: Sequence[str]) -> Path:
    rows = table.summarise(records)
    table.write_csv(rows, folder / "summary.csv")
    table.write_json(rows, headline(records), folder / "summary.json")
    pictures = []
    for plot in catalog.drawable(records):
        wide = plot.draw(records)
        picture = page.Picture(plot, style.svg(wide), style.svg(plot.draw(records, narrow=True)))
        for suffix, data in (("svg", picture.wide), ("png", style.png(wide))):
            _write_bytes(folder / "figures" / f"{plot.name}.{suffix}", data)
        pictures.append(picture)
    _remove_stale(folder / "figures", {p.plot.name for p in pictures})
    path = folder / "report.html"
    write_text(path, page.render(records, rows, pictures, left_out))
    return path


def _write_bytes(path: Path, data: bytes) -> None:
    write_with(path, lambda file: file.write(data))


def _remove_stale(folder: Path, made: set[str]) -> None:
    """A figure of an earlier report that these records no longer give must not stay behind."""
    for name in catalog.FIGURES.keys() - made:
        for suffix in ("svg", "png"):
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)


def _in_notebook() -> bool:
    """Whether a notebook's kernel runs this: IPython in a terminal is a terminal."""
    import sys

    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
