"""Anthropic's Messages to OpenAI's chat and back: what is said, what is refused, and that nothing is lost between."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest, TargetFailed, UnsupportedParameter
from primeur.core.sse import event_data, split_events
from primeur.core.wire import ChatRequest
from primeur.gateway.anthropic_stream import MessageStream
from primeur.gateway.anthropic_translation import in_their_words, to_chat, to_message
from primeur.gateway.anthropic_wire import REFUSED, MessagesRequest
from primeur.gateway.visit import decode

BASE = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
TOOL = {"name": "weather", "description": "Tells the weather", "input_schema": {"type": "object"}}
CALL = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Paris"}}
RESULT = {"type": "tool_result", "tool_use_id": "call_1", "content": "rain"}


def chat(**fields):
    """Translate BASE with *fields* and check that the outcome is an OpenAI chat."""
    body = to_chat(decode(msgspec.json.encode(BASE | fields), MessagesRequest))
    msgspec.convert(body, ChatRequest)
    return body


def test_a_plain_request_says_the_same_on_the_other_wire():
    """Every parameter that has a counterpart finds it."""
    body = chat(
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        stop_sequences=["END"],
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        metadata={"user_id": "ann"},
        stream=True,
        thinking={"type": "disabled"},
    )
    assert body == {
        "model": "m",
        "max_tokens": 64,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "stop": ["END"],
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "user": "ann",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(
    ("choice", "ours", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "none"}, "none", None),
        ({"type": "tool", "name": "weather"}, {"type": "function", "function": {"name": "weather"}}, None),
    ],
)
def test_tool_choices_are_translated(choice, ours, parallel):
    """Each way to choose has its word."""
    body = chat(tools=[TOOL], tool_choice=choice)
    assert (body["tool_choice"], body.get("parallel_tool_calls")) == (ours, parallel)
    assert body["tools"][0]["function"]["parameters"] == {"type": "object"}


def test_tool_calls_and_results_become_messages():
    """A result stands before what the user says in the same turn; a failed one says so."""
    history = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [{"type": "text", "text": "I will look."}, CALL]},
        {"role": "user", "content": [RESULT | {"is_error": True}, {"type": "text", "text": "And now?"}]},
    ]
    _, assistant, tool, user = chat(messages=history, tools=[TOOL])["messages"]
    assert assistant["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Paris"}'}
    assert tool == {"role": "tool", "tool_call_id": "call_1", "content": "Error: rain"}
    assert user == {"role": "user", "content": "And now?"}


def test_images_become_parts():
    """Images in the request become data addresses; addresses stay."""
    inline = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    linked = {"type": "image", "source": {"type": "url", "url": "https://example.org/cat.png"}}
    content = [inline, linked, {"type": "text", "text": "What is it?"}]
    parts = chat(messages=[{"role": "user", "content": content}])["messages"][0]["content"]
    assert [part.get("image_url", {}).get("url") for part in parts] == [
        "data:image/png;base64,aGk=",
        "https://example.org/cat.png",
        None,
    ]


def test_a_schema_and_an_effort_are_translated():
    """The output's form becomes a response format."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = chat(output_config={"effort": "low", "format": {"type": "json_schema", "schema": schema}})
    assert body["reasoning_effort"] == "low"
    assert body["response_format"]["json_schema"]["schema"] == schema


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking"),
        ({"output_config": {"effort": "max"}}, "output_config.effort"),
        ({"messages": [{"role": "assistant", "content": "The answer is ("}]}, "messages[0]"),
        ({"best_of": 2}, "best_of"),
        ({"temperature": 1.5}, "temperature"),
        ({"stop_sequences": ["a", "b", "c", "d", "e"]}, "stop_sequences"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"messages": [{"role": "user", "content": [RESULT]}]}, "messages[0].content[0].tool_use_id"),
        ({"messages": [{"role": "user", "content": [CALL]}]}, "messages[0].content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]},
            "messages[0].content[0].type",
        ),
        *[({name: {"x": 1}}, name) for name in REFUSED],
    ],
)
def test_what_cannot_be_said_is_refused_by_name(fields, param):
    """Nothing is dropped in silence."""
    with pytest.raises(BadRequest) as caught:
        chat(**fields)
    assert caught.value.param == param


