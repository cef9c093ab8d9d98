"""The llama.cpp dialect: what passes untouched, what is refused, what is turned into OpenAI's form."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.chat import Ask, Endpoint, Route, Target
from primeur.core.errors import BadRequest, TargetFailed, UnsupportedParameter
from primeur.core.wire import ChatRequest, CompletionRequest
from primeur.engines.llamacpp_dialect import DIALECT, translate
from primeur.engines.llamacpp_text import SUFFIX_FEATURE, legacy_logprobs
from primeur.engines.llamacpp_tools import CallWriter, duty_of

PLAIN = [{"role": "user", "content": "hi"}]
THING = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
PAINT = {"type": "function", "function": {"name": "paint", "parameters": THING}}
WAIT = {"type": "function", "function": {"name": "wait"}}


def target(*features: str) -> Target:
    """A llama.cpp engine with some features."""
    return Target(
        "r", "llamacpp", Endpoint("http", "h", 1), DIALECT, "m", frozenset(Route), features=frozenset(features)
    )


def ask(**fields: Any) -> Ask:
    """A chat, or a completion when there is a prompt."""
    kind: Any = CompletionRequest if "prompt" in fields else ChatRequest
    given = {"model": "m", **({} if "prompt" in fields else {"messages": PLAIN}), **fields}
    body = msgspec.json.encode(given)
    route = Route.COMPLETIONS if "prompt" in fields else Route.CHAT
    return Ask("req_1", route, body, msgspec.json.decode(body, type=kind), 0, 0)


def sent(*features: str, **fields: Any) -> dict[str, Any]:
    """The body that llama.cpp gets."""
    translation = translate(ask(**fields), target(*features))
    assert translation is not None
    return msgspec.json.decode(translation.body)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"stream": True, "temperature": 0.5, "stop": ["x"], "seed": 3, "n": 2},
        {"tools": [PAINT], "tool_choice": "auto"},
        {"response_format": {"type": "text"}, "store": False, "metadata": {"a": "b"}, "user": "u"},
        {"prompt": "x", "max_tokens": 3},
        {"prompt": ["x", "y"], "n": 2},
    ],
)
def test_bytes_pass_untouched_where_nothing_differs(fields: dict) -> None:
    """No translation means no decoding and no encoding."""
    assert translate(ask(**fields), target()) is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"store": True}, "store"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"lora": [{"id": 0, "scale": 1}]}, "lora"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "function", "content": "x"}]}, "messages[0].role"),
        ({"tools": [PAINT], "tool_choice": {"type": "custom"}}, "tool_choice"),
        ({"prompt": "x", "best_of": 2}, "best_of"),
        ({"prompt": "x", "echo": True, "logprobs": 1}, "echo"),
        ({"prompt": [1, 2], "echo": True}, "echo"),
        ({"prompt": "x", "suffix": "y"}, "suffix"),
    ],
)
def test_what_would_be_ignored_is_refused(fields: dict, param: str) -> None:
    """llama.cpp answers 200 to all of these, as if they had not been said."""
    with pytest.raises(UnsupportedParameter) as caught:
        translate(ask(**fields), target())
    assert caught.value.param == param


@pytest.mark.parametrize("choice", ["sometimes", "required", {"type": "function", "function": {"name": "nobody"}}])
def test_an_impossible_tool_choice_is_refused(choice: object) -> None:
    """An unknown word, a demand without tools, a function that is not there."""
    tools = {} if choice == "required" else {"tools": [PAINT]}
    with pytest.raises(BadRequest):
        translate(ask(tool_choice=choice, **tools), target())


def test_a_developer_speaks_as_the_system_where_the_template_knows_none() -> None:
    """The message would be lost otherwise."""
    messages = [{"role": "developer", "content": "be brief"}, *PLAIN]
    assert sent(messages=messages)["messages"][0] == {"role": "system", "content": "be brief"}
    assert translate(ask(messages=messages), target("developer")) is None


def test_a_suffix_becomes_fill_in_the_middle() -> None:
    """The prompt is written with the model's own tokens."""
    body = sent("suffix", SUFFIX_FEATURE + "<P> <S> <M>", prompt="a(", suffix=")b")
    assert body["prompt"] == "<P>a(<S>)b<M>"
    assert "suffix" not in body


