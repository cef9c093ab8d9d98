"""What every engine must do over real HTTP, whatever it runs."""

import base64
import math
import struct

import msgspec
import pytest
from speaking import Speaker, joined

from primeur.core.errors import BadRequest, CallerError, ContextTooLong, UnsupportedParameter

SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "size": {"enum": ["s", "m"]}},
    "required": ["ok", "size"],
    "additionalProperties": False,
}
TOOLS = [
    {"type": "function", "function": {"name": "paint", "parameters": SCHEMA}},
    {"type": "function", "function": {"name": "wait", "parameters": {"type": "object", "properties": {}}}},
]


def adds_up(usage: dict) -> bool:
    """Whether a usage block is whole."""
    return usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


async def test_a_chat_is_answered(engine: Speaker) -> None:
    """One choice with text, a reason to end and whole usage."""
    answer = await engine.chat(max_tokens=4)
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["role"] == "assistant"
    assert answer["choices"][0]["finish_reason"] in {"stop", "length"}
    assert adds_up(answer["usage"])


async def test_a_chat_streams(engine: Speaker) -> None:
    """Deltas, one finish reason, one usage chunk at the end."""
    chunks = await engine.chat(max_tokens=4, temperature=0, stream=True, stream_options={"include_usage": True})
    whole = await engine.chat(max_tokens=4, temperature=0)
    assert joined(chunks) == whole["choices"][0]["message"]["content"]
    assert [c["finish_reason"] for chunk in chunks for c in chunk["choices"] if c["finish_reason"]] == [
        whole["choices"][0]["finish_reason"]
    ]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"]
    assert chunks[-1]["usage"]["prompt_tokens"] == whole["usage"]["prompt_tokens"]


async def test_usage_is_left_out_unless_asked_for(engine: Speaker) -> None:
    """Without include_usage the stream ends with its finish reason."""
    for chunks in (await engine.chat(max_tokens=3, stream=True), await engine.text(max_tokens=3, stream=True)):
        assert all("usage" not in chunk for chunk in chunks)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_an_answer_ends_at_its_limit(engine: Speaker, name: str) -> None:
    """No more tokens than asked for, and the reason says so."""
    answer = await engine.chat("one two three four five", ignore_eos=True, **{name: 2})
    assert answer["usage"]["completion_tokens"] == 2
    assert answer["choices"][0]["finish_reason"] == "length"


async def test_several_answers_are_counted_exactly(engine: Speaker) -> None:
    """Usage holds the tokens of all choices, and the prompt once."""
    one = await engine.chat("one two three four", max_tokens=3)
    many = await engine.chat("one two three four", max_tokens=3, n=5, ignore_eos=True)
    assert [choice["index"] for choice in many["choices"]] == [0, 1, 2, 3, 4]
    assert many["usage"]["prompt_tokens"] == one["usage"]["prompt_tokens"]
    assert many["usage"]["completion_tokens"] == 15
    assert adds_up(many["usage"])


async def test_several_answers_stream_side_by_side(engine: Speaker) -> None:
    """Each choice has its own text and end; usage comes once."""
    asked = {"stream": True, "stream_options": {"include_usage": True}, "ignore_eos": True}
    chunks = await engine.chat("one two three", max_tokens=2, n=3, **asked)
    ends = [c["index"] for chunk in chunks for c in chunk["choices"] if c["finish_reason"]]
    assert sorted(ends) == [0, 1, 2]
    assert sum("usage" in chunk for chunk in chunks) == 1
    assert chunks[-1]["usage"]["completion_tokens"] == 6
    assert len({chunk["id"] for chunk in chunks}) == 1


async def test_several_prompts_are_counted_exactly(engine: Speaker) -> None:
    """Usage of a list of prompts is the sum of theirs."""
    each = [await engine.text(prompt, max_tokens=2) for prompt in ("one two", "three four five six")]
    both = await engine.text(["one two", "three four five six"], max_tokens=2, n=2, ignore_eos=True)
    assert len(both["choices"]) == 4
    assert both["usage"]["prompt_tokens"] == sum(answer["usage"]["prompt_tokens"] for answer in each)
    assert both["usage"]["completion_tokens"] == 8