def test_results_come_first_in_a_turn():
    """Words before a result would change place, so they are refused, and so are pictures inside a result."""
    asked = [{"role": "user", "content": "?"}, {"role": "assistant", "content": [CALL]}]
    late = [{"type": "text", "text": "so"}, RESULT]
    with pytest.raises(BadRequest, match="come first"):
        chat(messages=[*asked, {"role": "user", "content": late}])
    picture = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    with pytest.raises(UnsupportedParameter, match="images in a tool_result"):
        chat(messages=[*asked, {"role": "user", "content": [RESULT | {"content": [picture]}]}])


@pytest.mark.parametrize(
    ("finish", "met", "expected"),
    [
        ("stop", None, ("end_turn", None)),
        ("stop", "END", ("stop_sequence", "END")),
        ("length", None, ("max_tokens", None)),
        ("tool_calls", None, ("tool_use", None)),
        ("content_filter", None, ("refusal", None)),
    ],
)
def test_reasons_to_stop_are_translated(finish, met, expected):
    """Each reason has its word, and a stop sequence is named where the target names it."""
    choice = {"message": {"content": "Hi"}, "finish_reason": finish, "stop_reason": met}
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    message = to_message({"choices": [choice], "usage": usage, "primeur": {"cost_nanos": 1}}, "msg_1", "m")
    assert (message["stop_reason"], message["stop_sequence"]) == expected
    assert (message["usage"]["input_tokens"], message["usage"]["cache_read_input_tokens"]) == (5, 4)
    assert message["primeur"] == {"cost_nanos": 1}


@pytest.mark.parametrize(
    "answer", [{}, {"choices": []}, {"choices": [{"message": {"tool_calls": [{"function": {}}]}}]}]
)
def test_an_answer_without_a_message_is_the_targets_fault(answer):
    """Neither an empty answer nor one without choices becomes an empty message; missing arguments are no fault."""
    if answer.get("choices"):
        assert to_message(answer, "msg_1", "m")["content"][0]["input"] == {}
        return
    with pytest.raises(TargetFailed):
        to_message(answer, "msg_1", "m")


def test_arguments_that_are_no_object_are_the_targets_fault():
    """A tool call without readable arguments cannot be handed on."""
    call = {"id": "c", "function": {"name": "f", "arguments": '{"a": '}}
    with pytest.raises(TargetFailed, match="'f'"):
        to_message({"choices": [{"message": {"tool_calls": [call]}}]}, "msg_1", "m")


def test_a_fault_of_the_target_is_told_in_the_callers_words():
    """Who wrote stop_sequences is not told about stop."""
    fault = in_their_words(UnsupportedParameter("'stop' is not supported by x: no", param="stop"))
    assert (type(fault), fault.param) == (UnsupportedParameter, "stop_sequences")
    assert fault.message == "'stop_sequences' is not supported by x: no"
    same = BadRequest("no such model", param="model")
    assert in_their_words(same) is same


# Streams.

arguments = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3)
calls = st.lists(st.tuples(st.sampled_from(["look", "find"]), arguments), max_size=3)


def event(**chunk):
    """Write one of OpenAI's stream events."""
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def delta(finish=None, **fields):
    """Write a chunk with one delta."""
    return event(choices=[{"index": 0, "delta": fields, "finish_reason": finish}])


def openai_stream(text, called, size):
    """Write an answer as OpenAI's stream, *size* characters a piece."""
    yield event(choices=[], prompt_filter_results=[])
    yield delta(role="assistant", content="")
    for at in range(0, len(text), size):
        yield delta(content=text[at : at + size])
    for index, (name, given_arguments) in enumerate(called):
        function = {"name": name, "arguments": ""}
        yield delta(tool_calls=[{"index": index, "id": f"call_{index}", "type": "function", "function": function}])
        written = msgspec.json.encode(given_arguments).decode()
        for at in range(0, len(written), size):
            yield delta(tool_calls=[{"index": index, "function": {"arguments": written[at : at + size]}}])
    yield delta("tool_calls" if called else "stop")
    yield event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 3}, primeur={"cost_nanos": 5})
    yield b"data: [DONE]\n\n"


