"""What a lesson's cells say: tables, predictions beside answers, and checks of any answer."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from comparisons.report import lesson

pytest.importorskip("IPython", reason="not installed: pip install -e '.[notebooks]'")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    import IPython.display

    found: list[str] = []
    monkeypatch.setattr(IPython.display, "display", lambda thing: found.append(thing.data))
    return found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (..., "**Not yet.** Halve it."),
        ([1, ...], "**Not yet.** Halve it."),
        (4, "**Right.**"),
        (5, "**Not quite.** Halve it."),
        ("four", "**Not quite.** Halve it."),
        (None, "**Not quite.** Halve it."),
        (np.array([4, 5]), "**Not quite.** Halve it."),  # whose truth is not one
    ],
)
def test_an_answer_is_checked_whatever_it_is(given: Any, said: str, shown: list[str]) -> None:
    lesson.check(given, lambda it: it / 2 == 2, "Halve it.")
    assert shown == [said]


def test_a_prediction_stands_beside_what_came(shown: list[str]) -> None:
    lesson.answered({"Who wins?": "scratch", "When?": ""}, ("frozen", "after 3 s"))
    assert shown == [
        "| question | you predicted | the records say |\n| --- | --- | --- |\n"
        "| Who wins? | scratch | frozen |\n| When? | (nothing) | after 3 s |"
    ]
    with pytest.raises(ValueError):
        lesson.answered({"Who wins?": ""}, ("frozen", "after 3 s"))


def test_what_is_loaded_quietly_is_not_heard_and_what_follows_is(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ImportError), lesson.quietly():
        os.write(2, b"oneDNN custom operations are on.")
        raise ImportError
    os.write(2, b"a warning")
    assert capfd.readouterr().err == "a warning"
