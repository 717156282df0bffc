"""The feature cache: each image goes through a base once, and damage is never used."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from comparisons.core.clock import Cost
from comparisons.training import features
from models import engines

KEY = {"base": "means", "weights": "0", "data": "noise", "part": "train", "engine": "numpy"}
SIDE = 4


class Extractor:
    """An engine made of numpy that counts what goes through it: [n, h, w, c] -> [n, h]."""

    def __init__(self) -> None:
        self.images: list[np.ndarray] = []
        self.made = 0

    def engine(self, first: np.ndarray) -> features.Engine:
        assert 1 <= len(first) <= engines.CHECKED
        self.made += 1
        return features.Engine(self.extract, Cost(2.0, 3.0))

    def extract(self, images: np.ndarray) -> np.ndarray:
        self.images.append(images)
        return expected(images)

    @property
    def count(self) -> int:
        return sum(map(len, self.images))


def expected(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32).mean(axis=(2, 3))


def noise(count: int, seed: int = 0, side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)


def get(rows: Any, images: np.ndarray, **key: Any) -> tuple[features.Features, Extractor]:
    extractor = Extractor()
    wanted = np.asarray(rows, np.int64)
    return features.get(KEY | key, wanted, images, extractor.engine), extractor


def shards(cache: Path) -> list[Path]:
    return sorted(cache.glob("features/*/*.values"))


def indexes(cache: Path) -> list[Path]:
    return sorted(cache.glob("features/*/*.index"))


@contextlib.contextmanager
def own_cache() -> Iterator[Path]:
    """An empty cache folder for one example of a property."""
    before = os.environ["COMPARISONS_CACHE"]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COMPARISONS_CACHE"] = folder
        try:
            yield Path(folder)
        finally:
            os.environ["COMPARISONS_CACHE"] = before


row_lists = some.lists(some.integers(0, 29), min_size=1, max_size=30, unique=True)


@settings(max_examples=40)
@given(some.lists(row_lists, min_size=1, max_size=5))
def test_only_missing_rows_are_computed_whatever_is_asked_for_and_in_which_order(requests):
    images = noise(30)
    known: set[int] = set()
    with own_cache() as folder:
        for rows in requests:
            found, extractor = get(rows, images)
            assert (found.values == expected(images[rows])).all()
            assert found.values.dtype == np.float32
            missing = sorted(set(rows) - known)
            assert extractor.count == len(missing)
            if missing:
                assert (np.concatenate(extractor.images) == images[missing]).all()
            known |= set(rows)
        assert len(list(folder.glob("features/*/"))) == 1


def test_a_second_time_costs_nothing_and_still_tells_the_first_cost(cache):
    images = noise(50)
    cold, _ = get(range(50), images)
    warm, extractor = get(range(50), images)
    assert (extractor.count, extractor.made) == (0, 0)
    assert cold.cost.wall > 0
    assert warm.cost.wall == pytest.approx(cold.cost.wall)
    assert warm.cost.processor == pytest.approx(cold.cost.processor)
    assert cold.prepared == warm.prepared == Cost(2.0, 3.0)
    assert cold.kept is None
    assert warm.kept is not None and 0 <= warm.kept.others <= 1
    half, _ = get(range(25), images)
    assert half.cost.wall == pytest.approx(cold.cost.wall / 2)
    assert cold.note == warm.note == ""


def test_what_is_asked_for_afresh_is_computed_again_once_and_takes_the_place_of_the_old(cache):
    images = noise(50)
    get(range(50), images)
    (old,) = shards(cache)
    later = "9999-01-01T00:00:00+00:00"
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    extractor = Extractor()
    found = features.get(KEY, np.arange(50), images, extractor.engine, since=later)
    assert (extractor.count, found.kept) == (50, None)
    assert old not in shards(cache) or len(shards(cache)) == 1
    assert len(shards(cache)) == 1
    again = Extractor()
    features.get(KEY, np.arange(50), images, again.engine, since=now[:10])
    assert again.count == 0


def test_a_few_rows_are_read_without_the_others(cache, monkeypatch):
    images = noise(20_000)
    get(range(20_000), images)
    checked = []
    honest = features._checks
    monkeypatch.setattr(features, "_checks", lambda v: checked.append(len(v)) or honest(v))
    found, extractor = get(range(0, 20_000, 40), images)
    assert extractor.count == 0
    assert (found.values == expected(images[::40])).all()
    assert sum(checked) == 500  # of 20,000 that are kept


def test_rows_are_split_into_shards_and_progress_is_told(cache, monkeypatch):
    monkeypatch.setattr(features, "ROWS_PER_SHARD", 16)
    told: list[tuple[int, int]] = []
    extractor = Extractor()
    images = noise(40)
    features.get(KEY, np.arange(40), images, extractor.engine, lambda *now: told.append(now))
    assert told == [(0, 40), (16, 40), (32, 40), (40, 40)]
    assert [len(part) for part in extractor.images] == [16, 16, 8]
    assert extractor.made == 1
    assert len(shards(cache)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "1"},
        {"data": "other"},
        {"part": "test"},
        {"engine": "other"},
        {"versions": {"keras": "0"}},
        {"size": 96},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_key_is_another_folder(cache, change):
    images = noise(10)
    get(range(10), images)
    found, extractor = get(range(10), images[::-1], **change)
    assert extractor.count == 10
    assert (found.values == expected(images[::-1])).all()
    assert len(list(cache.glob("features/*/"))) == 2
    # And the first one is still there.
    found, extractor = get(range(10), images)
    assert extractor.count == 0
    assert (found.values == expected(images)).all()


def truncate(shard: Path) -> None:
    content = shard.read_bytes()
    shard.write_bytes(content[: len(content) // 2])


def flip_a_byte(shard: Path) -> None:
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)


def empty(shard: Path) -> None:
    shard.write_bytes(b"")


def swap_in_another(shard: Path) -> None:
    content = np.frombuffer(shard.read_bytes(), np.uint8)
    shard.write_bytes((content + 1).tobytes())


def delete(shard: Path) -> None:
    shard.unlink()


@pytest.mark.parametrize("damage", [truncate, flip_a_byte, empty, swap_in_another, delete])
@pytest.mark.parametrize("of", [shards, indexes])
def test_a_damaged_shard_is_recomputed_and_replaced(cache, damage, of, monkeypatch):
    monkeypatch.setattr(features, "ROWS_PER_SHARD", 16)
    images = noise(32)
    get(range(32), images)
    victim = of(cache)[0]
    damage(victim)
    found, extractor = get(range(32), images)
    assert (found.values == expected(images)).all()
    assert extractor.count == 16
    assert len(shards(cache)) == len(indexes(cache)) == 2
    assert get(range(32), images)[1].count == 0


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "O", "shape": (2,)}, {"dtype": "<i4"}, {"dtype": "no type"}, {"dtype": "<f2"},
        {"shape": (2**62, 4)}, {"shape": (-1,)}, {"shape": (2,)}, {"shape": ()}, {"shape": (0, 4)},
        {"rows": b"123"}, {"rows": np.arange(-8, 0, dtype=np.int32).tobytes()},
        {"rows": np.arange(4, dtype=np.int32).tobytes()}, {"checks": b""}, {"measured": 5},
    ],
    ids=str,
)  # fmt: skip
def test_an_index_that_was_made_up_is_damage(cache, change):
    """Its name is the hash of its content, as that of any: that says nothing of the content."""
    images = noise(8)
    get(range(8), images)
    (path,), (values,) = indexes(cache), shards(cache)
    content = msgspec.msgpack.encode(msgspec.msgpack.decode(path.read_bytes()) | change)
    path.unlink()
    made_up = path.with_stem(features._name_of(content))
    made_up.write_bytes(content)
    values.rename(made_up.with_suffix(values.suffix))
    found, extractor = get(range(8), images)
    assert (found.values == expected(images)).all()
    assert extractor.count == 8
    assert len(shards(cache)) == len(indexes(cache)) == 1 and not made_up.exists()
    assert get(range(8), images)[1].count == 0


@settings(max_examples=60)
@given(some.sampled_from([shards, indexes]), some.floats(0, 1, exclude_max=True),
       some.integers(1, 255))  # fmt: skip
def test_a_flipped_byte_anywhere_is_noticed(of, where, change):
    images = noise(8)
    with own_cache() as folder:
        get(range(8), images)
        (shard,) = of(folder)
        content = bytearray(shard.read_bytes())
        content[int(where * len(content))] ^= change
        shard.write_bytes(content)
        found, extractor = get(range(8), images)
        assert (found.values == expected(images)).all()
        assert extractor.count == 8


def test_a_foreign_file_is_not_used(cache):
    images = noise(8)
    get(range(8), images)
    (shard,) = shards(cache)
    for ending in (".values", ".index"):
        shard.with_name(f"notes{ending}").write_bytes(b"of somebody else")
    found, extractor = get(range(8), images)
    assert (found.values == expected(images)).all()
    assert extractor.count == 0
    assert shards(cache) == [shard]


KILLED = """
import sys, time
import numpy as np
from comparisons.core.clock import Cost
from comparisons.training import features
calls = 0
def extract(images):
    global calls
    calls += 1
    print(calls, flush=True)
    if calls == 3:
        time.sleep(600)
    return images.astype(np.float32).mean(axis=(2, 3))
