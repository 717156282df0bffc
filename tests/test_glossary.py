"""The glossary of a record's fields: made from the descriptions on its structs."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from comparisons.readme.glossary import glossary


def told(description: str) -> msgspec.Meta:
    return msgspec.Meta(description=description)


class Leaf(msgspec.Struct):
    """The smallest part.

    Not shown.
    """

    weight: Annotated[float | None, told("how heavy it is, |w|")] = None


class Tree(msgspec.Struct, rename={"kind": "type"}):
    """A plant
    with leaves."""

    kind: Annotated[str, told("what it is called")]
    leaves: Annotated[list[Leaf], told("all of them")] = []
    best: Annotated[Leaf | None, told("the greenest, else null")] = None


class Wood(msgspec.Struct):
    """Several trees."""

    trees: Annotated[dict[str, Tree], told("by name")]
    first: Tree
    age: Annotated[int, msgspec.Meta(ge=0)]


def test_each_struct_has_a_table_that_says_where_it_is() -> None:
    assert glossary(Tree) == (
        "### A record\n\nA plant with leaves.\n\n"
        "| field | meaning |\n| --- | --- |\n"
        "| `type` | what it is called |\n"
        "| `leaves` | all of them |\n"
        "| `best` | the greenest, else null |\n\n"
        "### `leaves[]`, `best`\n\nThe smallest part.\n\n"
        "| field | meaning |\n| --- | --- |\n"
        "| `weight` | how heavy it is, \\|w\\| |"
    )


def test_every_field_without_a_description_is_named() -> None:
    with pytest.raises(ValueError, match=r"description: Wood\.first, Wood\.age$"):
        glossary(Wood)


def test_structs_within_structs_have_their_whole_path() -> None:
    class Whole(msgspec.Struct):
        """All."""

        trees: Annotated[dict[str, Tree], told("by name")]
        first: Annotated[Tree, told("the oldest")]

    made = glossary(Whole)
    assert "### `trees[]`, `first`\n" in made
    assert "### `trees[].leaves[]`, `trees[].best`, `first.leaves[]`, `first.best`\n" in made
