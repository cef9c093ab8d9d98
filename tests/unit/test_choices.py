"""A word that is none of a choice is answered with the choice, a field that is mistyped with the nearest."""

from enum import StrEnum
from typing import Literal

import msgspec
import pytest

from primeur.core.choices import nearest_field, say_choices
from primeur.core.errors import BadRequest
from primeur.core.reading import read_json
from primeur.walks.deploy import NewRevision


class Colour(StrEnum):
    """Of an inner."""

    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    """Below a mapping and a list."""

    colour: Colour | None = None


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    """Two ways down."""

    by_name: dict[str, list[Inner]] = {}
    pair: tuple[Literal["a", "b"], ...] = ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"type": "foo"}, "'foo' is none of batch, local, provisioned, standard: type"),
        ({"roll_out": {"watch": ["errors", "foo"]}}, "'foo' is none of cost, errors, evaluation, first_token"),
        ({"version": "newest"}, "'newest' is none of default, latest: version"),
        ({"roll_out": {"stps": [5]}}, "unknown parameter 'roll_out.stps'; did you mean 'steps'?"),
        ({"nothing_like_it": 1}, "unknown parameter 'nothing_like_it'; leave it out"),
    ],
)
def test_a_fault_is_told_with_what_could_have_been(body: dict[str, object], said: str) -> None:
    """In what a person writes for a deployment."""
    with pytest.raises(BadRequest) as fault:
        read_json(msgspec.json.encode(body), NewRevision)
    assert fault.value.message.startswith(said)


@pytest.mark.parametrize(("path", "words"), [(".by_name[...][0].colour", "red, blue"), (".pair[3]", "a, b")])
def test_the_way_goes_through_mappings_and_lists(path: str, words: str) -> None:
    """Optional or not, enumerated by a class or by words."""
    assert say_choices("Invalid enum value 'x'", Outer, path) == f"'x' is none of {words}"


def test_what_is_nothing_known_stays_as_it_was() -> None:
    """Another fault, a path that leads nowhere, a name that is too long to be a slip."""
    assert say_choices("Expected `int`", Outer, ".pair") == "Expected `int`"
    assert say_choices("Invalid enum value 'x'", Outer, ".nowhere") == "Invalid enum value 'x'"
    assert nearest_field("pairs", Outer, "") == "pair"
    assert nearest_field("pair" * 1000, Outer, "") == ""
