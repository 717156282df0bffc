"""Writing files so that a reader never sees half of one, and where caches lie."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import platformdirs

from comparisons.core.errors import ComparisonError


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path` and move it there when the block ends well.

    A kill, a full disk or an exception inside the block leaves the old file as it was.
    Raises OSError when the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; results are meant to be read by others as any file is.
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically. Raises OSError."""
    with atomic(path) as file:
        file.write(text.encode())


def write_with(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` (such as a figure's savefig) fill a file atomically. Raises OSError."""
    with atomic(path) as file:
        write(file)


def digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, of the names and contents of all files in it.

    Raises OSError.
    """
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    found = {one.relative_to(path).as_posix(): one for one in path.rglob("*") if one.is_file()}
    lines = [f"{digest(found[name])} {name}\n" for name in sorted(found)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def cache_folder() -> Path:
    """The folder of decoded data and features: COMPARISONS_CACHE, else the user's cache."""
    named = os.environ.get("COMPARISONS_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("comparisons"))


def cache_limit() -> float:
    """The most bytes that features may take: COMPARISONS_CACHE_GB, else 20 GB.

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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def cannot_write(path: Path, error: OSError) -> ComparisonError:
    """The error for a folder that cannot be written or a disk that is full."""
    return ComparisonError(
        f"cannot write to {path}: {error.strerror or error}; free some space or name another "
        "folder by --out (finished runs are kept: the same command continues)",
        exit_code=1,
    )


def must_be_writable(folder: Path) -> None:
    """Raise ComparisonError unless files can be written under `folder`; leaves nothing there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise cannot_write(folder, error) from None
