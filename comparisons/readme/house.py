"""What pages show of the house: its rooms, their files, and the walls between them.

Sentences are the docstrings of the files themselves; the walls are those that import-linter
holds.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from comparisons.core.machine import ROOT
from comparisons.findings import text

HOUSE = ROOT / "comparisons"


def rooms() -> str:
    """A row for each room, from the doors down, and one for the networks beside them.

    A package that stands among the doors is one of them.
    """
    found = {room.name: room for room in _rooms(HOUSE)}
    inner = [layer for layer in _layers() if found.keys() >= set(layer)]
    ordered = [name for layer in inner for name in layer]
    rows = [
        (f"[{name}](comparisons/{name})", _said(found[name] / "__init__.py")) for name in ordered
    ]
    return text.markdown(
        ("room", "what is in it"),
        [
            ("[comparisons](comparisons)/*.py", "Doors: what a person types; flags, nothing else."),
            *rows,
            ("[models](models)", _said(ROOT / "models" / "__init__.py")),
        ],
    )


def layers() -> str:
    """The rooms and doors from top to bottom, as import-linter knows them."""
    lines = "\n".join("   ".join(layer) for layer in _layers())
    return f"```\n{lines}\n```"


def walls() -> str:
    """The names of all contracts that import-linter holds."""
    return "\n".join(f"- {contract['name']}." for contract in _contracts())


def files() -> str:
    """Every file of `comparisons`, by room."""
    parts = [("", HOUSE), *((f"{room.name}/", room) for room in _rooms(HOUSE))]
    return "\n\n".join(
        f"#### comparisons/{name}\n\n{_listed(folder, HOUSE)}" for name, folder in parts
    )


def networks() -> str:
    """Every file of `models`."""
    return _listed(ROOT / "models", ROOT / "models")


def _listed(folder: Path, page: Path) -> str:
    """A row for each file of a room, linked from a page in the folder `page`."""
    inner = folder.glob("*.py") if folder == HOUSE else folder.rglob("*.py")
    rows = []
    for path in sorted(inner, key=lambda path: (len(path.parts), path)):
        if path.name != "__init__.py" or _defines(path):
            name, link = path.relative_to(folder), path.relative_to(page)
            rows.append((f"[{name.as_posix()}]({link.as_posix()})", _said(path)))
    return text.markdown(("file", "what it does"), rows)


def _rooms(folder: Path) -> Iterator[Path]:
    """The packages directly within a package."""
    return (path.parent for path in sorted(folder.glob("*/__init__.py")))


def _said(path: Path) -> str:
    """The first sentence of a file's docstring."""
    paragraph = (ast.get_docstring(_tree(path)) or "").split("\n\n")[0]
    return re.split(r"(?<=[.?]) ", " ".join(paragraph.split()))[0]


def _defines(path: Path) -> bool:
    """Whether a file has anything but its docstring."""
    return len(_tree(path).body) > 1


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return settings["tool"]["importlinter"]["contracts"]


def _layers() -> list[list[str]]:
    (house,) = (contract for contract in _contracts() if contract["type"] == "layers")
    return [layer.split(" | ") for layer in house["layers"]]
