"""Which pictures of a folder are tested on, and the manifest that says so, file by file.

A small folder without a test set of its own gets another one for each seed: with so few pictures
one draw says little. Pictures that show the same stay on one side. The next run reads the
manifest: what was tested on stays so, whatever is added to the folder, or edited by hand.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.files import write_text
from comparisons.data.dataset import Dataset

FILE = "manifest.csv"
SEED = "seed "  # the heading of a column is this and the seed
SHARES = 5  # one of so many shares is tested on
TEST, TRAIN, VALIDATION = "test", "train", "validation"


def draw(labels: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Rows to test on, ascending: about a fifth of each class; groups stay whole.

    By scikit-learn's StratifiedGroupKFold. Of its folds the first that leaves every class something
    to train on, and has one of every class where that can be.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    most = int(np.bincount(labels).max())
    folds = StratifiedGroupKFold(max(2, min(SHARES, most)), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with fewer pictures than there are folds
        found = [tested for _, tested in folds.split(np.zeros(len(labels)), labels, groups)]

    def lacks(tested: np.ndarray) -> tuple[int, int]:
        left = np.delete(labels, tested)
        classes = np.unique(labels)
        return len(np.setdiff1d(classes, left)), len(np.setdiff1d(classes, labels[tested]))

    return np.sort(min((one for one in found if 0 < len(one) < len(labels)), key=lacks))


@dataclass(frozen=True)
class Manifest:
    """What a manifest says: for each seed the files that are tested on, and all that it names."""

    tested: Mapping[int, frozenset[str]]
    files: frozenset[str]


def read(folder: Path | None) -> Manifest:
    """The manifest under a folder of results; an empty one where there is none.

    Raises ComparisonError for one that cannot be read.
    """
    path = folder / FILE if folder else None
    if path is None or not path.exists():
        return Manifest({}, frozenset())
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")), strict=True))
        names = list(rows[0]) if rows else []
        seeds = {int(name.removeprefix(SEED)): name for name in names if name.startswith(SEED)}
        tested = {
            seed: frozenset(row["file"] for row in rows if row[name] == TEST)
            for seed, name in seeds.items()
        }
        return Manifest(tested, frozenset(row["file"] for row in rows))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise ComparisonError(
            f"{path} is damaged ({first_line(error)}): move it away, then test sets are drawn anew"
        ) from None


def tested(data: Dataset, seeds: Sequence[int], known: Manifest) -> dict[int, list[int]]:
    """For each seed the rows that are tested on, of a data set without a test set of its own.

    What the manifest says of a file holds for all pictures that show the same; empty for other
    data sets.
    """
    if not data.drawn:
        return {}
    assert data.groups is not None
    found = {}
    for seed in seeds:
        rows = draw(data.y_train, data.groups, seed)
        if seed in known.tested:
            rows = _as_before(data, rows, known.tested[seed], known.files)
        found[seed] = rows.tolist()
    return found


def _as_before(
    data: Dataset, drawn: np.ndarray, before: frozenset[str], files: frozenset[str]
) -> np.ndarray:
    """The draw, but for pictures whose group a manifest knows."""
    assert data.groups is not None
    chosen = np.zeros(len(data.y_train), bool)
    chosen[drawn] = True
    names = np.array(data.files, object)
    held = np.array([name in before for name in names])
    known = np.array([name in files for name in names])
    groups = data.groups
    was_tested = np.isin(groups, groups[held])
    was_trained = np.isin(groups, groups[known]) & ~was_tested
    rows = np.flatnonzero((chosen | was_tested) & ~was_trained)
    if 0 < len(rows) < len(names) - 1:
        return rows
    return drawn


def write(folder: Path, data: Dataset, tested: Mapping[int, Sequence[int]]) -> None:
    """Write which files are trained, validated and tested on, atomically. Raises OSError.

    Seeds that an earlier manifest has and this run has not stay in it.
    """
    classes = np.array(data.classes, object)
    labels = np.concatenate([data.y_train, data.sealed_test_labels])
    groups = data.groups if data.groups is not None else np.arange(len(labels))
    before = read(folder)
    old = {
        seed: [TEST if name in files else TRAIN if name in before.files else ""
               for name in data.files]
        for seed, files in before.tested.items() if seed not in tested and data.drawn
    }  # fmt: skip
    columns = {f"{SEED}{seed}": column for seed, column in old.items()}
    if data.drawn:
        columns |= {f"{SEED}{seed}": _column(data, seed, rows) for seed, rows in tested.items()}
    else:
        columns["part"] = _own(data)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "class", "same as", *columns])
    for row, name in enumerate(data.files):
        cells = [column[row] for column in columns.values()]
        writer.writerow([name, classes[labels[row]], int(groups[row]), *cells])
    write_text(folder / FILE, text.getvalue())


def _column(data: Dataset, seed: int, rows: Sequence[int]) -> list[str]:
    dealt = data.dealt(rows)
    assert dealt.pool is not None
    column = np.full(len(data.files), TRAIN, object)
    held = dealt.subset(seed).validation
    column[dealt.pool.train[held]] = VALIDATION
    column[dealt.pool.test] = TEST
    return column.tolist()


def _own(data: Dataset) -> list[str]:
    """The user's own parts; without a validation part each seed carves one from `train`."""
    train = len(data.y_train) - data.validation
    return [
        *[TRAIN] * train,
        *[VALIDATION] * data.validation,
        *[TEST] * len(data.sealed_test_labels),
    ]
