"""Items of responses, read and written as messages."""

import itertools

import pytest

from primeur.archive.items import read_items, references, to_messages, without_oldest
from primeur.core.errors import BadRequest, UnsupportedParameter


def numbered():
    """Ids that say what they are for: ``message_1``, ``call_2``."""
    count = itertools.count(1)
    return lambda kind: f"{kind}_{next(count)}"


def read(given, referred=None):
    return read_items(given, numbered(), referred or {})


def test_text_is_one_message_of_a_user():
    """The shortest input there is."""
    (item,) = read("hello")
    assert item == {
        "id": "message_1",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_text", "text": "hello"}],
    }
    assert to_messages([item]) == [{"role": "user", "content": "hello"}]


def test_a_message_needs_no_type_and_may_have_parts():
    """Pictures go on as the chat writes them."""
    parts = [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "data:image/png;base64,aa"}]
    (message,) = to_messages(read([{"role": "developer", "content": parts}]))
    assert message["role"] == "developer"
    picture = {"url": "data:image/png;base64,aa", "detail": "auto"}
    assert message["content"] == [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": picture}]


def test_what_a_model_said_can_be_sent_back_as_it_was():
    """Annotations and probabilities are kept and not shown to the model."""
    said = {"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}
    item = {"id": "msg_a", "type": "message", "status": "completed", "role": "assistant", "content": [said]}
    assert read([item]) == [item]
    assert to_messages([item]) == [{"role": "assistant", "content": "hi"}]


def test_a_refusal_can_be_sent_back():
    """In the chat it is a part, too."""
    items = read([{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}])
    assert to_messages(items) == [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}]


def test_calls_and_the_words_before_them_are_one_message():
    """As the model made them; each answer of a function is its own message."""
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c1", "output": "42"}
    items = read([{"role": "assistant", "content": "wait"}, call, {**call, "call_id": "c2"}, output])
    first, second = to_messages(items)
    assert first["content"] == "wait"
    assert [made["id"] for made in first["tool_calls"]] == ["c1", "c2"]
    assert second == {"role": "tool", "tool_call_id": "c1", "content": "42"}


def test_reasoning_is_kept_and_not_shown_again():
    """Clients send back whole outputs."""
    items = read([{"id": "rs_1", "type": "reasoning", "summary": []}, {"role": "user", "content": "go on"}])
    assert [item["type"] for item in items] == ["reasoning", "message"]
    assert to_messages(items) == [{"role": "user", "content": "go on"}]


def test_a_reference_stands_for_what_it_names():
    """And must name something."""
    given = [{"type": "item_reference", "id": "msg_a"}, {"id": "msg_b"}]
    assert references(given) == ["msg_a", "msg_b"]
    (stored,) = read("x")
    assert read(given[:1], {"msg_a": stored}) == [stored]
    with pytest.raises(BadRequest, match="no stored item 'msg_a'") as caught:
        read(given)
    assert caught.value.param == "input[0].id"


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "web_search_call", "id": "ws_1"}, "input[0].type"),
        ({"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}, "input[0].content[0].type"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}, "input[0].content[0].file_id"),
        ({"role": "user", "content": [{"type": "output_text", "text": "x"}]}, "input[0].content[0].type"),
        (
            {"role": "user", "content": [{"type": "input_text", "text": "x", "prompt_cache_breakpoint": {}}]},
            "input[0].content[0].prompt_cache_breakpoint",
        ),
        ({"type": "reasoning", "summary": [], "encrypted_content": "x"}, "input[0].encrypted_content"),
        (
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "", "namespace": "n"},
            "input[0].namespace",
        ),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": "u"}]},
            "input[0].output[0]",
        ),
    ],
)
def test_what_no_engine_reads_is_refused_by_name(item, param):
    """Never dropped in silence."""
    with pytest.raises(UnsupportedParameter) as caught:
        read([item])
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"role": "poet", "content": "x"}, "input[0].role"),
        ({"role": "user"}, "input[0]"),
        ({"role": "user", "content": [{"type": "input_text"}]}, "input[0].content[0].text"),
        ({"role": "user", "content": "x", "id": "a b"}, "input[0].id"),
        ({"type": "function_call", "call_id": "c", "name": 3, "arguments": ""}, "input[0].name"),
    ],
)
def test_a_malformed_item_is_named_by_its_path(item, param):
    """So that a caller finds it in a long list."""
    with pytest.raises(BadRequest) as caught:
        read([item])
    assert caught.value.param == param


def test_the_oldest_quarter_goes_first():
    """Instructions and the last message stay."""
    chat = [{"role": "system"}, *({"role": "user", "n": n} for n in range(8))]
    shorter = without_oldest(chat)
    assert shorter == [chat[0], *chat[3:]]
    assert without_oldest([chat[0], chat[1]]) is None


def test_an_answer_goes_with_its_call():
    """A tool's message without its call is none that a model could read."""
    chat = [{"role": "assistant"}, {"role": "tool"}, {"role": "tool"}, {"role": "user"}]
    assert without_oldest(chat) == [{"role": "user"}]
