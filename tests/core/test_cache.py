"""The cache: one limit for all of it, and nothing goes that a process fills or uses."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as some

from comparisons import cifar, data
from comparisons.core import cache as caching
from comparisons.core.cache import Entry
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT

NAMES = {
    "data": "own-{:012x}",
    "features": "{:024x}",
    "bases": "{:024x}",
    "weights": "Net-{:012x}",
}


def named(kind: str, number: int) -> Entry:
    return caching.entry(kind, NAMES[kind].format(number))


def filled(one: Entry, size: int, used: float) -> Entry:
    """An entry of so many bytes that was last used at a time."""
    one.folder.mkdir(parents=True)
    (one.folder / "content.bin").write_bytes(bytes(size))
    os.utime(one.folder, (used, used))
    return one


def set_limit(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setenv("COMPARISONS_CACHE_GB", repr(size / 1e9))


def own(path: Path, seed: int = 0, side: int = 8) -> Path:
    """A data set of one's own."""
    images = np.random.default_rng(seed).integers(0, 256, (30, side, side, 1), np.uint8)
    labels = np.arange(30) % 3
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return path


# --- where it lies, and how much it may take -------------------------------------------------


def test_the_cache_folder_is_the_named_one_else_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("COMPARISONS_CACHE", str(tmp_path))
    assert caching.cache_folder() == tmp_path
    for unset in (lambda: monkeypatch.setenv("COMPARISONS_CACHE", ""), monkeypatch.undo):
        unset()
    monkeypatch.delenv("COMPARISONS_CACHE")
    users = caching.cache_folder()
    assert users.is_absolute()
    assert "comparisons" in users.parts
    assert ROOT not in users.parents


@pytest.mark.parametrize("text", ["abc", "-1", "nan"])
def test_a_cache_limit_that_is_no_size_is_refused_before_any_training(text, monkeypatch):
    monkeypatch.setenv("COMPARISONS_CACHE_GB", text)
    with pytest.raises(ComparisonError, match="COMPARISONS_CACHE_GB"):
        cifar.compare(data="shapes", arms="cnn:scratch", train_size=20, epochs=1)