def test_an_echo_goes_before_each_answer() -> None:
    """Each choice begins with the prompt that it answers, once, in a stream too."""
    translation = translate(ask(prompt=["p", "q"], echo=True, n=2, stream=True), target())
    assert translation is not None
    texts = [""] * 4
    for index in (3, 0, 1, 2, 3, 0):
        (piece,) = translation.piece({"choices": [{"index": index, "text": "x"}]})
        texts[index] += piece["choices"][0]["text"]
    assert texts == ["pxx", "px", "qx", "qxx"]


def test_usage_leaves_a_completion_stream_in_its_own_chunk() -> None:
    """llama.cpp puts it beside the last choice."""
    translation = translate(ask(prompt="p", stream=True, stream_options={"include_usage": True}), target())
    assert translation is not None
    (piece,) = translation.piece({"id": "1", "choices": [{"index": 0, "text": ""}], "usage": {"total_tokens": 3}})
    assert "usage" not in piece
    assert translation.finish() == [{"id": "1", "choices": [], "usage": {"total_tokens": 3}}]


TOKENS = st.lists(st.text(min_size=1, max_size=4), max_size=6)


@given(TOKENS, st.integers(0, 50))
def test_legacy_log_probabilities_are_of_one_length(tokens: list[str], start: int) -> None:
    """Offsets follow the tokens, and the chosen one is among its alternatives."""
    entries = [{"token": t, "bytes": list(t.encode()), "logprob": -1.0, "top_logprobs": []} for t in tokens]
    end = {"token": "", "bytes": [], "logprob": -0.1, "top_logprobs": []}
    form = legacy_logprobs({"content": [*entries, end]}, start, 2)
    assert form["tokens"] == tokens
    assert form["text_offset"] == [start + len("".join(tokens[:place])) for place in range(len(tokens))]
    assert form["top_logprobs"] == [{token: -1.0} for token in tokens]


def test_free_text_in_place_of_a_form_is_a_fault() -> None:
    """Finished answers are judged; one that was cut by its length is not."""
    form = {"type": "json_schema", "json_schema": {"name": "t", "schema": THING}}
    for text, reason, broken in (("{}", "stop", True), ('{"a": 1}', "stop", False), ('{"a"', "length", False)):
        translation = translate(ask(response_format=form), target())
        assert translation is not None
        answer = {"choices": [{"index": 0, "message": {"content": text}, "finish_reason": reason}]}
        if broken:
            with pytest.raises(TargetFailed):
                translation.piece(answer)
        else:
            assert translation.piece(answer) == [answer]