key = eval(sys.argv[1])
images = np.random.default_rng(0).integers(0, 256, (10_000, 4, 4, 3), np.uint8)
engine = features.Engine(extract, features.Cost())
features.get(key, np.arange(10_000), images, lambda first: engine)
"""


def test_a_kill_leaves_whole_shards_that_are_used(cache, spawn):
    process = spawn(KILLED, KEY)
    told = [process.stdout.readline().strip() for _ in range(3)]
    assert told == ["1", "2", "3"], process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.wait()
    images = noise(10_000)
    found, extractor = get(range(10_000), images)
    assert extractor.count == 10_000 - 2 * features.ROWS_PER_SHARD
    assert (found.values == expected(images)).all()


TOGETHER = """
import hashlib, sys
import numpy as np
from comparisons.core.clock import Cost
from comparisons.training import features
images = np.random.default_rng(0).integers(0, 256, (9_000, 4, 4, 3), np.uint8)
computed = 0
def extract(images):
    global computed
    computed += len(images)
    return images.astype(np.float32).mean(axis=(2, 3))
first, last = int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
engine = features.Engine(extract, features.Cost())
found = features.get(eval(sys.argv[1]), np.arange(first, last), images, lambda first: engine)
right = (found.values == images[first:last].astype(np.float32).mean(axis=(2, 3))).all()
print(computed, bool(right), found.note, flush=True)
"""


@pytest.mark.parametrize("spans", [[(0, 9000)] * 3, [(0, 6000), (3000, 9000)]])
def test_processes_at_once_compute_each_row_once(cache, spawn, spans):
    processes = [spawn(TOGETHER, KEY, *span) for span in spans]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120)[0].split() for process in processes]
    assert all(rest == ["True"] for _, *rest in answers)
    assert sum(int(computed) for computed, *_ in answers) == 9000


def test_what_was_used_longest_ago_goes_first(cache, monkeypatch):
    images = noise(2000)
    folders: dict[str, Path] = {}
    for age, name in enumerate(("old", "middle", "new")):
        before = set(cache.glob("features/*/"))
        get(range(2000), images, data=name)
        (folders[name],) = set(cache.glob("features/*/")) - before
        os.utime(folders[name], (1000 + age, 1000 + age))
    size = sum(shard.stat().st_size for shard in folders["old"].iterdir())
    # Using the oldest makes it the newest but for the one in use: so `middle` has to go.
    assert get(range(2000), images, data="old")[1].count == 0
    assert all(folder.exists() for folder in folders.values())
    monkeypatch.setenv("COMPARISONS_CACHE_GB", str(2.5 * size / 1e9))
    assert get(range(2000), images, data="new")[1].count == 0
    assert {name for name, folder in folders.items() if folder.exists()} == {"old", "new"}
    # What is in use stays, whatever the limit.
    monkeypatch.setenv("COMPARISONS_CACHE_GB", "0")
    assert get(range(2000), images, data="new")[1].count == 0
    assert {name for name, folder in folders.items() if folder.exists()} == {"new"}
    assert get(range(2000), images, data="new")[1].count == 0


def test_a_cache_that_cannot_be_written_still_gives_features_and_a_note(tmp_path, monkeypatch):
    in_its_place = tmp_path / "cache"
    in_its_place.write_text("a file, where the folder should be")
    monkeypatch.setenv("COMPARISONS_CACHE", str(in_its_place))
    images = noise(10)
    for _ in range(2):
        found, extractor = get(range(10), images)
        assert (found.values == expected(images)).all()
        assert extractor.count == 10
        assert found.note.startswith("features are not kept: ")
        assert "\n" not in found.note
        assert str(tmp_path) not in found.note
    assert in_its_place.is_file()
