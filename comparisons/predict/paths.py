"""From what a user names to files: files, folders, patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from comparisons.core.errors import ComparisonError

# What lies beside pictures and is none: nobody named it.
PICTURES = (
    ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".ico", ".j2k", ".jfif", ".jp2",
    ".jpe", ".jpeg", ".jpg", ".pbm", ".pcx", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".sgi", ".tga",
    ".tif", ".tiff", ".webp",
)  # fmt: skip

Unread = Callable[[str, str], None]


def refuse(file: str, why: str) -> None:
    """Raise ComparisonError for what cannot be read: what is done where nobody hears of it."""
    raise ComparisonError(f"{file}: {why}")


def files(named: Sequence[str | Path], unread: Unread = refuse) -> list[str]:
    """The files that paths name, each once: a file itself, a folder's pictures, a pattern's files.

    A folder stands for the pictures in it and below, by their endings and in the order of their
    names; hidden ones are left out. `unread` hears of each folder below that cannot be read, and
    why. Raises ComparisonError for a path that names nothing.
    """
    found: dict[str, None] = {}
    for name in map(str, named):
        closed: list[OSError] = []
        here = dict.fromkeys(_named(name, closed))
        found |= here
        if not here:
            if closed:
                refuse(*_told(closed[0]))
            raise ComparisonError(f"{name or repr(name)} names no file and no folder with pictures")
        for told in dict.fromkeys(map(_told, closed)):  # a pattern may lead there twice
            unread(*told)
    return list(found)


def _told(error: OSError) -> tuple[str, str]:
    """The folder that an error is about, and why it is passed over."""
    return str(error.filename), f"it cannot be read: {error.strerror}"


def _named(name: str, closed: list[OSError]) -> Iterator[str]:
    path = Path(name)
    try:
        if not name:
            return
        if path.is_dir():
            yield from _pictures(path, closed)
        elif path.exists():  # also where its name looks like a pattern
            yield name
        elif glob.has_magic(name):
            for one in sorted(glob.glob(name, recursive=True)):  # noqa: PTH207 (also from /)
                if Path(one).is_dir():
                    yield from _pictures(Path(one), closed)
                else:
                    yield one
    except (OSError, ValueError) as error:  # a name too long, a byte of zero
        raise ComparisonError(f"{name} cannot be looked at: {error}") from None


def _pictures(folder: Path, closed: list[OSError]) -> list[str]:
    """The pictures in a folder and below, by their endings; `closed` gets what cannot be read."""
    found = []
    for place, inside, names in os.walk(folder, onerror=closed.append):
        inside[:] = [name for name in inside if not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    return [str(path) for path in sorted(found) if path.suffix.lower() in PICTURES]
