"""What lessons in notebooks/ show: curves that grow, texts, tables, answers checked at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from comparisons.core.machine import before_loading
from comparisons.findings import text
from comparisons.report.growing import curves

__all__ = ["answered", "check", "curves", "quietly", "say", "table"]


def say(words: str) -> None:
    """Show a text in Markdown."""
    from IPython.display import Markdown, display

    display(Markdown(words))


def table(head: str, *rows: str) -> None:
    """Show a table; the cells of a line stand between ` | `."""
    say(text.markdown(_cells(head), [_cells(row) for row in rows]))


def answered(prediction: Mapping[str, str], answers: Sequence[str]) -> None:
    """Show what was predicted beside what the records say, question by question.

    Raises ValueError unless there are as many answers as questions.
    """
    pairs = zip(prediction.items(), answers, strict=True)
    rows = (f"{question} | {said or '(nothing)'} | {answer}" for (question, said), answer in pairs)
    table("question | you predicted | the records say", *rows)


def check(given: Any, right: Callable[[Any], Any], hint: str) -> None:
    """Say at once whether an answer is right: one that is still `...` is not there yet.

    A list of answers is not there yet while one of them is not. Whatever `right` raises about an
    answer, it is not right: learners write anything.
    """
    if given is ... or (isinstance(given, list) and any(one is ... for one in given)):
        say(f"**Not yet.** {hint}")
        return
    try:
        good = bool(right(given))
    except Exception:
        good = False
    say("**Right.**" if good else f"**Not quite.** {hint}")


@contextmanager
def quietly() -> Iterator[None]:
    """Load a framework without the lines that it writes past Python, which explain nothing."""
    before_loading()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _cells(line: str) -> tuple[str, ...]:
    return tuple(line.split(" | "))
