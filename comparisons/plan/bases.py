"""Bases named by where they lie: `hub:HANDLE_OR_PATH`, a SavedModel, and `file:PATH`, a base that
comparisons.pretrain made. A record names them without their folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath
from urllib.parse import urlparse

import msgspec

from comparisons.core.errors import ComparisonError, one_line
from comparisons.core.files import digest
from comparisons.core.records import Base
from models.cards import Upstream, read_card
from models.catalog import MODELS, Model, is_handle, with_options

WEIGHTS, CARD = ".weights.h5", ".json"
HUB_STRATEGIES = ("probe", "frozen", "frozen-views")


def by_place(text: str) -> Model | None:
    """The model that `hub:…` or `file:…` names; None for any other text.

    Raises ComparisonError where there is no such base.
    """
    kind, colon, place = text.partition(":")
    if not colon or kind not in _READ:
        return None
    try:
        return _READ[kind](place)
    except ComparisonError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # what is neither a path nor an address
        raise ComparisonError(f"'{text}' names no base ({error})") from None


def shown(text: str) -> str:
    """A base or arm as records name it, without the folder that its base lies in."""
    kind, _, rest = text.partition(":")
    if kind not in _READ:
        return text
    place, colon, strategy = rest.rpartition(":")
    if not colon or "/" in strategy:
        return f"{kind}:{_shown_name(rest)}"
    return f"{kind}:{_shown_name(place)}:{strategy}"


def identity(model: Model) -> Base:
    """What decides a run whose base is named by its place: a handle, or a digest of its files."""
    place = str(model.place)
    if is_handle(place):
        return Base(handle=place)  # whose last part is a version: its content never changes
    return Base(digest=digest(Path(place)))


def architecture(model: Model) -> str:
    """The name of the network that a model is built as, wherever its weights lie."""
    return read_card(_card(Path(model.place))).model if model.place else model.full_name


def must_be_transferred(model: Model, target: str, fingerprint: str) -> None:
    """Raise ComparisonError for a base that was trained on the very data it is to be tried on."""
    if model.builder == "hub":
        return  # which does not say what it was trained on
    if model.place:
        same = read_card(_card(Path(model.place))).data.fingerprint == fingerprint
    else:
        same = model.source == target
    if same:
        raise ComparisonError(
            f"{model.full_name}: that base was trained on {model.source}, the target itself: a "
            "base must come from other images"
        )


def _hub(place: str) -> Model:
    if not is_handle(place):
        folder = _path(place)
        if not (folder / "saved_model.pb").is_file():
            raise ComparisonError(
                f"hub:{place}: there is no SavedModel (saved_model.pb) in that folder, and it is "
                "no handle either, which begins with https://"
            )
        place = str(folder)
    source = place if is_handle(place) else "not stated by the SavedModel"
    return Model(
        f"hub:{_name(place)}",
        "a SavedModel, frozen",
        builder="hub",
        recipe="base",
        pretrained=True,
        upstream=Upstream(source=source),
        place=place,
    )


def _file(place: str) -> Model:
    asked = _path(place)
    if not asked.name.endswith((WEIGHTS, CARD)):
        raise ComparisonError(
            f"file:{place}: name the MODEL{WEIGHTS} or the MODEL{CARD} that comparisons.pretrain "
            "wrote"
        )
    weights = asked.with_name(_stem(asked.name) + WEIGHTS)
    for path in (weights, _card(weights)):
        if not path.is_file():
            raise ComparisonError(f"file:{place}: {path} is not there")
    try:
        card = read_card(_card(weights))
        name, _, options = card.model.partition("@")
        return replace(
            with_options(MODELS[name], options),
            name=f"file:{_name(place)}",
            sentence=f"{card.model}, pretrained here on {card.data.name}",
            pretrained=True,
            upstream=card.upstream(f"its card, {_card(weights).name}"),
            source=card.data.name,
            place=str(weights),
        )
    except (OSError, KeyError, ValueError, msgspec.MsgspecError):
        raise ComparisonError(
            f"file:{place}: {_card(weights).name} is no card of comparisons.pretrain"
        ) from None


_READ = {"hub": _hub, "file": _file}


def _name(place: str) -> str:
    """What a record calls a place: a handle without its host, a path without its folder.

    Raises OSError, RuntimeError or ValueError for what is neither.
    """
    if is_handle(place):
        return one_line(urlparse(place).path.strip("/") or urlparse(place).netloc)
    return one_line(_stem(_path(place).name))


def _shown_name(place: str) -> str:
    """The same of any text."""
    try:
        return _name(place)
    except (OSError, RuntimeError, ValueError):
        return one_line(_stem(PurePath(place).name))


def _path(place: str) -> Path:
    return Path(place).expanduser().resolve()


def _stem(name: str) -> str:
    return name.removesuffix(WEIGHTS).removesuffix(CARD)


def _card(weights: Path) -> Path:
    return weights.with_name(_stem(weights.name) + CARD)
