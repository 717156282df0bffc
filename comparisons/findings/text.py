"""Numbers and names as people read them. A number that is None becomes an en dash."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from comparisons.core.records import Environment

NONE = "–"
LARGEST = 1e15  # from here on a number is written with its power of ten
SPACE = "\u00a0"  # keeps a number and its unit on one line


def percent(fraction: float | None, digits: int = 1) -> str:
    """A fraction as per cent: `84.0 %`."""
    return NONE if fraction is None else f"{_written(100 * fraction, digits)}{SPACE}%"


def points(fraction: float | None, sign: bool = True) -> str:
    """A difference of two fractions in percentage points: `+1.7`, `−0.3`, `0.0`."""
    if fraction is None:
        return NONE
    value = round(100 * fraction, 1)
    plus = "+" if sign and value > 0 else ""
    return plus + _written(value, 1).replace("-", "−").replace("−0.0", "0.0")


def seconds(value: float | None) -> str:
    """Seconds in the unit that reads best: `0.42 s`, `3.4 s`, `118 s`, `23.5 min`, `2.5 h`."""
    if value is None:
        return NONE
    for limit, unit, size, digits in (
        (1, "s", 1, 2), (9.95, "s", 1, 1), (600, "s", 1, 0), (7200, "min", 60, 1),
    ):  # fmt: skip
        if abs(value) < limit:
            return f"{value / size:.{digits}f}{SPACE}{unit}"
    return f"{_written(value / 3600, 1)}{SPACE}h"


def count(value: float | None) -> str:
    """A count with thousands set apart: `45,000`."""
    return NONE if value is None else _written(value, 0, ",")


def about(value: float | None) -> str:
    """A count of which two digits are known: `18,000`, `950`, `1,000`."""
    return NONE if value is None else count(two_digits(value))


def two_digits(value: float) -> int:
    """A positive number, of which the first two digits are kept."""
    unit = 10 ** max(math.floor(math.log10(value)) - 1, 0)
    return round(value / unit) * unit


def scaled(value: float | None, unit: str = "") -> str:
    """A large number with a prefix: `304.7 k`, `15.0 M`, `1.40 GB`."""
    if value is None:
        return NONE
    for size, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            digits = 1 if value / size >= 10 else 2
            return f"{_written(value / size, digits)}{SPACE}{prefix}{unit}"
    return f"{value:.0f}{SPACE}{unit}".strip()


def decimal(value: float | None, digits: int = 3) -> str:
    """A plain number: `0.482`."""
    return NONE if value is None else _written(value, digits)


def _written(value: float, digits: int, thousands: str = "") -> str:
    """A number with so many digits after the point; one that no place has room for in short."""
    if abs(value) >= LARGEST:
        return f"{value:.1e}"
    return f"{value:{thousands}.{digits}f}"


def listing(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def plural(n: int, word: str) -> str:
    """`one run`, `3 runs`."""
    return f"one {word}" if n == 1 else f"{n:,} {word}s"


def part(n: int, whole: int, word: str) -> str:
    """`2 of 3 runs`, `the one run`."""
    return f"the one {word}" if n == whole == 1 else f"{n} of {plural(whole, word)}"


def spaced(words: str) -> str:
    """Per cents as they are written here: records of older versions have `9.1%` in their errors."""
    return re.sub(r"(?<=\d)%", f"{SPACE}%", words)


def unique(words: Iterable[str | None]) -> list[str]:
    """Every non-empty word once, in the order of first sight."""
    return list(dict.fromkeys(word for word in words if word))


def flat(value: Any) -> str:
    """Any JSON-like value as a phrase: `keras 3.15.1, tensorflow 2.21.0`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {flat(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(flat, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    return NONE if value is None else clean(str(value))


def clean(text: str) -> str:
    """Text that any file can hold: control characters and halves of characters become `�`."""
    return "".join(
        "\ufffd" if unicodedata.category(c) in ("Cc", "Cs", "Cn") and c not in "\n\t" else c
        for c in text
    )


def machine(environment: Environment) -> str:
    """A machine as a record or a benchmark names it: `2 cores of …`."""
    return f"{environment.cores} cores of {environment.device}"


def markdown(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
