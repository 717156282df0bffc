"""What was seen in the user's own pictures before any training, as the page shows it.

From audit.json, which the comparison left beside the records; without it there is no such section.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from comparisons.core import audit as audits
from comparisons.core.audit import MOST_SHOWN, Audit, Found, Left, Picture
from comparisons.findings import pictures
from comparisons.findings.pictures import KINDS, Heading
from comparisons.findings.view import View

MOST_LEFT = 50  # files left out that the page names


@dataclass(frozen=True)
class Thumbnail:
    """A picture as a data URI, and what is said under it."""

    image: Markup
    alt: str
    says: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """All findings of a kind: how many, and thumbnails of the first."""

    heading: Heading
    count: int
    shown: tuple[Thumbnail, ...]


@dataclass(frozen=True)
class Looked:
    """The lines that the terminal had too, each kind that was found, and the files left out."""

    lines: tuple[str, ...]
    kinds: tuple[Kind, ...]
    left_out: tuple[Left, ...]
    more_left_out: int


def looked(folder: Path, seen: View) -> Looked | None:
    """The section of a page; None where nothing was seen of the data that it is about."""
    if not seen.records:
        return None
    audit = audits.read(folder, seen.records[0].data.fingerprint)
    return of(audit) if audit else None


def of(audit: Audit) -> Looked:
    """The section about an audit."""
    left = audit.left_out
    return Looked(
        tuple(pictures.lines(audit)),
        tuple(
            Kind(heading, len(found), _thumbnails(found))
            for kind, heading in KINDS.items()
            if (found := audit.of(kind))
        ),
        tuple(left[:MOST_LEFT]),
        max(0, len(left) - MOST_LEFT),
    )


def _thumbnails(found: list[Found]) -> tuple[Thumbnail, ...]:
    return tuple(
        _thumbnail(picture)
        for one in found[:MOST_SHOWN]
        for picture in one.pictures[:2]
        if picture.thumbnail
    )


def _thumbnail(picture: Picture) -> Thumbnail:
    content = b64encode(picture.thumbnail).decode()
    says = (picture.file, ": ".join(filter(None, (picture.label, picture.about))))
    return Thumbnail(Markup(f"data:image/jpeg;base64,{content}"), picture.file, says)
