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
from comparisons.data.dataset import Dataset, split

FILE = "manifest.csv"
SEED = "seed "  # the heading of a column is this and the seed
SHARES = 5  # one of so many shares is tested on
MOST_NAMED = 8  # classes
TEST, TRAIN, VALIDATION = "test", "train", "validation"


def draw(labels: np.ndarray, groups: np.ndarray, seed: int, classes: Sequence[str]) -> np.ndarray:
    """Rows to test on, ascending: about a fifth of each class; groups stay whole.

    By scikit-learn's StratifiedGroupKFold, in no more folds than there are groups. Of its folds the
    first that leaves every class something to train on, and has one of every class where that can
    be. Raises ComparisonError where none leaves every class something.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    most, there = int(np.bincount(labels).max()), len(np.unique(groups))
    if there == 1:
        raise _cannot_be_drawn(classes)
    folds = StratifiedGroupKFold(max(2, min(SHARES, most, there)), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with fewer pictures than there are folds
        found = [tested for _, tested in folds.split(np.zeros(len(labels)), labels, groups)]

    def lacks(tested: np.ndarray) -> tuple[int, int]:
        return len(_untrained(labels, tested)), len(np.setdiff1d(labels, labels[tested]))

    best = min((one for one in found if 0 < len(one) < len(labels)), key=lacks)
    if len(gone := _untrained(labels, best)):
        raise _cannot_be_drawn([classes[label] for label in gone])
    return np.sort(best)


def _untrained(labels: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """The labels that are left without anything to train on."""
    return np.setdiff1d(labels, np.delete(labels, tested))


def _cannot_be_drawn(classes: Sequence[str]) -> ComparisonError:
    return ComparisonError(
        f"no test set can be drawn: pictures that show nearly the same stay on one side, and of "
        f"{_named(classes)} none would be left to train on; add pictures that were taken at other "
        "times, or choose yourself what is tested on, by folders train and test"
    )


def _named(classes: Sequence[str]) -> str:
    """Some classes by their names, and how many more there are."""
    more = [f"{len(classes) - MOST_NAMED} more"] if len(classes) > MOST_NAMED else []
    return ", ".join([*classes[:MOST_NAMED], *more])


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
    data sets. Raises ComparisonError where a class of a folder has nothing left to train on.
    """
    found = {}
    if data.drawn:
        assert data.groups is not None
        for seed in seeds:
            rows = draw(data.y_train, data.groups, seed, data.classes)
            if seed in known.tested:
                rows = _as_before(data, rows, known.tested[seed], known.files)
            found[seed] = rows.tolist()
    for seed in seeds if data.files else ():
        _must_be_learnt(data, seed, found.get(seed, ()))
    return found


def untested(data: Dataset, tested: Mapping[int, Sequence[int]]) -> dict[str, list[int]]:
    """The classes without a test image, each with the seeds of which that is true; [] for all."""
    every, found = np.arange(len(data.classes)), dict[str, list[int]]()
    if not tested:
        return {data.classes[c]: [] for c in np.setdiff1d(every, data.sealed_test_labels)}
    for seed, rows in tested.items():
        for label in np.setdiff1d(every, data.y_train[rows]):
            found.setdefault(data.classes[label], []).append(seed)
    return {name: [] if len(seeds) == len(tested) else seeds for name, seeds in found.items()}


def unlearnt(
    data: Dataset,
    tested: Mapping[int, Sequence[int]],
    seeds: Sequence[int],
    sizes: Sequence[int],
) -> dict[str, list[int]]:
    """The classes that some training set lacks, each with the sizes of which that is true.

    By one seed or more: a rare class comes late where every stretch of a training set holds each
    class in its share. Classes that are only tested on are left out.
    """
    every, found = np.unique(data.y_train), dict[str, set[int]]()
    for seed in seeds:
        learnt = data.y_train[_to_learn(data, seed, tested.get(seed, ()))]
        for size in sizes:
            for label in np.setdiff1d(every, learnt[:size]):
                found.setdefault(data.classes[label], set()).add(size)
    return {name: sorted(lacking) for name, lacking in found.items()}


def _to_learn(data: Dataset, seed: int, tested: Sequence[int]) -> np.ndarray:
    """Rows to train on, in the order of which smaller training sets are the beginning."""
    rest = np.setdiff1d(np.arange(len(data.y_train)), tested)
    groups = None if data.groups is None else data.groups[rest]
    return rest[split(data.y_train[rest], seed, groups=groups, own=data.validation).train]


def _must_be_learnt(data: Dataset, seed: int, tested: Sequence[int]) -> None:
    """Raise ComparisonError where a class has nothing to train on once others validate."""
    gone = np.setdiff1d(data.y_train, data.y_train[_to_learn(data, seed, tested)])
    if len(gone):
        raise ComparisonError(
            f"too few pictures: of {_named([data.classes[label] for label in gone])} none is left "
            f"to train on (seed {seed}), once some are held out to test and to validate; add some"
        )


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
    if not len(rows):
        return drawn
    if len(gone := _untrained(data.y_train, rows)):
        raise ComparisonError(
            f"by {FILE} every picture of {_named([data.classes[label] for label in gone])} is "
            "tested on, and none left to train on: move it away, then test sets are drawn anew"
        )
    return rows


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
