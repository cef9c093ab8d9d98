"""Requests for responses, written as chats."""

import msgspec
import pytest

from primeur.archive.asks import blank_response, check_asked, in_our_words, write_chat
from primeur.archive.response_wire import CreateResponse
from primeur.core.errors import BadRequest, UnsupportedParameter
from primeur.core.wire import ChatRequest

MESSAGES = [{"role": "user", "content": "hi"}]
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": True}


def asked(**fields):
    return msgspec.convert({"model": "m", "input": "hi", **fields}, CreateResponse)


def chat_of(**fields):
    chat = write_chat(asked(**fields), MESSAGES)
    msgspec.convert(chat, ChatRequest)
    return chat


def test_the_shortest_request_is_the_shortest_chat():
    """Nothing is said to the engine that the caller did not say."""
    assert chat_of() == {"model": "m", "messages": MESSAGES}


def test_parameters_go_on_under_the_chat_s_names():
    """Those that have one."""
    chat = chat_of(
        instructions="be brief",
        max_output_tokens=9,
        temperature=0.5,
        top_p=0.9,
        user="u",
        reasoning={"effort": "low"},
        text={"verbosity": "low"},
        parallel_tool_calls=False,
        stream=True,
    )
    assert chat["messages"][0] == {"role": "system", "content": "be brief"}
    assert chat["max_completion_tokens"] == 9
    assert (chat["temperature"], chat["top_p"], chat["user"]) == (0.5, 0.9, "u")
    assert (chat["reasoning_effort"], chat["verbosity"], chat["parallel_tool_calls"]) == ("low", "low", False)
    assert chat["stream_options"] == {"include_usage": True}


def test_a_schema_goes_on_as_response_format():
    """Flat here, nested there."""
    schema = {"type": "object"}
    chat = chat_of(text={"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}})
    assert chat["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": schema, "strict": True},
    }
    assert chat_of(text={"format": {"type": "json_object"}})["response_format"] == {"type": "json_object"}
    assert "response_format" not in chat_of(text={"format": {"type": "text"}})
    with pytest.raises(BadRequest, match="needs schema"):
        chat_of(text={"format": {"type": "json_schema", "name": "n"}})


def test_functions_are_nested_and_choices_follow():
    """A choice may narrow the tools to some of them."""
    other = {**WEATHER, "name": "clock"}
    chat = chat_of(tools=[WEATHER, other], tool_choice={"type": "function", "name": "clock"})
    assert [tool["function"]["name"] for tool in chat["tools"]] == ["weather", "clock"]
    assert chat["tool_choice"] == {"type": "function", "function": {"name": "clock"}}
    narrow = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "clock"}]}
    chat = chat_of(tools=[WEATHER, other], tool_choice=narrow)
    assert [tool["function"]["name"] for tool in chat["tools"]] == ["clock"]
    assert chat["tool_choice"] == "required"


def test_an_allowed_tool_must_be_a_tool():
    """A slip in a name is told."""
    narrow = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "x"}]}
    with pytest.raises(BadRequest, match="'x', which is not among the tools"):
        chat_of(tools=[WEATHER], tool_choice=narrow)


def test_probabilities_are_asked_for_by_either_word():
    """`include` or `top_logprobs`."""
    assert chat_of(include=["message.output_text.logprobs"])["logprobs"] is True
    assert chat_of(top_logprobs=3)["top_logprobs"] == 3


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"background": True}, "background"),
        ({"max_tool_calls": 1}, "max_tool_calls"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"moderation": {}}, "moderation"),
        ({"context_management": [{}]}, "context_management"),
        ({"include": ["file_search_call.results"]}, "include[0]"),
        ({"reasoning": {"summary": "auto"}}, "reasoning.summary"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "tools[0].type"),
        ({"tools": [{**WEATHER, "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(fields, param):
    """Never ignored."""

    def translate():
        check_asked(asked(**fields))
        chat_of(**fields)

    with pytest.raises(UnsupportedParameter) as caught:
        translate()
    assert caught.value.param == param


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_response_id": "resp_1", "conversation": "conv_1"},
        {"previous_response_id": "a b"},
        {"conversation": {"id": "a/b"}},
    ],
)
def test_a_history_must_be_one_and_have_the_form_of_an_id(fields):
    """What cannot be an id is never looked for."""
    with pytest.raises(BadRequest):
        check_asked(asked(**fields))


def test_the_request_is_echoed_in_its_response():
    """What was not said is not made up."""
    response = blank_response(
        asked(metadata={"a": "b"}, tools=[WEATHER], store=False, conversation="c1"), "resp_1", 5999
    )
    assert (response.id, response.created_at, response.status) == ("resp_1", 5, "in_progress")
    assert response.metadata == {"a": "b"}
    assert response.temperature is None
    assert response.store is False
    assert response.conversation == {"id": "c1"}
    assert response.tools[0]["description"] is None
    assert response.text == {"format": {"type": "text"}, "verbosity": None}


@pytest.mark.parametrize(
    ("param", "named"),
    [
        ("response_format", "text.format"),
        ("max_completion_tokens", "max_output_tokens"),
        ("messages[0].content", "input"),
        ("temperature", "temperature"),
        (None, None),
    ],
)
def test_a_fault_in_the_chat_is_named_as_the_caller_wrote_it(param, named):
    """The caller never wrote a chat."""
    error = in_our_words(UnsupportedParameter(f"'{param}' is not supported", param=param))
    assert error.param == named
    assert isinstance(error, UnsupportedParameter)