def test_a_broken_form_ends_a_stream_with_a_fault() -> None:
    """Pieces go on as they come; the end tells."""
    translation = translate(ask(response_format={"type": "json_object"}, stream=True), target())
    assert translation is not None
    translation.piece({"choices": [{"index": 0, "delta": {"content": "no JSON"}, "finish_reason": None}]})
    translation.piece({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    with pytest.raises(TargetFailed, match="response_format"):
        translation.finish()


def test_a_call_that_must_be_made_is_asked_for_by_schema() -> None:
    """The tools become a schema and words; one function alone is asked for its arguments only."""
    one = sent(tools=[PAINT, WAIT], tool_choice={"type": "function", "function": {"name": "paint"}})
    assert one["response_format"]["json_schema"]["schema"] == THING
    assert "tools" not in one
    both = sent(tools=[PAINT, WAIT], tool_choice="required")["response_format"]["json_schema"]["schema"]
    assert [option["properties"]["name"]["const"] for option in both["anyOf"]] == ["paint", "wait"]


def test_definitions_of_several_tools_do_not_meet() -> None:
    """Each function's own references lead to its own definitions."""
    shared = {"$defs": {"x": {"type": "string"}}, "type": "object", "properties": {"v": {"$ref": "#/$defs/x"}}}
    tools = [{"type": "function", "function": {"name": name, "parameters": shared}} for name in ("f", "g")]
    schema = sent(tools=tools, tool_choice="required")["response_format"]["json_schema"]["schema"]
    assert set(schema["$defs"]) == {"f.x", "g.x"}
    assert schema["anyOf"][1]["properties"]["arguments"]["properties"]["v"] == {"$ref": "#/$defs/g.x"}


def writer(choice: object) -> CallWriter:
    """A writer for two tools, or for the one that is named."""
    made = ask(tools=[PAINT, WAIT], tool_choice=choice)
    duty = duty_of(made.fields)  # type: ignore[arg-type] # a chat
    assert duty is not None
    return CallWriter(duty, made, 0)


@given(st.lists(st.integers(1, 9), max_size=8), st.integers(-99, 99))
def test_text_in_any_pieces_becomes_a_call(cuts: list[int], value: int) -> None:
    """However a stream is cut, name and arguments come out whole, and the closing brace stays out."""
    text = f'{{ "name": "paint", "arguments": {{"a": {value}}}\n}}'
    calls, deltas, at = writer("required"), [], 0
    for cut in [*cuts, len(text)]:
        deltas += calls.feed(text[at : at + cut])
        at += cut
    deltas += calls.end(whole=True)
    assert deltas[0]["function"]["name"] == "paint"
    assert msgspec.json.decode("".join(d["function"]["arguments"] for d in deltas)) == {"a": value}


def test_a_call_that_breaks_its_schema_is_a_fault() -> None:
    """Free text and wrong arguments are told, unless the answer was cut short."""
    for choice, text in (("required", "no call"), ({"type": "function", "function": {"name": "paint"}}, '{"a": "x"}')):
        calls = writer(choice)
        calls.feed(text)
        with pytest.raises(TargetFailed, match="was to call a tool"):
            calls.end(whole=True)
    calls = writer("required")
    calls.feed('{"name": "paint", "arguments": {"a"')
    calls.end(whole=False)


def test_a_call_takes_the_place_of_text() -> None:
    """The message has no content, one call, and the reason of a call."""
    translation = translate(ask(tools=[PAINT], tool_choice="required"), target())
    assert translation is not None
    answer = {"choices": [{"index": 0, "message": {"content": '{"a": 4}'}, "finish_reason": "stop"}]}
    choice = translation.piece(answer)[0]["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "paint", "arguments": '{"a": 4}'}


def test_log_probabilities_of_a_chat_have_no_end_token() -> None:
    """OpenAI gives none for the token that ends an answer, and no alternatives that were not asked for."""
    translation = translate(ask(logprobs=True), target())
    assert translation is not None
    assert msgspec.json.decode(translation.body)["top_logprobs"] == 1
    entry = {"token": "x", "bytes": [120], "logprob": -1.0, "top_logprobs": [{"token": "x"}]}
    end = {"token": "", "bytes": [], "logprob": -1.0, "top_logprobs": []}
    message = {"message": {"content": "x"}, "logprobs": {"content": [entry, end]}, "finish_reason": "stop"}
    (answer,) = translation.piece({"choices": [{"index": 0, **message}]})
    assert answer["choices"][0]["logprobs"]["content"] == [{**entry, "top_logprobs": []}]


def test_strict_arguments_are_checked() -> None:
    """A call that the model chose to make must have the form that was promised."""
    strict = {"type": "function", "function": {"name": "paint", "parameters": THING, "strict": True}}
    translation = translate(ask(tools=[strict]), target("tools"))
    assert translation is not None
    call = {"id": "c", "type": "function", "function": {"name": "paint", "arguments": "{}"}}
    message = {"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
    with pytest.raises(TargetFailed, match="paint"):
        translation.piece({"choices": [{"index": 0, **message}]})
