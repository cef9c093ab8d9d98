"""Fields that nothing reads are refused, within dataclasses too."""

from dataclasses import dataclass

import msgspec
import pytest

from primeur.core.errors import BadRequest
from primeur.core.strict import refuse_unknown


@dataclass(frozen=True)
class Terms:
    """As the broker's are."""

    units: int = 0


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """As a door's is."""

    terms: Terms | None = None
    each: list[Terms] = []
    named: dict[str, Terms] = {}


class Plain(msgspec.Struct):
    """Reads what it knows and lets the rest be."""

    name: str = ""


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"terms": {"units": 1, "unit": 2}}, "terms.unit"),
        ({"each": [{"units": 1}, {"x": 1}]}, "each[1].x"),
        ({"named": {"a": {"x": 1}}}, "named.a.x"),
    ],
)
def test_the_path_of_what_is_unknown_is_named(value, path):
    """Wherever it stands."""
    with pytest.raises(BadRequest) as refused:
        refuse_unknown(msgspec.json.encode(value), Body)
    assert (refused.value.param, refused.value.code) == (path, "unknown_parameter")


def test_what_is_known_passes():
    """And what a plain struct ignores is not looked at."""
    refuse_unknown(b'{"terms": null, "each": [{"units": 1}], "named": {"a": {}}}', Body)
    refuse_unknown(b'{"name": "a", "x": {"y": 1}}', Plain)
