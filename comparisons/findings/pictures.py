"""What was seen in a folder of pictures, in ten lines at most: for the terminal and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comparisons.core.audit import Audit, Found, Kind
from comparisons.core.balance import uneven
from comparisons.findings import text

MOST_CLASSES, MOST_NAMED = 8, 3


@dataclass(frozen=True)
class Heading:
    """What a kind of finding is called, and what a reader should make of it."""

    name: str
    meaning: str


KINDS: dict[Kind, Heading] = {
    "mislabelled": Heading(
        "the same picture in two classes", "at least one of the two labels is wrong"
    ),
    "leaked": Heading(
        "the same picture in two parts",
        "what is trained on is validated or tested on too, which flatters accuracy",
    ),
    "copies": Heading("copies", "kept together on one side of every split"),
    "alike": Heading("nearly the same", "kept together on one side of every split"),
    "odd": Heading("odd sizes", "very long, so that only the middle is seen, or very small"),
    "dark": Heading("dark", "hardly any light"),
    "blank": Heading("blank", "nothing is to be seen"),
    "blurred": Heading("blurred", "no sharp edge at the size that networks see"),
}


def lines(audit: Audit) -> list[str]:
    """What was seen, the least that somebody should know before training."""
    return [
        f"{audit.data}: {text.plural(audit.used, 'picture')} in {len(audit.classes)} classes: "
        f"{_classes(audit)}",
        sizes(audit),
        tests(audit),
        left_out(audit),
        *([f"note: {'; '.join(audit.notes)}"] if audit.notes else []),
        *(_line(audit, kind) for kind in ("mislabelled", "leaked")),
        f"{_line(audit, 'copies')}; {_line(audit, 'alike')}",
        "; ".join(_line(audit, kind) for kind in ("odd", "dark", "blank", "blurred")),
    ]


def sizes(audit: Audit) -> str:
    """How large pictures are, and what they are made."""
    smallest, middle, largest = (
        f"{w}x{h}" for w, h in (audit.sides.smallest, audit.sides.middle, audit.sides.largest)
    )
    size = audit.image_size
    return (
        f"sizes: {smallest} to {largest} pixels, the middle one {middle}; networks see the middle "
        f"square at {size}x{size}"
    )


def tests(audit: Audit) -> str:
    """What is tested on."""
    parts: Counter[str] = Counter()
    for counts in audit.classes.values():
        parts.update(counts)
    if audit.drawn:
        return (
            f"split: no test set of its own, so each seed draws one, a fifth of "
            f"{text.plural(audit.used, 'picture')}; seeds share pictures, which intervals allow for"
        )
    given = ", ".join(f"{name} {count:,}" for name, count in parts.items())
    carved = "" if parts["validation"] else "; each seed holds out a tenth of train to validate"
    return f"split: {given}{carved}"


def left_out(audit: Audit) -> str:
    """How many files are left out, and the first of them."""
    if not audit.left_out:
        return "left out: none"
    some = [f"{one.file} ({one.why})" for one in audit.left_out[:MOST_NAMED]]
    return f"left out: {text.plural(len(audit.left_out), 'file')}: {_some(some, audit.left_out)}"


def untested(missing: Mapping[str, Sequence[int]]) -> list[str]:
    """A line that names the classes without a test image, with the seeds of which that is true."""
    if not missing:
        return []
    named = [
        f"{name} (with seed {text.listing([str(seed) for seed in seeds])})" if seeds else name
        for name, seeds in missing.items()
    ]
    return [
        f"no test image of {_some(named[:MOST_CLASSES], named)}: no figure here says how often it "
        "is recognised; add pictures of it that were taken at other times"
    ]


def unlearnt(missing: Mapping[str, Sequence[int]]) -> list[str]:
    """A line that names the classes without an image to train on, with the sizes of that."""
    if not missing:
        return []
    named = [
        f"{name} (with {text.listing([f'{size:,}' for size in sizes])} training images)"
        for name, sizes in missing.items()
    ]
    return [
        f"no image to learn from of {_some(named[:MOST_CLASSES], named)}, with one seed at least: "
        "so few hold none of a class so rare, and no arm can recognise it; add pictures of it"
    ]


def _line(audit: Audit, kind: Kind) -> str:
    """How many pictures of a kind there are, and the first of them."""
    found = audit.of(kind)
    if not found:
        return f"{KINDS[kind].name}: none"
    named = found[:MOST_NAMED] if len(found[0].pictures) > 1 else found[:1]
    return f"{KINDS[kind].name}: {len(found):,} ({_some([_named(one) for one in named], found)})"


def _named(one: Found) -> str:
    return " = ".join(picture.file for picture in one.pictures[:2])


def _some(named: list[str], whole: Sequence[object]) -> str:
    return ", ".join(named) + (", …" if len(whole) > len(named) else "")


def _classes(audit: Audit) -> str:
    """Each class with its pictures, the largest first; that they are uneven where they are."""
    counts = Counter({name: sum(parts.values()) for name, parts in audit.classes.items()})
    said = [f"{name} {count:,}" for name, count in counts.most_common(MOST_CLASSES)]
    more = [f"{len(counts) - MOST_CLASSES} more"] if len(counts) > MOST_CLASSES else []
    fewest, most = min(counts.values()), max(counts.values())
    rare = f" (uneven: the largest has {most / fewest:.0f} times the smallest; see macro F1)"
    return ", ".join([*said, *more]) + (rare if uneven(counts.values()) else "")