async def test_a_seed_repeats_an_answer(engine: Speaker) -> None:
    """The same seed gives the same text, or is refused by name."""
    if not engine.draws_apart:
        with pytest.raises(UnsupportedParameter, match="seed"):
            await engine.chat(seed=11)
        return
    twice = [await engine.chat(seed=11, temperature=1.2, max_tokens=6) for _ in range(2)]
    assert twice[0]["choices"] == twice[1]["choices"]


async def test_a_stop_word_ends_an_answer(engine: Speaker) -> None:
    """Neither the stop word nor what follows is in the text."""
    whole = (await engine.chat("one two three four", temperature=0, max_tokens=12))["choices"][0]
    text = whole["message"]["content"]
    # A model with random weights may begin with half a character, which a stop word cannot name.
    places = [place for place in range(1, len(text)) if text[place].isascii()]
    if not places:
        pytest.skip("this model said nothing that a stop word could name")
    word = text[places[0]]
    cut = (await engine.chat("one two three four", temperature=0, max_tokens=12, stop=[word]))["choices"][0]
    assert cut["message"]["content"] == text[: text.index(word)]
    assert cut["finish_reason"] == "stop"


async def test_log_probabilities_of_a_chat(engine: Speaker) -> None:
    """One entry for each token of the text, with as many alternatives as asked for, or a refusal by name."""
    for count in (None, 2):
        if count and not engine.ranks_tokens:
            with pytest.raises(UnsupportedParameter, match="top_logprobs"):
                await engine.chat("one", logprobs=True, top_logprobs=count)
            continue
        answer = await engine.chat("one two three", logprobs=True, top_logprobs=count, max_tokens=3, ignore_eos=True)
        entries = answer["choices"][0]["logprobs"]["content"]
        assert 0 < len(entries) <= 3
        assert all(entry["logprob"] <= 0 for entry in entries)
        assert all(len(entry["top_logprobs"]) == (count or 0) for entry in entries)


@pytest.mark.parametrize("stream", [False, True])
async def test_log_probabilities_of_a_completion(engine: Speaker, stream: bool) -> None:
    """The legacy form: tokens, their log-probabilities, alternatives and offsets, all of one length."""
    count = 1 if engine.ranks_tokens else 0
    answer = await engine.text("one two three", logprobs=count, max_tokens=3, stream=stream, ignore_eos=True)
    parts = answer if stream else [answer]
    forms = [c["logprobs"] for part in parts for c in part["choices"] if c.get("logprobs")]
    form = {name: [x for part in forms for x in part[name]] for name in forms[0]}
    assert set(form) == {"tokens", "token_logprobs", "top_logprobs", "text_offset"}
    assert len({len(part) for part in form.values()}) == 1
    assert form["text_offset"] == sorted(form["text_offset"])
    assert form["text_offset"][0] == 0
    for token, probability, ranked in zip(form["tokens"], form["token_logprobs"], form["top_logprobs"], strict=True):
        # Parts of letters look alike, and vLLM ranks by what tokens look like.
        assert ranked[token] == probability or not token.strip("\ufffd")


async def test_a_completion_may_echo_its_prompt(engine: Speaker) -> None:
    """The text begins with the prompt, in a stream too, for each prompt its own."""
    whole = await engine.text(["one two", "three"], echo=True, max_tokens=2)
    assert [c["text"].startswith(p) for c, p in zip(whole["choices"], ["one two", "three"], strict=True)] == [True] * 2
    chunks = await engine.text("one two", echo=True, max_tokens=2, stream=True)
    assert joined(chunks).startswith("one two")


async def test_a_completion_takes_tokens(engine: Speaker) -> None:
    """A list of token numbers is a prompt of that length, a list of lists several."""
    assert (await engine.text([65, 66, 67], max_tokens=1))["usage"]["prompt_tokens"] == 3
    assert (await engine.text([[65, 66], [67]], max_tokens=1))["usage"]["prompt_tokens"] == 3


