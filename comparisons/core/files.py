"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from comparisons.core.errors import ComparisonError, printable

try:
    import fcntl
except ImportError:  # Windows, where no file is deleted that is open
    fcntl = None  # type: ignore[assignment]


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path` and move it there when the block ends well.

    A kill, a full disk or an exception inside the block leaves the old file as it was.
    Raises OSError when the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = _part(path)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            # mkstemp makes private files; results are meant to be read by others as any file is.
            Path(name).chmod(0o666 & ~_umask())
            if fcntl:
                Path(name).replace(path)  # while it is locked
        if not fcntl:
            Path(name).replace(path)  # Windows moves no file that is open
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


# Names that `_part` gives: nothing else is ever deleted as half written.
_PART = re.compile(r"\..+\.[a-z0-9_]{8}\.part")


def _part(path: Path) -> tuple[int, str]:
    """A new file beside `path`, open, and locked for as long as it is."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        with suppress(OSError):  # a file system without locks: then nobody deletes it
            _lock(handle)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), Path(name).stat()):
                return handle, name
        os.close(handle)  # `tidy` came between


def tidy(folder: Path) -> None:
    """Delete what processes that are gone have left half written in a folder; not below it."""
    with suppress(OSError):
        for path in folder.iterdir():
            if _PART.fullmatch(path.name):
                with suppress(OSError):
                    _delete_unless_written(path)


def _delete_unless_written(path: Path) -> None:
    """Delete a file; raises OSError where a process has it open, to write it."""
    if not fcntl:
        path.unlink()
        return
    with path.open("rb+") as file:
        _lock(file.fileno(), wait=False)
        path.unlink()


def _lock(handle: int, wait: bool = True) -> None:
    """Lock an open file until it is closed, however that happens. Raises OSError."""
    if fcntl:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically; what is no character as `printable` does. Raises OSError."""
    with atomic(path) as file:
        file.write(printable(text).encode())


def write_with(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` (such as a figure's savefig) fill a file atomically. Raises OSError."""
    with atomic(path) as file:
        write(file)


def last_name(path: str | Path) -> str:
    """The last part of a path; of `.` and of what ends in `..` that of the folder it means."""
    name = Path(path).name
    return name if name not in ("", "..") else Path(path).resolve().name


def inside(folder: Path, name: str) -> Path | None:
    """What is called `name` directly in a folder; None for a name that leads elsewhere."""
    return folder / name if Path(name).name == name not in ("", "..") else None


def remove(path: Path) -> None:
    """Delete a file or a whole folder, as far as it can be."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, of the names and contents of all files in it.

    Raises OSError.
    """
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    found = {one.relative_to(path).as_posix(): one for one in path.rglob("*") if one.is_file()}
    lines = [f"{digest(found[name])} {name}\n" for name in sorted(found)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def in_the_way(folder: Path) -> Path | None:
    """The file that lies where `folder` or one above it belongs; None where none does."""
    whole = folder.absolute()
    nearest = next(path for path in (whole, *whole.parents) if exists(path))
    return None if nearest.is_dir() else nearest


def exists(path: Path) -> bool:
    """Whether a file or folder is there; False for what cannot be, such as a name too long."""
    try:
        return path.exists()
    except OSError:
        return False


def can_be_named(name: str) -> bool:
    """Whether a file or folder can have a name at all: not '', nor one with a zero byte."""
    try:
        return bool(name) and b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:  # half of a character that stands for no byte
        return False


def no_folder(path: Path, file: Path, flag: str = "--out") -> ComparisonError:
    """The error for a folder, as `flag` named it, where a file lies in the way."""
    return ComparisonError(f"{flag} {path}: {file} is a file, name a folder", exit_code=1)


def cannot_write(path: Path, error: OSError, flag: str = "--out") -> ComparisonError:
    """The error for a folder, as `flag` named it, that cannot be written, or a full disk."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        file = in_the_way(Path(error.filename or path)) or path
        return no_folder(path, file, flag)
    return ComparisonError(
        f"cannot write to {path}: {error.strerror or error}; free some space or name another "
        f"folder by {flag} (finished runs are kept: the same command continues)",
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
