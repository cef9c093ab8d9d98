"""Bodies changed without re-encoding mean the same as bodies re-encoded."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import TargetFailed
from primeur.core.splice import with_member, with_model, with_usage_asked

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("model"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4), st.text(), st.text())
def test_another_model_changes_nothing_else(fields, old, new):
    """Whatever stands beside it, ``"model"`` keys deeper down included."""
    body = msgspec.json.encode({**fields, "model": old})
    assert msgspec.json.decode(with_model(body, new)) == {**fields, "model": new}


@pytest.mark.parametrize("options", [None, {"include_usage": False}, {"include_obfuscation": True}])
def test_usage_is_asked_for_beside_other_options(options):
    """Options the caller gave are kept."""
    body = msgspec.json.encode({"stream": True} if options is None else {"stream_options": options})
    asked = msgspec.json.decode(with_usage_asked(body))["stream_options"]
    assert asked == {**(options or {}), "include_usage": True}


@given(st.dictionaries(st.text(), json_values, min_size=1, max_size=4))
def test_an_extra_field_is_appended(fields):
    """The rest of the answer stays as it came."""
    fields.pop("primeur", None)
    answer = msgspec.json.encode({**fields, "id": 1})
    assert msgspec.json.decode(with_member(answer, b'"primeur":{"x":1}')) == {**fields, "id": 1, "primeur": {"x": 1}}


def test_an_answer_that_is_no_object_is_a_fault():
    """A list can't carry an account."""
    with pytest.raises(TargetFailed):
        with_member(b"[1]", b'"primeur":{}')