def events_of(written):
    """Read Anthropic's events."""
    return [msgspec.json.decode(event_data(one)) for one in split_events(written)]


def assembled(events):
    """Put an answer together from Anthropic's events, as its clients do."""
    blocks: list[dict] = []
    for one in events:
        if one["type"] == "content_block_start":
            assert one["index"] == len(blocks)
            blocks.append(one["content_block"] | {"json": ""})
        elif one["type"] == "content_block_delta":
            piece = one["delta"]
            blocks[one["index"]]["json"] += piece.get("partial_json", "")
            if piece["type"] == "text_delta":
                blocks[one["index"]]["text"] += piece["text"]
    return blocks


@given(st.text(max_size=30), calls, st.integers(1, 7))
def test_a_stream_says_what_the_whole_answer_says(text, called, size):
    """However an answer is cut, its blocks, reason and usage are those of the same answer given whole."""
    stream = MessageStream("msg_1", "m")
    events = events_of(b"".join(stream.feed(block) for block in openai_stream(text, called, size)))
    tool_calls = [
        {"id": f"call_{index}", "function": {"name": name, "arguments": msgspec.json.encode(given_arguments).decode()}}
        for index, (name, given_arguments) in enumerate(called)
    ]
    choice = {
        "message": {"content": text, "tool_calls": tool_calls},
        "finish_reason": "tool_calls" if called else "stop",
    }
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    whole = to_message({"choices": [choice], "usage": usage}, "msg_1", "m")
    streamed = [
        {"type": "text", "text": block["text"], "citations": None}
        if block["type"] == "text"
        else {k: block[k] for k in ("type", "id", "name")} | {"input": msgspec.json.decode(block["json"] or "{}")}
        for block in assembled(events)
    ]
    assert streamed == whole["content"]
    assert events[-2]["delta"]["stop_reason"] == whole["stop_reason"]
    assert events[-2]["usage"] == whole["usage"]


@given(st.text(max_size=30), calls, st.integers(1, 7))
def test_events_come_in_their_order(text, called, size):
    """A start, blocks that open and close one after the other, the last delta, the stop."""
    stream = MessageStream("msg_1", "m")
    types = [one["type"] for one in events_of(b"".join(map(stream.feed, openai_stream(text, called, size))))]
    assert types[:2] == ["message_start", "ping"]
    assert types[-2:] == ["message_delta", "message_stop"]
    is_open = False
    for kind in types[2:-2]:
        assert is_open == (kind != "content_block_start")
        is_open = kind != "content_block_stop"
    assert not is_open


def test_a_fault_in_the_stream_ends_it():
    """An error takes the place of the rest, and nothing follows it."""
    stream = MessageStream("msg_1", "m")
    written = stream.feed(delta(content="Hel"))
    written += stream.feed(event(error={"message": "cut", "code": "upstream_error"}) + b"data: [DONE]\n\n")
    last = events_of(written)[-1]
    assert last == {"type": "error", "error": {"type": "api_error", "message": "cut"}}


def test_going_back_to_a_closed_tool_call_is_the_targets_fault():
    """Blocks cannot be opened twice."""
    stream = MessageStream("msg_1", "m")
    for index in (0, 1):
        stream.feed(delta(tool_calls=[{"index": index, "id": f"c{index}", "function": {"name": "f"}}]))
    with pytest.raises(TargetFailed):
        stream.feed(delta(tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(MessagesRequest.__struct_fields__)), json_values, max_size=6))
def test_malformed_requests_are_refused_with_our_own_words(fields):
    """Whatever comes, it is translated or refused as a bad request; nothing else is raised."""
    # The chat's own types refuse the rest, with the path: the gateway turns that into a bad request too.
    with suppress(BadRequest, msgspec.ValidationError):
        chat(**fields)


def test_every_parameter_is_documented():
    """Each field of the request has its place in docs/anthropic.md."""
    page = (Path(__file__).parents[2] / "docs" / "anthropic.md").read_text()
    assert [name for name in MessagesRequest.__struct_fields__ if f"`{name}`" not in page] == []
