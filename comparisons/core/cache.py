"""The cache: what was decoded, extracted, trained or checked once is kept, all under one limit.

An entry is a folder, named by everything that decides what is in it. One process at a time fills
it, and each that needs it later says so; both by locks, which end with their process, however
that ends. What nobody fills or uses may go at any moment, what was used longest ago first. So
whoever reads an entry checks what it finds, and makes again what is not whole.

Beside the folder NAME lie .NAME.lock (who fills it), .NAME.ID.use (who uses it) and what is half
made, .NAME.ID.part; half-made files within it begin with a dot too.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import platformdirs
from filelock import FileLock

from comparisons.core.errors import ComparisonError
from comparisons.core.files import in_the_way, remove

KINDS = ("data", "features", "bases", "weights")
LOCK, USE = ".lock", ".use"
# Names that entries have: nothing else in the folder is ever deleted.
_OURS = re.compile(r"(?:[\w-]+-[0-9a-f]{12}|[0-9a-f]{24})", re.ASCII)


def cache_folder() -> Path:
    """The folder of the cache: COMPARISONS_CACHE, else the user's cache."""
    named = os.environ.get("COMPARISONS_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("comparisons"))


def cache_limit() -> float:
    """The most bytes that the cache may take: COMPARISONS_CACHE_GB, else 20 GB.

    Raises ComparisonError when the variable is not a size.
    """
    text = os.environ.get("COMPARISONS_CACHE_GB") or "20"
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not limit >= 0:
        raise ComparisonError(
            f"COMPARISONS_CACHE_GB={text}: give a number of gigabytes, such as 20"
        )
    return limit * 1e9


def check() -> None:
    """Raise ComparisonError where the cache cannot be: no size as its limit, files for folders."""
    cache_limit()
    for kind in KINDS:
        if file := in_the_way(cache_folder() / kind):
            raise ComparisonError(
                f"{file} is a file, where a folder of the cache belongs: move it away, or set "
                "COMPARISONS_CACHE to another folder",
                exit_code=1,
            )


def entry(kind: str, name: str) -> Entry:
    """An entry of the cache by its name, which ends in a digest of all that decides its content.

    `name` is TEXT-DIGEST with 12 hexadecimal digits, or 24 of them alone.
    """
    assert kind in KINDS and _OURS.fullmatch(name), (kind, name)
    return Entry(cache_folder() / kind / name)


@dataclass(frozen=True)
class Entry:
    """A folder of the cache, there or to be made."""

    folder: Path

    def use(self) -> FileLock | None:
        """Keep the entry from being deleted for as long as what comes back is held.

        Waits for a process that fills it. None where nothing can be written.
        """
        mark = FileLock(self._beside(f".{uuid4().hex}{USE}"), thread_local=False)
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with self._lock():
                self._is_used()  # which clears away the marks of processes that are gone
                mark.acquire()
                self._touch()
        except OSError:
            return None
        return mark

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Fill the entry while others wait; then make room for it. Raises OSError."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self._lock():
            self._drop_half_made()
            yield
            self._touch()
            prune()

    def part(self) -> Path:
        """A new folder beside the entry, to be filled and then moved there. Raises OSError."""
        made = self._beside(f".{uuid4().hex}.part")
        made.mkdir(parents=True)
        return made

    def tidy(self) -> None:
        """Delete what is half made, and all where no content is, unless a process fills it."""
        with suppress(OSError), self._lock(blocking=False):
            self._drop_half_made()
            if _is_empty(_with_files(self._paths())) and not self._is_used():
                self._delete()

    def delete(self) -> None:
        """Delete all of it, unless a process fills or uses it."""
        with suppress(OSError), self._lock(blocking=False):
            if not self._is_used():
                self._delete()

    def _beside(self, ending: str) -> Path:
        return self.folder.with_name(f".{self.folder.name}{ending}")

    def _lock(self, blocking: bool = True) -> FileLock:
        return FileLock(self._beside(LOCK), blocking=blocking)

    def _paths(self) -> list[Path]:
        return [path for path in _inside(self.folder.parent) if _entry_of(path) == self]

    def _touch(self) -> None:
        with suppress(OSError):
            os.utime(self.folder)

    def _drop_half_made(self) -> None:
        for path in _with_files(self._paths()):
            if _is_half_made(path):
                remove(path)

    def _is_used(self) -> bool:
        """Whether a process uses it; the marks of processes that are gone are deleted."""
        used = False
        for path in self._paths():
            if path.suffix == USE:
                mark = FileLock(path, blocking=False)
                try:
                    mark.acquire()
                    mark.release()
                    path.unlink(missing_ok=True)
                except OSError:  # such as filelock's Timeout
                    used = True
        return used

    def _delete(self) -> None:
        # Its lock goes last: without it the next process may fill what is deleted here.
        for path in sorted(self._paths(), key=lambda path: path.suffix == LOCK):
            remove(path)


def prune() -> None:
    """Delete what was used longest ago until the cache fits COMPARISONS_CACHE_GB.

    What processes that are gone left half made goes in any case; what one fills or uses now
    stays, whatever it takes. Raises ComparisonError like `cache_limit`.
    """
    limit = cache_limit()
    entries = _entries()
    if untidy := [one for one, paths in entries.items() if _is_untidy(paths)]:
        for one in untidy:
            one.tidy()
        entries = _entries()
    sizes = {one: _size(paths) for one, paths in entries.items()}
    total = sum(sizes.values())
    for one in sorted(entries, key=lambda one: _last_used(entries[one])):
        if total <= limit:
            return
        one.delete()
        total += _size(_with_files(one._paths())) - sizes[one]


def _entries() -> dict[Entry, list[Path]]:
    """All entries, with everything that lies in them and beside them."""
    found: dict[Entry, list[Path]] = {}
    for kind in KINDS:
        for path in _inside(cache_folder() / kind):
            one = _entry_of(path)
            if _OURS.fullmatch(one.folder.name):
                found.setdefault(one, []).extend(_with_files([path]))
    return found


def _entry_of(path: Path) -> Entry:
    """The entry that a path in the folder of its kind belongs to."""
    return Entry(path.with_name(path.name.removeprefix(".").partition(".")[0]))


def _is_mark(path: Path) -> bool:
    return path.suffix in (LOCK, USE)


def _is_half_made(path: Path) -> bool:
    return path.name.startswith(".") and not _is_mark(path)


def _is_untidy(paths: list[Path]) -> bool:
    return any(map(_is_half_made, paths)) or _is_empty(paths)


def _is_empty(paths: list[Path]) -> bool:
    return all(_is_mark(path) or path.is_dir() for path in paths)


def _inside(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []


def _with_files(paths: list[Path]) -> list[Path]:
    """Paths, and what lies in those that are folders."""
    return [each for path in paths for each in (path, *_inside(path))]


def _size(paths: list[Path]) -> int:
    """The bytes of the files among `paths`."""
    return sum(found.st_size for found in map(_status, paths) if stat.S_ISREG(found.st_mode))


def _last_used(paths: list[Path]) -> float:
    """The time that `use` and `alone` leave on an entry's folder."""
    folder = paths[0].parent
    own = [path for path in paths if path.parent == folder and not _is_mark(path)]
    return max((_status(path).st_mtime for path in own), default=0.0)


def _status(path: Path) -> os.stat_result:
    with suppress(OSError):
        return path.lstat()
    return os.stat_result([0] * 10)
