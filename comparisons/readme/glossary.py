"""What every field of a record means: a table for each struct, from the descriptions on its fields.

A field is described where it is declared: `Annotated[TYPE, msgspec.Meta(description="…")]`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from comparisons.core.records import Record
from comparisons.findings import text

Struct = type[msgspec.Struct]


def glossary(root: Struct = Record) -> str:
    """A table for each struct that a record is made of, in the order in which one meets them.

    Raises ValueError, which names them all, where fields have no description.
    """
    found = _places(root)
    missing = [
        f"{struct.__name__}.{field.name}"
        for struct in found
        for field in msgspec.structs.fields(struct)
        if not _description(field)
    ]
    if missing:
        raise ValueError(f"fields without a description: {', '.join(missing)}")
    return "\n\n".join(_section(struct, places) for struct, places in found.items())


def _section(struct: Struct, places: list[str]) -> str:
    """Where a struct is in a record, what it is, and its fields."""
    where = ", ".join(f"`{place}`" for place in places) or "A record"
    said = " ".join((inspect.getdoc(struct) or "").split("\n\n")[0].split())
    rows = [
        (f"`{field.encode_name}`", _description(field)) for field in msgspec.structs.fields(struct)
    ]
    return "\n\n".join((f"### {where}", said, text.markdown(("field", "meaning"), rows)))


def _places(root: Struct) -> dict[Struct, list[str]]:
    """Every struct within `root`, itself first, and the paths of the fields that hold it."""
    found: dict[Struct, list[str]] = {root: []}
    waiting: list[tuple[Struct, str]] = [(root, "")]
    for struct, path in waiting:  # which grows meanwhile
        for field in msgspec.structs.fields(struct):
            for inner, many in _structs(field.type):
                place = f"{path}{field.encode_name}{'[]' * many}"
                found.setdefault(inner, []).append(place)
                waiting.append((inner, f"{place}."))
    return found


def _structs(hint: Any, many: int = 0) -> Iterator[tuple[Struct, int]]:
    """The structs in a type, and whether it is one or several (in a list or dictionary)."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint, many
    several = get_origin(hint) in (list, tuple, dict)
    for part in get_args(hint):
        yield from _structs(part, many or int(several))


def _description(field: FieldInfo) -> str:
    if get_origin(field.type) is not Annotated:
        return ""
    told = (one.description for one in get_args(field.type)[1:] if isinstance(one, msgspec.Meta))
    return next(filter(None, told), "").replace("|", r"\|")  # which would end a cell
