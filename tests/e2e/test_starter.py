"""The starter deployment on its real weights, asked by OpenAI's own client: the same wire as the echo engine's."""

import json
import math
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel

HELLO: list[Any] = [{"role": "user", "content": "Hello! What can you do?"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 12}, "unit": {"enum": ["c", "f"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}


class Mood(BaseModel):
    """A small form, so that a small model can fill it within its tokens."""

    mood: Literal["good", "bad"]
    number: int


@pytest.fixture
def client(service, starter) -> Iterator[openai.OpenAI]:
    assert starter == "starter"
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=0, timeout=60) as made:
        yield made


def ask(client: openai.OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "starter", "messages": HELLO, "max_tokens": 24, "temperature": 0, **options}
    )


def test_a_chat_is_answered_out_of_real_weights(client):
    """With usage that adds up and the name that the caller used."""
    answer = ask(client)
    assert answer.choices[0].message.content.strip()
    assert answer.model == "starter"
    assert 0 < answer.usage.completion_tokens <= 24
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.primeur["provider"] == "llamacpp"


def test_a_stream_is_the_same_answer_in_pieces(client):
    """Greedy decoding makes both alike; the role comes first, the usage last."""
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == ask(client).choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage.completion_tokens > 0


def test_a_stop_word_ends_an_answer_before_it(client):
    """Whatever comes after it is never seen."""
    whole = ask(client).choices[0].message.content
    word = whole.split()[2]
    assert word not in ask(client, stop=word).choices[0].message.content


def test_several_choices_are_really_several(client):
    """At a temperature they differ; usage counts all of them."""
    answer = ask(client, n=3, temperature=1.5, seed=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) > 1


def test_a_seed_repeats_an_answer(client):
    """Also at a high temperature."""
    texts = {ask(client, temperature=1.5, seed=11).choices[0].message.content for _ in range(2)}
    assert len(texts) == 1


def test_log_probabilities_are_in_openais_form(client):
    """Each token with its alternatives, the chosen one likeliest at temperature 0."""
    content = ask(client, logprobs=True, top_logprobs=4, max_tokens=5).choices[0].logprobs.content
    assert len(content) in range(1, 6)
    for one in content:
        assert one.logprob <= 0
        assert len(one.top_logprobs) == 4
        assert one.top_logprobs[0].token == one.token


def test_a_schema_is_obeyed(client):
    """The grammar holds even a very small model to it."""
    answer = client.chat.completions.parse(model="starter", messages=HELLO, response_format=Mood, max_tokens=100)
    assert isinstance(answer.choices[0].message.parsed, Mood)


def test_a_json_object_is_one(client):
    """As far as the tokens go."""
    answer = ask(client, response_format={"type": "json_object"}, max_tokens=400)
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content), dict)


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
@pytest.mark.parametrize("streams", [False, True])
def test_a_tool_that_must_be_called_is_called(client, choice, streams):
    """With arguments that obey its schema, though the weights know no tools; never free text in its place."""
    answer = ask(client, tools=[TOOL], tool_choice=choice, max_tokens=200, stream=streams)
    if streams:
        deltas = [chunk.choices[0].delta for chunk in answer if chunk.choices]
        calls = [call for delta in deltas for call in delta.tool_calls or []]
        name, arguments = calls[0].function.name, "".join(call.function.arguments or "" for call in calls)
        assert not any(delta.content for delta in deltas)
    else:
        (call,) = answer.choices[0].message.tool_calls
        name, arguments = call.function.name, call.function.arguments
    assert name == "get_weather"
    assert json.loads(arguments)["unit"] in {"c", "f"}


def test_a_prompt_that_fits_the_promised_context_is_answered(client):
    """Real front ends send 16,000 tokens."""
    answer = ask(client, messages=[{"role": "user", "content": "word " * 9_000}], max_tokens=4)
    assert answer.usage.prompt_tokens > 9_000


def test_a_prompt_that_does_not_fit_is_refused(client):
    """By its code, before anything is cut."""
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, messages=[{"role": "user", "content": "one two three four five " * 8_000}])
    assert caught.value.code == "context_length_exceeded"


def test_a_text_is_continued_and_arrays_count_every_prompt(client):
    """Usage is of all prompts together."""
    one = client.completions.create(model="starter", prompt="The capital of", max_tokens=5, temperature=0)
    two = client.completions.create(model="starter", prompt=["The capital of"] * 2, max_tokens=5, temperature=0)
    assert one.choices[0].text
    assert len(two.choices) == 2
    assert two.usage.prompt_tokens == 2 * one.usage.prompt_tokens


def test_legacy_log_probabilities_are_in_the_legacy_form(client):
    """Lists side by side, not the chat's objects; or refused by name."""
    try:
        answer = client.completions.create(model="starter", prompt="The house", max_tokens=3, logprobs=2)
    except openai.BadRequestError as error:
        assert error.param == "logprobs"  # noqa: PT017 (either is honest)
        return
    logprobs = answer.choices[0].logprobs
    assert len(logprobs.tokens) == len(logprobs.token_logprobs) == len(logprobs.text_offset) > 0
    assert all(len(place) >= 2 for place in logprobs.top_logprobs)


@pytest.mark.parametrize("asked", [{"suffix": "the end"}, {"echo": True}, {"best_of": 2}])
def test_what_the_weights_or_the_engine_cannot_do_is_refused_or_done(client, asked):
    """Never ignored in silence."""
    (name,) = asked
    try:
        answer = client.completions.create(model="starter", prompt="The house", max_tokens=3, **asked)
    except openai.BadRequestError as error:
        assert error.param == name  # noqa: PT017 (either is honest)
        return
    assert name != "suffix" or answer.choices[0].text
    assert name != "echo" or answer.choices[0].text.startswith("The house")


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"audio": {"voice": "alloy", "format": "wav"}, "modalities": ["text", "audio"]}, None),
        ({"web_search_options": {}}, "web_search_options"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
        ({"extra_body": {"moderation": {"model": "m"}}}, "moderation"),
    ],
)
def test_what_no_engine_here_can_do_is_refused_by_name(client, asked, param):
    """Not swallowed."""
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, **asked)
    assert param is None or caught.value.param == param


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


@pytest.mark.parametrize("model", ["starter", "minilm"])
def test_texts_that_mean_the_same_have_vectors_that_are_near(client, model):
    """By their own name, or by that of the starter, whose embeddings they answer."""
    texts = ["A cat sleeps on the sofa.", "A kitten is asleep on the couch.", "Interest rates rose in March."]
    answer = client.embeddings.create(model=model, input=texts)
    cat, kitten, rates = (one.embedding for one in answer.data)
    assert len(cat) == 384
    assert cosine(cat, kitten) > 0.6 > cosine(cat, rates)
    assert answer.usage.prompt_tokens > 10


def test_a_chat_with_an_embedding_model_is_refused(client):
    """It says what the deployment can do."""
    with pytest.raises((openai.BadRequestError, openai.NotFoundError), match="minilm"):
        ask(client, model="minilm")
