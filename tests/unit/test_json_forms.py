"""Forms: what breaks a schema is found, and a hostile schema does no harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest
from primeur.engines.json_forms import check_for, fault_in, is_object

THING = {
    "type": "object",
    "properties": {"pattern": {"type": "string"}, "size": {"type": "string", "pattern": "^[a-z]+$"}},
    "required": ["pattern"],
    "additionalProperties": False,
}


def test_what_breaks_a_schema_is_found() -> None:
    """Wrong types, unknown names and broken JSON are named; what is right is not."""
    check = check_for(THING, "x")
    assert fault_in('{"pattern": "p"}', check) is None
    assert "string" in (fault_in('{"pattern": 1}', check) or "")
    assert "'q'" in (fault_in('{"pattern": "p", "q": 1}', check) or "")
    assert fault_in('{"pattern": ', check)


def test_any_object_will_do_where_no_schema_is_given() -> None:
    """json_object means an object."""
    assert fault_in("{}", is_object) is None
    assert fault_in("[1]", is_object)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:1/x"},
        {"$ref": "file:///etc/passwd"},
        {"$id": "http://127.0.0.1:1/y", "$ref": "#/definitions/nothing"},
        {"type": "no such type"},
        {"type": "string", "pattern": "(?=look)around"},
        {"type": "string", "pattern": r"(a)\1"},
        {"properties": 5},
        {"enum": ["x" * 300_000]},
    ],
)
def test_an_unusable_schema_is_refused(schema: dict) -> None:
    """Nothing is fetched, and the fault has the name of its parameter."""
    with pytest.raises(BadRequest) as caught:
        check_for(schema, "response_format")
    assert caught.value.param == "response_format"


def test_a_slow_pattern_is_never_matched_here() -> None:
    """Patterns are the grammar's affair: a caller's own must not hold up everybody."""
    check = check_for({"type": "string", "pattern": "^(a+)+$"}, "x")
    assert fault_in('"' + "a" * 60 + '!"', check) is None


def test_a_deep_schema_is_refused() -> None:
    """Nesting has an end."""
    schema: dict = {"type": "object"}
    for _ in range(100):
        schema = {"type": "object", "properties": {"x": schema}}
    with pytest.raises(BadRequest, match="deep"):
        check_for(schema, "x")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3))
WORDS = st.sampled_from(
    ["type", "enum", "properties", "items", "anyOf", "required", "$ref", "minimum", "allOf", "const"]
)


@given(st.dictionaries(WORDS, JSON | st.dictionaries(st.text(max_size=3), JSON, max_size=2), max_size=4))
def test_any_schema_is_compiled_or_refused(schema: dict) -> None:
    """No schema leads to another error than the caller's."""
    try:
        check = check_for(schema, "x")
    except BadRequest:
        return
    fault_in('{"a": 1}', check)
