"""Whatever is typed where an arm belongs: an arm, or one line that says what is wrong."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from comparisons import cifar
from comparisons.core.errors import ComparisonError
from comparisons.plan import arms, bases
from comparisons.plan.runs import command_line
from comparisons.plan.strategies import STRATEGIES

# Of all characters, halves of some and controls among them, and those that mean something here.
PIECES = some.one_of(
    some.text(some.characters(codec=None), max_size=8),
    some.sampled_from(["~", "~nouser", "~/", "/", ":", "@", "x", ".", "..", "\0", "\n", "\udcff"]),
    some.sampled_from([".json", ".weights.h5", "https://", "http://[", "tiny", "0.25x160", "nan"]),
    some.sampled_from(["a" * 300, "9" * 5000, "a/" * 3000, "[" * 50]),
)
TEXTS = some.lists(PIECES, max_size=4).map("".join)
MODELS = some.one_of(
    some.builds("{}:{}".format, some.sampled_from(["hub", "file"]), TEXTS),
    some.builds("{}@{}".format, some.sampled_from(["mobilenet", "tiny", "resnet50", ""]), TEXTS),
    TEXTS,
)
HOW = some.one_of(
    some.sampled_from([*STRATEGIES, "frozen@1", "", "@"]),
    some.builds("{}@{}".format, some.sampled_from(["partial", "lora", "hybrid"]), TEXTS),
)


def is_one_line(text: str) -> bool:
    """Nothing in it ends a line or controls a terminal, and all of it can be written as UTF-8."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)


@given(some.one_of(some.builds("{}:{}".format, MODELS, HOW), TEXTS))
@example("hub:~nouser/x:frozen")
@example("file:~nouser/x.json:full")
@example("file:a\0b.json:full")
@example("hub:http://[:frozen")
@example("tiny:partial@" + "9" * 5000)
@example("tiny:partial@" + "9" * 30)
@example("hub:" + "a" * 5000 + ":frozen")
@example("hub:a\nb\x1b[2J:frozen")
def test_a_text_is_an_arm_or_one_line(text):
    try:
        arm = arms.parse(text)
    except ComparisonError as error:
        assert error.exit_code == 2
        assert is_one_line(str(error)) and str(error)
        assert len(str(error)) < 1500
    else:
        assert arms.parse(arm.written) == arm
        assert arm.value is None or arm.value < 2**31


@given(some.one_of(MODELS, some.builds("{}:{}".format, MODELS, HOW)))
@example("hub:~nouser/x:frozen")
@example("file:~nouser/x.json")
@example("hub:https://[:frozen")
@example("hub:a\0b:frozen")
def test_any_command_can_be_shown(text):
    assert isinstance(bases.shown(text), str)
    said = command_line("comparisons.cifar", ["--arms", text])
    assert said.encode() and is_one_line(said)


@given(TEXTS.filter(lambda text: "/" not in text))
def test_no_folder_is_shown(name):
    for text in (f"hub:/home/somebody/{name}", f"file:/home/somebody/{name}:full"):
        assert "/" not in bases.shown(text)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (["--data=/home/x.npz", "--data-dir=/mnt/p"], "--data=x.npz --data-dir=p"),
        (["--keep=file:/home/me/x.json:full", "--out", "/home/me"], "--keep=file:x:full --out me"),
        (["--scheduler", "tcp://me:secret@host:1"], "--scheduler tcp://host:1"),
        (["--scheduler=tls://me:p@ss@host"], "--scheduler=tls://host"),
        (["--arms", "hub:https://me:secret@host/a/1:frozen"], "--arms hub:a/1:frozen"),
        (["mobilenet@0.25x64:frozen", "--epochs=3"], "mobilenet@0.25x64:frozen --epochs=3"),
    ],
)
def test_no_folder_and_no_password_is_in_a_recorded_command(typed, shown):
    assert command_line("comparisons.x", typed) == f"python -m comparisons.x {shown}"


@pytest.mark.parametrize("arm", ["hub:~nouser/x:frozen", "file:~nouser/x.json:full"])
def test_the_home_of_nobody_is_one_line(arm, capsys, tmp_path):
    assert cifar.main(["--data", "shapes", "--arms", arm, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    assert arm.rpartition(":")[0] in said and "home" in said
    assert not (tmp_path / "out").exists()
