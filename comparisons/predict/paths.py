"""From what a user names to files: files, folders, patterns."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from comparisons.core.errors import ComparisonError

# What lies beside pictures and is none: nobody named it.
PICTURES = (
    ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".ico", ".j2k", ".jfif", ".jp2",
    ".jpe", ".jpeg", ".jpg", ".pbm", ".pcx", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".sgi", ".tga",
    ".tif", ".tiff", ".webp",
)  # fmt: skip


def files(named: Sequence[str | Path]) -> list[str]:
    """The files that paths name, each once: a file itself, a folder's pictures, a pattern's files.

    A folder stands for the pictures in it and below, by their endings and in the order of their
    names; hidden ones are left out. Raises ComparisonError for a path that names nothing.
    """
    found: dict[str, None] = {}
    for name in map(str, named):
        here = dict.fromkeys(_named(name))
        found |= here
        if not here:
            raise ComparisonError(f"{name or repr(name)} names no file and no folder with pictures")
    return list(found)


def _named(name: str) -> Iterator[str]:
    path = Path(name)
    try:
        if not name:
            return
        if path.is_dir():
            yield from _pictures(path)
        elif path.exists():  # also where its name looks like a pattern
            yield name
        elif glob.has_magic(name):
            for one in sorted(glob.glob(name, recursive=True)):  # noqa: PTH207 (also from /)
                if Path(one).is_dir():
                    yield from _pictures(Path(one))
                else:
                    yield one
    except (OSError, ValueError) as error:  # a name too long, a byte of zero
        raise ComparisonError(f"{name} cannot be looked at: {error}") from None


def _pictures(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path.suffix.lower() in PICTURES and not any(part.startswith(".") for part in inside):
            yield str(path)