@pytest.mark.parametrize("where", [".", "above", *caching.KINDS])
def test_a_file_where_a_folder_of_the_cache_belongs_is_one_line(where, monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    blocker = {".": folder, "above": tmp_path / "above"}.get(where, folder / where)
    blocker.parent.mkdir(exist_ok=True)
    blocker.write_text("a file")
    named = blocker / "cache" if where == "above" else folder
    monkeypatch.setenv("COMPARISONS_CACHE", str(named))
    with pytest.raises(ComparisonError, match=f"{blocker} is a file.* COMPARISONS_CACHE") as error:
        cifar.compare(data=own(tmp_path / "own.npz"), arms="cnn:scratch", train_size=20, epochs=1)
    assert error.value.exit_code == 1
    assert "\n" not in str(error.value)
    assert blocker.read_text() == "a file"


def test_an_entry_that_cannot_be_written_is_an_os_error_and_is_held_by_nobody(
    monkeypatch, tmp_path
):
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("COMPARISONS_CACHE", str(tmp_path / "cache"))
    one = named("data", 1)
    assert one.use() is None
    with pytest.raises(OSError), one.alone():
        raise AssertionError("nothing can be filled")


# --- what goes, and what stays -----------------------------------------------------------------


@pytest.mark.parametrize("kind", caching.KINDS)
def test_what_was_used_longest_ago_goes_first_whatever_it_is(cache, monkeypatch, kind):
    others = [other for other in caching.KINDS if other != kind]
    oldest = filled(named(kind, 1), 1000, used=100)
    later = [filled(named(other, 2), 1000, used=200) for other in others]
    set_limit(monkeypatch, 1000 * len(later) + 500)
    caching.prune()
    assert not oldest.folder.exists()
    assert all(one.folder.exists() for one in later)
    # Nothing is left of it, not even its lock.
    assert list(oldest.folder.parent.iterdir()) == []


def test_filling_one_makes_room_and_use_makes_it_the_newest(cache, monkeypatch):
    first, second = (filled(named("data", n), 1000, used=n) for n in (1, 2))
    first.use()
    third = named("features", 3)
    set_limit(monkeypatch, 2500)
    with third.alone():
        filled(third, 1000, used=0)
    assert first.folder.exists() and third.folder.exists()
    assert not second.folder.exists()


def test_nothing_goes_while_there_is_room(cache, monkeypatch):
    kept = [filled(named(kind, 1), 1000, used=1) for kind in caching.KINDS]
    set_limit(monkeypatch, 1000 * len(kept))
    caching.prune()
    assert all(one.folder.exists() for one in kept)


def test_decoded_data_is_pruned_and_made_again(cache, monkeypatch, tmp_path):
    paths = [own(tmp_path / f"own{n}.npz", n, side=100) for n in range(3)]
    size = 60 * 100 * 100
    set_limit(monkeypatch, 2.5 * size)
    prints = []
    for age, path in enumerate(paths):
        prints.append(data.prepare(str(path), None).fingerprint)
        os.utime(next(cache.glob(f"data/own{age}-*")), (age, age))
    assert sorted(path.name[:4] for path in cache.glob("data/own*")) == ["own1", "own2"]
    said: list[str] = []
    assert data.prepare(str(paths[0]), None, said.append).fingerprint == prints[0]
    assert said


def test_a_data_set_in_memory_keeps_its_copy_for_the_processes_of_its_runs(
    cache, monkeypatch, tmp_path
):
    loaded = data.prepare(str(own(tmp_path / "own.npz")), None)
    set_limit(monkeypatch, 0)
    caching.prune()
    assert list(cache.glob("data/own*"))
    del loaded
    caching.prune()
    assert list(cache.glob("data/*")) == list(cache.glob("data/.*")) == []


def test_what_the_cache_did_not_write_is_never_deleted(cache, monkeypatch):
    foreign = [
        cache / "notes.txt",
        cache / "data" / "holidays" / "1.jpg",
        cache / "data" / "photos-2024" / "1.jpg",
        cache / "features" / "mine.npz",
        cache / "data" / ".hidden" / "1.jpg",
        cache / "other" / NAMES["data"].format(1) / "1.jpg",
    ]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    gone = filled(named("data", 1), 1000, used=1)
    set_limit(monkeypatch, 0)
    caching.prune()
    assert not gone.folder.exists()
    assert all(path.read_text() == "mine" for path in foreign)


def test_bases_as_earlier_versions_kept_them_go_too(cache, monkeypatch):
    name = NAMES["bases"].format(1)
    (cache / "bases").mkdir(parents=True)
    for ending in (".weights.h5", ".weights.json", ".weights.lock"):
        (cache / "bases" / f"{name}{ending}").write_bytes(bytes(1000))
    set_limit(monkeypatch, 1500)
    caching.prune()
    assert list((cache / "bases").iterdir()) == []


# --- other processes -----------------------------------------------------------------------------

USES = """
import sys, time
from comparisons.core import cache
held = cache.entry("bases", sys.argv[1]).use()
print("used", flush=True)
time.sleep(600)
"""

FILLS = """
import sys, time
from comparisons.core import cache
one = cache.entry("bases", sys.argv[1])
with one.alone():
    one.folder.mkdir()
    (one.folder / ".half.part").write_bytes(bytes(1000))
    (one.part() / "content.bin").write_bytes(bytes(1000))
    print("filling", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("code", [USES, FILLS])
def test_what_a_process_fills_or_uses_stays_until_it_is_gone(cache, monkeypatch, spawn, code):
    one = named("bases", 1)
    if code == USES:
        filled(one, 1000, used=1)
    process = spawn(code, one.folder.name)
    assert process.stdout.readline(), process.stderr.read()
    set_limit(monkeypatch, 0)
    before = sorted(one.folder.parent.rglob("*"))
    caching.prune()
    assert sorted(one.folder.parent.rglob("*")) == before
    process.send_signal(signal.SIGKILL)
    process.wait()
    caching.prune()
    assert list(one.folder.parent.iterdir()) == []


def test_what_a_killed_process_left_half_made_goes_whatever_the_limit(cache, spawn):
    one = named("bases", 1)
    process = spawn(FILLS, one.folder.name)
    assert process.stdout.readline(), process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len([path for path in one.folder.parent.rglob("*") if path.is_file()]) == 3
    with named("features", 1).alone():
        pass
    assert list(one.folder.parent.iterdir()) == []


DECODES = """
import sys, time
import numpy as np
from comparisons import data
save = np.save
def half(path, array):
    save(path, array)
    print("half", flush=True)
    time.sleep(600)
np.save = half
data.prepare(sys.argv[1], None)
"""


def test_a_kill_while_decoding_leaves_nothing_for_long(cache, spawn, tmp_path):
    process = spawn(DECODES, own(tmp_path / "killed.npz"))
    assert process.stdout.readline() == "half\n", process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(cache.glob("data/.killed*/*.npy"))
    data.prepare(str(own(tmp_path / "other.npz")), None)
    assert not list(cache.glob("data/.killed*"))


AT_ONCE = """
import random, sys
from comparisons.core import cache
luck = random.Random(int(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(60):
    one = cache.entry("data", f"own-{luck.randrange(4):012x}")
    held = one.use()
    file = one.folder / "content.bin"
    with one.alone():
        if not file.exists():
            part = one.part()
            (part / "content.bin").write_bytes(bytes(1000))
            part.replace(one.folder)
    # It is held, so the other process may not take it away.
    assert len(file.read_bytes()) == 1000
    cache.prune()
    assert len(file.read_bytes()) == 1000
    held.release()
print("done", flush=True)
"""


def test_processes_fill_use_and_prune_at_once(cache, monkeypatch, spawn):
    set_limit(monkeypatch, 1500)
    processes = [spawn(AT_ONCE, seed) for seed in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert out == "done\n", err
    caching.prune()
    assert len([path for path in (cache / "data").iterdir() if path.name[0] != "."]) <= 1


# --- whatever lies there ------------------------------------------------------------------------

entries = some.lists(
    some.tuples(
        some.sampled_from(caching.KINDS),
        some.integers(0, 5),  # its number
        some.integers(0, 3000),  # its size
        some.integers(1, 10**6),  # when it was last used
        some.sampled_from(["free", "used", "filled"]),
        some.booleans(),  # whether something half made lies beside it
    ),
    unique_by=(lambda each: each[:2], lambda each: each[3]),
    max_size=8,
)


@contextmanager
def a_cache(limit: int) -> Iterator[None]:
    """An empty cache folder for one example of a property."""
    before = {name: os.environ.get(name) for name in ("COMPARISONS_CACHE", "COMPARISONS_CACHE_GB")}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COMPARISONS_CACHE"] = folder
        os.environ["COMPARISONS_CACHE_GB"] = repr(limit / 1e9)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                os.environ.update({name: value} if value is not None else {})


@settings(max_examples=60)
@given(entries, some.integers(0, 10_000))
def test_pruning_takes_the_oldest_free_ones_and_no_more_than_it_must(wanted: Any, limit: int):
    with a_cache(limit), ExitStack() as held:
        sizes: dict[Entry, int] = {}
        ages: dict[Entry, int] = {}
        free: set[Entry] = set()
        filling: set[Entry] = set()
        half_made: dict[Path, Entry] = {}
        for kind, number, size, used, state, half in wanted:
            one = named(kind, number)
            filled(one, size, used)
            sizes[one], ages[one] = size, used
            if state == "used":
                held.callback(one.use().release)
            if half:
                half_made[one.part()] = one
            if state == "filled":
                # Held by a lock object of its own, as another process would hold it.
                held.enter_context(FileLock(one.folder.with_name(f".{one.folder.name}.lock")))
                filling.add(one)
            if state == "free":
                free.add(one)
            os.utime(one.folder, (used, used))
        caching.prune()
        left = {one for one in sizes if one.folder.exists()}
        gone = set(sizes) - left
        assert gone <= free
        total = sum(sizes[one] for one in left)
        assert total <= limit or not left & free
        # The oldest went, and the last of them only because there was no room for it.
        if gone:
            assert max(ages[one] for one in gone) < min(
                (ages[one] for one in left & free), default=10**7
            )
            assert total + sizes[max(gone, key=ages.__getitem__)] > limit
        for part, one in half_made.items():
            assert part.exists() == (one in filling)
