"""The smallest values that schemas allow."""

from typing import Any

import fastjsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest
from primeur.engines.echo_schema import smallest
from primeur.engines.echo_words import split, unit_vector


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "string", "minLength": 3}}, "required": ["a"]},
        {"type": "array", "items": {"type": "integer", "minimum": 7}, "minItems": 2},
        {"anyOf": [{"type": "string", "pattern": "x"}, {"type": "boolean"}]},
        {"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}}},
        {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"const": 4}}}]},
        {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 3},
        {"type": "integer", "multipleOf": 5, "minimum": 7},
        {"enum": ["x", 1]},
        {"type": ["null", "string"]},
        {"type": "string", "maxLength": 2},
        True,
    ],
)
def test_the_value_obeys_its_schema(schema: Any) -> None:
    """An independent validator agrees."""
    fastjsonschema.validate(schema, smallest(schema, "text"))


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "string", "pattern": "x"},
        {"$ref": "#/nowhere"},
        {"$ref": "http://x/y"},
        {"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}, "required": ["n"]}}},
    ],
)
def test_what_cannot_be_made_is_told(schema: Any) -> None:
    """No value is better than a wrong one."""
    with pytest.raises(BadRequest):
        smallest(schema)


@given(st.text())
def test_tokens_are_the_text(text: str) -> None:
    """Nothing is lost between them."""
    assert "".join(split(text)) == text


@given(st.text(), st.integers(1, 100))
def test_vectors_have_length_one(text: str, size: int) -> None:
    """Whatever the text and the size."""
    assert sum(x * x for x in unit_vector(text, size)) == pytest.approx(1)
