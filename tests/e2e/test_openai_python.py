"""OpenAI's own Python client, sync and async, against the real process: everything that may be said on the wire."""

import asyncio
import base64
import inspect
import json
import struct
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

HELLO: list[Any] = [{"role": "user", "content": "one two three four"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


class Blocking:
    """The async client, used as if it were the sync one; a stream comes as a list."""

    def __init__(self, thing: Any, runner: asyncio.Runner) -> None:
        self._thing, self._runner = thing, runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        return found if isinstance(found, str | int) else Blocking(found, self._runner)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._runner.run(self._called(args, options))

    async def _called(self, args: Any, options: Any) -> Any:
        result = self._thing(*args, **options)
        if inspect.isawaitable(result):
            result = await result
        return [chunk async for chunk in result] if isinstance(result, openai.AsyncStream) else result


@pytest.fixture(params=["sync", "async"])
def make_client(request, service) -> Iterator[Any]:
    """Makes a client for a key; every test runs with both kinds."""
    made: list[Any] = []
    with asyncio.Runner() as runner:

        def make(key: str = service.key, **options: Any) -> Any:
            common = {"base_url": f"{service.url}/v1", "api_key": key, "max_retries": 0, "timeout": 30, **options}
            if request.param == "sync":
                made.append(openai.OpenAI(**common))
                return made[-1]
            made.append(Blocking(openai.AsyncOpenAI(**common), runner))
            return made[-1]

        yield make
        for client in made:
            client.close()


@pytest.fixture
def client(make_client):
    return make_client()


def chat(client: Any, *words: str, **options: Any) -> ChatCompletion:
    messages = [{"role": "user", "content": word} for word in words] or HELLO
    return client.chat.completions.create(model="echo", messages=messages, **options)


def pieces(client: Any, **options: Any) -> list[Any]:
    return list(client.chat.completions.create(**{"model": "echo", "messages": HELLO, "stream": True, **options}))


# --- models -----------------------------------------------------------------------------------------------------------


def test_models_are_listed_and_shown(client):
    """By the names that can be asked."""
    assert "echo" in [model.id for model in client.models.list().data]
    model = client.models.retrieve("echo")
    assert (model.id, model.object) == ("echo", "model")
    assert model.created > 1_600_000_000
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nobody")
    assert caught.value.code == "model_not_found"


# --- chat -------------------------------------------------------------------------------------------------------------


def test_a_chat_is_answered_with_usage_and_who_served(client):
    """The request's id is in header and log, what we add is under one key."""
    answer = chat(client)
    assert answer.choices[0].message.content == "one two three four"
    assert (answer.choices[0].finish_reason, answer.model, answer.object) == ("stop", "echo", "chat.completion")
    assert answer.usage.completion_tokens == 4
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 4
    assert answer._request_id.startswith("req_")
    assert answer.primeur["request_id"] == answer._request_id
    assert answer.primeur["cost_nanos"] is None


def test_every_role_and_form_of_a_message_is_taken(client):
    """Text or parts, with names, tool calls and tools' answers between them."""
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    answer = client.chat.completions.create(
        model="echo",
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "name": "ann", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny, 21 °C"},
        ],
    )
    assert answer.choices[0].message.content == "sunny, 21 °C"


def test_several_choices_are_given(client):
    """Each with its index; usage counts all of them."""
    answer = chat(client, n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert answer.usage.completion_tokens >= 12
    indexes = {choice.index for chunk in pieces(client, n=3) for choice in chunk.choices}
    assert indexes == {0, 1, 2}


@pytest.mark.parametrize("stop", ["three", ["x", "three", "four"]])
def test_an_answer_ends_before_a_stop_word(client, stop):
    """Given as a text or as up to four."""
    answer = chat(client, stop=stop)
    assert answer.choices[0].message.content.strip() == "one two"
    assert answer.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_answer_is_no_longer_than_allowed(client, name):
    """By the old name and by the new one."""
    answer = chat(client, **{name: 2})
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("one two", "length")


def test_a_seed_makes_answers_repeatable(client):
    """The same seed gives the same log-probabilities, another one others."""

    def probabilities(seed):
        return [one.logprob for one in chat(client, logprobs=True, seed=seed).choices[0].logprobs.content]

    assert probabilities(1) == probabilities(1) != probabilities(2)


@pytest.mark.parametrize("streams", [False, True])
def test_log_probabilities_come_with_their_alternatives(client, streams):
    """As many as were asked for, the likeliest first; bytes are the token's own."""
    if streams:
        chunks = pieces(client, logprobs=True, top_logprobs=3)
        content = [one for chunk in chunks for choice in chunk.choices if choice.logprobs
                   for one in choice.logprobs.content]  # fmt: skip
    else:
        content = chat(client, logprobs=True, top_logprobs=3).choices[0].logprobs.content
    assert "".join(one.token for one in content) == "one two three four"
    for one in content:
        assert [other.logprob for other in one.top_logprobs] == sorted(
            (o.logprob for o in one.top_logprobs), reverse=True
        )
        assert len(one.top_logprobs) == 3
        assert bytes(one.bytes).decode() == one.token


@pytest.mark.parametrize(
    "sampling",
    [
        {"temperature": 0.7, "top_p": 0.9},
        {"frequency_penalty": -1.5, "presence_penalty": 2},
        {"logit_bias": {"42": -100}},
        {"user": "ann", "safety_identifier": "a1", "metadata": {"a": "b"}, "prompt_cache_key": "k"},
        {"store": False, "service_tier": "auto"},
        {"reasoning_effort": "low", "verbosity": "low"},
        {"extra_body": {"top_k": 40, "min_p": 0.05, "repeat_penalty": 1.1}},
    ],
)
def test_samplers_and_labels_are_taken(client, sampling):
    """OpenAI's, and those of open engines."""
    assert chat(client, **sampling).choices[0].message.content == "one two three four"


# --- tools ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
def test_a_tool_is_called(client, choice):
    """With arguments that obey its schema."""
    answer = chat(client, tools=[TOOL], tool_choice=choice).choices[0]
    assert answer.finish_reason in {"tool_calls", "stop"}
    (call,) = answer.message.tool_calls
    assert (call.type, call.function.name) == ("function", "get_weather")
    assert json.loads(call.function.arguments)["unit"] in {"c", "f"}


def test_no_tool_is_called_where_none_may_be(client):
    """`none` means none."""
    assert chat(client, "[[call]] hello", tools=[TOOL], tool_choice="none").choices[0].message.tool_calls is None


def test_tools_are_called_side_by_side_unless_that_is_forbidden(client):
    """`parallel_tool_calls` decides."""
    wish = "[[call]] [[calls=3]] hello"
    assert len(chat(client, wish, tools=[TOOL]).choices[0].message.tool_calls) == 3
    answer = chat(client, wish, tools=[TOOL], parallel_tool_calls=False)
    assert len(answer.choices[0].message.tool_calls) == 1


def test_tool_calls_stream_in_pieces_that_fit_together(client):
    """Names and ids first, arguments bit by bit, each at its index."""
    arguments: dict[int, str] = {}
    names: dict[int, str] = {}
    messages = [{"role": "user", "content": "[[call]] [[calls=2]] hello"}]
    for chunk in pieces(client, messages=messages, tools=[TOOL]):
        for call in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            names[call.index] = names.get(call.index) or call.function.name
            arguments[call.index] = arguments.get(call.index, "") + (call.function.arguments or "")
    assert names == {0: "get_weather", 1: "get_weather"}
    assert all("city" in json.loads(text) for text in arguments.values())


# --- forms ------------------------------------------------------------------------------------------------------------


class Meeting(BaseModel):
    """What the parse helper turns into a strict JSON schema."""

    title: str
    kind: Literal["call", "visit"]
    guests: list[str]


def test_an_answer_is_parsed_into_a_type(client):
    """`.parse()` sends a schema, and the answer obeys it."""
    answer = client.chat.completions.parse(model="echo", messages=HELLO, response_format=Meeting)
    parsed = answer.choices[0].message.parsed
    assert isinstance(parsed, Meeting)
    assert parsed.kind in {"call", "visit"}


def test_an_answer_is_a_json_object(client):
    """When nothing more is asked for."""
    answer = chat(client, response_format={"type": "json_object"})
    assert isinstance(json.loads(answer.choices[0].message.content), dict)


# --- streams ----------------------------------------------------------------------------------------------------------


def test_a_stream_is_the_answer_in_pieces(client):
    """Role first, a reason last, no usage unless it was asked for."""
    chunks = pieces(client)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two three four"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_ends_with_its_usage_when_asked(client):
    """In a chunk without choices, together with what we add."""
    chunks = pieces(client, stream_options={"include_usage": True})
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 4
    assert chunks[-1].primeur["deployment"] == "echo"
    assert all(chunk.usage is None for chunk in chunks[:-1])


# --- completions ------------------------------------------------------------------------------------------------------


def test_a_text_is_continued(client):
    """The older route, whole and streamed."""
    answer = client.completions.create(model="echo", prompt="one two three", max_tokens=2)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("one two", "length")
    assert answer.usage.prompt_tokens == 3
    chunks = list(client.completions.create(model="echo", prompt="one two three", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "one two three"


@pytest.mark.parametrize("prompt", [["a b", "c d"], [[1, 2], [3]], [1, 2, 3]])
def test_a_prompt_may_be_texts_tokens_or_lists_of_tokens(client, prompt):
    """One choice for each."""
    answer = client.completions.create(model="echo", prompt=prompt)
    assert len(answer.choices) == (2 if isinstance(prompt[0], str | list) else 1)


def test_a_gap_is_filled_between_prompt_and_suffix(client):
    """`suffix` says what comes after."""
    answer = client.completions.create(model="echo", prompt="def f():", suffix="return 1")
    assert "return 1" in answer.choices[0].text


def test_a_prompt_can_be_echoed_with_its_log_probabilities(client):
    """As evaluation harnesses ask for them: no new tokens, the first token without a probability."""
    answer = client.completions.create(model="echo", prompt="one two three", echo=True, logprobs=2, max_tokens=0)
    choice = answer.choices[0]
    assert choice.text == "one two three"
    assert choice.logprobs.tokens == ["one", " two", " three"]
    assert choice.logprobs.token_logprobs[0] is None
    assert choice.logprobs.text_offset == [0, 3, 7]
    assert len(choice.logprobs.top_logprobs[1]) == 2


# --- embeddings -------------------------------------------------------------------------------------------------------


def test_vectors_are_the_same_in_both_forms(client):
    """Base 64 is what the client asks for by itself; floats when told."""
    packed = client.embeddings.create(model="echo", input="hello")
    plain = client.embeddings.create(model="echo", input="hello", encoding_format="float")
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, rel=1e-6)
    assert packed.usage.prompt_tokens == 1
    raw = client.embeddings.with_raw_response.create(model="echo", input="hello", encoding_format="base64")
    body = json.loads(raw.text if isinstance(raw.text, str) else raw.content)
    binary = base64.b64decode(body["data"][0]["embedding"])
    assert struct.unpack(f"<{len(binary) // 4}f", binary) == pytest.approx(plain.data[0].embedding, rel=1e-6)


@pytest.mark.parametrize("given", [["a", "b"], [[1, 2], [3]], [7, 8, 9]])
def test_many_texts_or_tokens_become_vectors_in_order(client, given):
    """Of the size that was asked for."""
    answer = client.embeddings.create(model="echo", input=given, dimensions=16)
    count = 2 if isinstance(given[0], str | list) else 1
    assert [one.index for one in answer.data] == list(range(count))
    assert all(len(one.embedding) == 16 for one in answer.data)


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"extra_body": {"temprature": 1}}, "temprature", "unknown_parameter"),
        ({"temperature": 3}, "temperature", None),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", None),
        ({"messages": []}, "messages", None),
        ({"max_tokens": -1}, "max_tokens", None),
        ({"n": 0}, "n", None),
        ({"logprobs": "yes"}, "logprobs", None),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs", None),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", None),
        ({"response_format": {"type": "xml"}}, "response_format.type", None),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", None),
        ({"extra_body": {"grammar": "root ::= 'x'"}}, "grammar", "unsupported_parameter"),
        ({"tool_choice": {"type": "function", "function": {"name": "no"}}, "tools": [TOOL]}, "tool_choice", None),
    ],
)
def test_a_bad_request_names_its_fault(client, change, param, code):
    """With the path to it, so that nobody has to search."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**{"model": "echo", "messages": HELLO, **change})
    assert caught.value.param == param
    assert code is None or caught.value.code == code
    assert caught.value.type == "invalid_request_error"
    assert caught.value.request_id.startswith("req_")


def test_a_prompt_that_is_too_long_is_refused_as_such(client):
    """With the code that front ends look for to shorten it."""
    with pytest.raises(openai.BadRequestError) as caught:
        chat(client, "word " * 40_000)
    assert caught.value.code == "context_length_exceeded"


def test_an_unknown_model_is_not_found(client):
    """And is named."""
    with pytest.raises(openai.NotFoundError, match="nobody") as caught:
        client.chat.completions.create(model="nobody", messages=HELLO)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize("key", ["pk_wrong", "sk-foreign", "é"])
def test_a_wrong_key_is_not_authenticated(make_client, key):
    """Whatever it looks like."""
    if not key.isascii():
        pytest.skip("the client itself refuses such a key")
    with pytest.raises(openai.AuthenticationError) as caught:
        chat(make_client(key))
    assert caught.value.code == "invalid_api_key"
    assert key not in caught.value.message


def test_a_key_that_may_not_is_told_so(service, make_client, request):
    """No inference for an auditor."""
    key = service.make_key(f"auditor-{request.node.callspec.id}", role="auditor")
    with pytest.raises(openai.PermissionDeniedError) as caught:
        chat(make_client(key))
    assert caught.value.code == "permission_denied"


def test_a_key_for_other_deployments_cannot_use_this_one(service, make_client, request):
    """What it may not use is neither listed nor answered."""
    service.deploy("other", engine="echo")
    client = make_client(service.make_key(f"other-{request.node.callspec.id}", deployments=["other"]))
    assert [model.id for model in client.models.list().data] == ["other"]
    with pytest.raises((openai.PermissionDeniedError, openai.NotFoundError)):
        chat(client)


def test_a_limit_tells_when_to_come_back(service, make_client, request):
    """In the headers that the client reads before it tries again."""
    client = make_client(service.make_key(f"slow-{request.node.callspec.id}", rpm=1))
    raw = client.chat.completions.with_raw_response.create(model="echo", messages=HELLO)
    assert raw.headers["x-ratelimit-limit-requests"] == "1"
    assert raw.headers["x-ratelimit-remaining-requests"] == "0"
    with pytest.raises(openai.RateLimitError) as caught:
        chat(client)
    assert caught.value.code == "rate_limit_exceeded"
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 61
    assert 0 < int(caught.value.response.headers["retry-after-ms"]) <= 61_000


def test_tokens_are_limited_before_they_are_made(service, make_client, request):
    """The longest answer that was asked for counts until the real one is known."""
    client = make_client(service.make_key(f"small-{request.node.callspec.id}", tpm=100))
    assert chat(client, max_tokens=20)
    with pytest.raises(openai.RateLimitError) as caught:
        chat(client, max_tokens=99)
    assert caught.value.type == "tokens"


@pytest.mark.parametrize(
    ("wish", "kind", "status"),
    [
        ("[[status=500]]", openai.InternalServerError, 502),
        ("[[status=503]]", openai.InternalServerError, 502),
        ("[[status=401]]", openai.InternalServerError, 502),
        ("[[garbage]]", openai.InternalServerError, 502),
        ("[[cut_after=0]]", openai.InternalServerError, 502),
        ("[[status=422]]", openai.BadRequestError, 400),
        ("[[status=429]] [[retry_after_ms=1500]]", openai.RateLimitError, 429),
    ],
)
def test_a_target_that_fails_is_told_by_class(client, wish, kind, status):
    """Ours to answer for: the caller can't know the engine."""
    with pytest.raises(kind) as caught:
        chat(client, f"{wish} hello")
    assert caught.value.status_code == status
    if status == 429:
        assert caught.value.response.headers["retry-after-ms"] == "1500"


