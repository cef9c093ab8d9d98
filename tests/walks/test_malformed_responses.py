"""Requests for responses that nearly make sense: refused in words, whatever is odd and wherever it stands."""

import copy
import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeur.archive.asks import check_asked, write_chat
from primeur.archive.items import read_items, to_messages
from primeur.archive.response_wire import CreateResponse
from primeur.core.errors import CallerError
from primeur.core.reading import read_json
from primeur.core.wire import ChatRequest

GOOD = {
    "model": "m",
    "input": [
        {"role": "user", "content": "hi"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ho", "annotations": []}]},
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_image", "image_url": "data:,", "detail": "low"}],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "42"}]},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}, "verbosity": "low"},
    "reasoning": {"effort": "low"},
    "include": ["message.output_text.logprobs"],
    "metadata": {"a": "b"},
    "conversation": {"id": "conv_1"},
    "stream_options": {"include_obfuscation": False},
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        ["\x00", "a/b", [], {}, [{}], {"type": "web_search"}, {"type": None}, [[]], "message", -1, 1 << 70]
    ),
)


def places(value, at=()):
    """Every place in a body, the body itself left out."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*at, name)
        yield from places(one, (*at, name))


PLACES = list(places(GOOD))


def changed(changes):
    """The good body with odd values put into places; a place that is gone by then is left."""
    body = copy.deepcopy(GOOD)
    for at, value in changes:
        holder = body
        try:
            for name in at[:-1]:
                holder = holder[name]
            holder[at[-1]] = copy.deepcopy(value)
        except (KeyError, TypeError, IndexError):
            continue
    return body


changes = st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=3)


@given(changes)
@settings(max_examples=1000, deadline=None)
def test_a_body_becomes_a_chat_or_is_refused_in_words(changes):
    """Nothing in between."""
    with suppress(CallerError):
        request = read_json(json.dumps(changed(changes)).encode(), CreateResponse)
        check_asked(request)
        items = read_items(request.input, lambda kind: f"{kind}_1", {})
        read_json(json.dumps(write_chat(request, to_messages(items))).encode(), ChatRequest)


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/conversations"])
@given(changes=changes)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_odd_body_is_answered_in_words(client, path, changes):
    """Through the door: never a 5xx."""
    body = changed(changes)
    if path == "/v1/conversations":
        body = {"items": body["input"], "metadata": body["metadata"]}
    answer = await client.post(path, content=json.dumps(body).encode())
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["error"]["message"]