async def test_a_completion_streams_its_usage_apart(engine: Speaker) -> None:
    """As with OpenAI, usage has a chunk of its own without choices."""
    chunks = await engine.text(max_tokens=2, stream=True, stream_options={"include_usage": True}, ignore_eos=True)
    assert [("usage" in chunk, bool(chunk["choices"])) for chunk in chunks[-2:]] == [(False, True), (True, False)]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "paint"}}])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_is_called_when_it_must_be(engine: Speaker, choice: object, stream: bool) -> None:
    """The answer is a call of a known function, with arguments of the right form unless they were cut short."""
    asked = {"tools": TOOLS, "tool_choice": choice, "max_tokens": 200, "stream": stream}
    if not engine.calls_tools:
        with pytest.raises(UnsupportedParameter, match="tools"):
            await engine.chat("Paint something.", **asked)
        return
    asked["seed"] = 3
    answer = await engine.chat("Paint something.", **asked)
    if stream:
        assert "error" not in answer[-1], answer[-1]
        choices = [c for chunk in answer for c in chunk["choices"]]
        calls = [call for c in choices for call in c["delta"].get("tool_calls", [])]
        name = "".join(call["function"].get("name") or "" for call in calls)
        reason = next(c["finish_reason"] for c in choices if c["finish_reason"])
        assert not any(c["delta"].get("content") for c in choices)
        assert calls[0]["id"].startswith("call_")
    else:
        call = answer["choices"][0]["message"]["tool_calls"][0]
        name, reason = call["function"]["name"], answer["choices"][0]["finish_reason"]
    assert reason in {"tool_calls", "length"}
    assert name in ({"paint", "wait"} if choice == "required" else {"paint"})


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_obeys_its_schema(engine: Speaker, stream: bool) -> None:
    """What was finished is JSON of the form that was asked for."""
    form = {"type": "json_schema", "json_schema": {"name": "thing", "schema": SCHEMA, "strict": True}}
    if not engine.draws_apart:
        with pytest.raises(UnsupportedParameter, match="response_format"):
            await engine.chat("Describe it.", response_format=form, stream=stream)
        return
    answer = await engine.chat("Describe it.", response_format=form, max_tokens=300, seed=5, stream=stream)
    text = joined(answer) if stream else answer["choices"][0]["message"]["content"]
    finished = stream or answer["choices"][0]["finish_reason"] == "stop"
    if stream:
        finished = any(c["finish_reason"] == "stop" for chunk in answer for c in chunk["choices"])
    if finished:
        value = msgspec.json.decode(text)
        assert isinstance(value["ok"], bool)
        assert value["size"] in {"s", "m"}


async def test_too_long_a_prompt_is_named(engine: Speaker) -> None:
    """The caller is told that the context is too short; nothing is cut in silence."""
    with pytest.raises(ContextTooLong):
        await engine.chat("word " * 3000)
    with pytest.raises(ContextTooLong):
        await engine.text(["short", "word " * 3000], max_tokens=2)


@pytest.mark.parametrize(
    "fields",
    [
        {"audio": {"voice": "x", "format": "wav"}},
        {"functions": [{"name": "f"}]},
        {"prediction": {"type": "content", "content": "x"}},
        {"web_search_options": {}},
    ],
)
async def test_what_is_not_honoured_is_refused_by_name(engine: Speaker, fields: dict) -> None:
    """Nothing is ignored in silence."""
    with pytest.raises(UnsupportedParameter) as caught:
        await engine.chat(**fields)
    assert caught.value.param == next(iter(fields))


async def test_an_unknown_tool_choice_is_refused(engine: Speaker) -> None:
    """A function that is not among the tools cannot be called."""
    with pytest.raises(BadRequest):
        await engine.chat(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "nobody"}})


async def test_vectors_have_length_one_and_repeat(vector_engine: Speaker) -> None:
    """The same text gives the same unit vector; usage counts all inputs."""
    answer = await vector_engine.vectors(["a cat", "a dog", "a cat"])
    first, second, third = (entry["embedding"] for entry in answer["data"])
    assert math.isclose(sum(x * x for x in first), 1.0, rel_tol=1e-4)
    assert first == third != second
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] > 0


async def test_vectors_come_as_base64(vector_engine: Speaker) -> None:
    """The packed form holds the same numbers."""
    plain = (await vector_engine.vectors("a cat"))["data"][0]["embedding"]
    packed = base64.b64decode((await vector_engine.vectors("a cat", encoding_format="base64"))["data"][0]["embedding"])
    numbers = struct.unpack(f"<{len(plain)}f", packed)
    assert all(math.isclose(x, y, abs_tol=1e-6) for x, y in zip(plain, numbers, strict=True))


async def test_too_long_a_text_has_no_vector(vector_engine: Speaker) -> None:
    """An input beyond the context is the caller's fault, and told as such."""
    with pytest.raises(CallerError):
        await vector_engine.vectors("word " * 3000)