@pytest.mark.parametrize("wish", ["[[cut_after=2]]", "[[malformed_after=2]]", "[[error_after=2]]"])
def test_a_stream_that_breaks_says_so(client, wish):
    """After the first byte the fault is told in the stream: whose, and what to do; never where the engine listens."""
    with pytest.raises(
        openai.APIError, match=r"the answer of deployment 'echo' broke off: .*send the request again"
    ) as told:
        pieces(client, messages=[{"role": "user", "content": f"{wish} one two three four"}])
    assert "127.0.0.1" not in str(told.value)


def test_a_caller_who_hangs_up_pays_for_what_was_made(service):
    """The request is in the log as cancelled, with the tokens that left."""
    options = {"base_url": f"{service.url}/v1", "api_key": service.key, "max_retries": 0}
    messages: Any = [{"role": "user", "content": "[[token_ms=200]] a b c d e f g h i j k l m n o p"}]
    with openai.OpenAI(**options) as client:
        stream = client.chat.completions.create(model="echo", messages=messages, stream=True)
        request_id = stream.response.headers["x-request-id"]
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        stream.close()
    logged = service.logged(request_id)
    assert logged["outcome"] == "cancelled"
    assert 0 < logged["output_tokens"] < 10
    assert logged["input_tokens"] > 0


def test_what_is_metered_is_what_was_told(service, client):
    """Usage in the answer and usage in the log are the same numbers."""
    answer = chat(client, "[[cached=2]] alpha beta gamma")
    logged = service.logged(answer._request_id)
    assert (logged["outcome"], logged["key"]) == ("completed", "default")
    assert logged["input_tokens"] == answer.usage.prompt_tokens
    assert logged["cached_tokens"] == 2
    assert logged["output_tokens"] == answer.usage.completion_tokens
