"""Responses and conversations with OpenAI's official client, sync and async, over the whole service."""

import asyncio

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

CLOCK = {
    "type": "function",
    "name": "clock",
    "description": "Tells the time.",
    "parameters": {
        "type": "object",
        "properties": {"zone": {"type": "string"}},
        "required": ["zone"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Town(BaseModel):
    """A form that an answer can have."""

    name: str
    people: int


@pytest.fixture
def client(service):
    with OpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=0) as opened:
        yield opened


@pytest.fixture
def azure(service):
    made = openai.AzureOpenAI(azure_endpoint=service.url, api_key=service.key, api_version="2025-03-01-preview")
    with made as opened:
        yield opened


def test_a_response_is_answered_kept_listed_and_deleted(client):
    """Everything that the client can do with one."""
    made = client.responses.create(model="echo", input="hello there", metadata={"a": "b"}, instructions="be kind")
    assert made.output_text == "hello there"
    assert (made.status, made.metadata, made.model) == ("completed", {"a": "b"}, "echo")
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens > 0
    assert client.responses.retrieve(made.id).to_dict() == made.to_dict()
    (item,) = client.responses.input_items.list(made.id).data
    assert item.content[0].text == "hello there"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError, match=made.id):
        client.responses.retrieve(made.id)


def test_a_response_is_metered_as_one_request(client, service):
    """Who served it is in the headers, what it cost in the log."""
    raw = client.responses.with_raw_response.create(model="echo", input="count me")
    assert raw.headers["x-primeur-deployment"] == "echo"
    logged = service.logged(raw.headers["x-request-id"])
    assert logged["outcome"] == "completed"
    assert logged["output_tokens"] == raw.parse().usage.output_tokens


def test_a_stream_tells_every_event_and_ends_with_what_is_kept(client):
    """The client's own accumulator agrees with the server."""
    with client.responses.stream(model="echo", input="one two three") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-1] == "response.completed"
    assert final.output_text == "one two three"
    assert client.responses.retrieve(final.id).output_text == "one two three"


def test_responses_build_on_one_another(client):
    """By the id of the one before."""
    first = client.responses.create(model="echo", input="one")
    second = client.responses.create(model="echo", input="two", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > first.usage.input_tokens
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="echo", input="two", previous_response_id="resp_nowhere")
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


def test_what_is_not_stored_cannot_be_fetched(client):
    """`store=False` keeps nothing."""
    made = client.responses.create(model="echo", input="secret", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_a_function_is_called_and_answered(client):
    """The whole round, streamed and not."""
    first = client.responses.create(model="echo", input="[[call=clock]] what time is it", tools=[CLOCK])
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert (call.name, call.status) == ("clock", "completed")
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "noon"}
    second = client.responses.create(model="echo", input=[output], previous_response_id=first.id, tools=[CLOCK])
    assert second.output_text == "noon"
    with client.responses.stream(model="echo", input="[[call=clock]] x", tools=[CLOCK]) as stream:
        kinds = {event.type for event in stream}
    assert {"response.function_call_arguments.delta", "response.function_call_arguments.done"} <= kinds


def test_an_answer_has_the_form_that_was_asked_for(client):
    """The client parses it into its own type."""
    parsed = client.responses.parse(model="echo", input="a town", text_format=Town)
    assert isinstance(parsed.output_parsed, Town)


def test_probabilities_come_when_they_are_included(client):
    """For every token of the text."""
    made = client.responses.create(
        model="echo", input="one two", include=["message.output_text.logprobs"], top_logprobs=2
    )
    part = made.output[0].content[0]
    assert "".join(one.token for one in part.logprobs) == part.text
    assert len(part.logprobs[0].top_logprobs) == 2


def test_an_answer_cut_short_says_why(client):
    """Incomplete, with the reason."""
    made = client.responses.create(model="echo", input="word " * 100, max_output_tokens=16)
    assert (made.status, made.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_a_target_that_breaks_off_in_mid_stream_leaves_a_failed_response(client):
    """It can be fetched, with what came until then."""
    events = list(client.responses.create(model="echo", input="[[error_after=2]] one two three", stream=True))
    assert events[-1].type == "response.failed"
    assert client.responses.retrieve(events[-1].response.id).status == "failed"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"background": True}, "background"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"include": ["reasoning.encrypted_content"]}, "include[0]"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"extra_body": {"surprise": 1}}, "surprise"),
        ({"temperature": 3}, "temperature"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0].type",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(client, fields, param):
    """With the client's own error."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**{"model": "echo", "input": "hi", **fields})
    assert caught.value.param == param


def test_only_what_can_be_done_with_a_kept_response_is_done(client):
    """Cancelling and streaming it again are refused."""
    made = client.responses.create(model="echo", input="x")
    with pytest.raises(openai.BadRequestError, match="background"):
        client.responses.cancel(made.id)
    with pytest.raises(openai.BadRequestError, match="'stream' is not supported"):
        client.responses.retrieve(made.id, stream=True)
    with pytest.raises(openai.NotFoundError, match="model 'nothing'"):
        client.responses.create(model="nothing", input="x")


def test_what_is_too_long_is_shortened_on_request(client, service):
    """From its beginning."""
    service.deploy("narrow", engine="echo", settings={"context_tokens": 64})
    items = [{"role": "user", "content": f"message number {n}"} for n in range(30)]
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="narrow", input=items)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "input")
    assert client.responses.create(model="narrow", input=items, truncation="auto").output_text == "message number 29"


def test_a_conversation_holds_what_was_said(client):
    """Made, read, changed, added to, answered in, deleted."""
    made = client.conversations.create(metadata={"a": "b"}, items=[{"role": "user", "content": "zero"}])
    client.responses.create(model="echo", input="one", conversation=made.id)
    listed = client.conversations.items.list(made.id, order="asc").data
    assert [item.content[0].text for item in listed] == ["zero", "one", "one"]
    added = client.conversations.items.create(made.id, items=[{"role": "user", "content": "two"}])
    got = client.conversations.items.retrieve(added.data[0].id, conversation_id=made.id)
    assert got.content[0].text == "two"
    client.conversations.items.delete(got.id, conversation_id=made.id)
    pages = [item.id for item in client.conversations.items.list(made.id, limit=2)]
    assert len(pages) == 3
    assert client.conversations.update(made.id, metadata={"c": "d"}).metadata == {"c": "d"}
    assert client.conversations.retrieve(made.id).metadata == {"c": "d"}
    assert client.conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(made.id)


def test_another_project_sees_nothing(client, service):
    """Not even that it exists."""
    made = client.responses.create(model="echo", input="mine")
    service.manage("POST", "/projects", {"name": "elsewhere"})
    other = OpenAI(
        base_url=f"{service.url}/v1", api_key=service.make_key("foreign", project="elsewhere"), max_retries=0
    )
    with other, pytest.raises(openai.NotFoundError):
        other.responses.retrieve(made.id)


def test_azure_s_client_finds_the_same_doors(azure):
    """Under Azure's paths and with Azure's errors."""
    made = azure.responses.create(model="echo", input="hello")
    assert azure.responses.retrieve(made.id).output_text == "hello"
    with pytest.raises(openai.BadRequestError):
        azure.responses.create(model="echo", input="hello", background=True)


def test_no_guard_is_configured(client):
    """An empty verdict would read as harmless."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.moderations.create(model="echo", input="is this fine?")
    assert caught.value.code == "no_guard_configured"


async def test_the_async_client_does_the_same(service):
    """Many at once, whole and streamed, and one that hangs up."""
    async with AsyncOpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=0) as client:
        answers = await asyncio.gather(*(client.responses.create(model="echo", input=f"number {n}") for n in range(16)))
        assert [one.output_text for one in answers] == [f"number {n}" for n in range(16)]
        async with client.responses.stream(model="echo", input="a b c") as stream:
            final = await stream.get_final_response()
        assert (await client.responses.retrieve(final.id)).output_text == "a b c"
        hung = await client.responses.create(model="echo", input="[[token_ms=50]] " + "word " * 200, stream=True)
        first = await anext(aiter(hung))
        await hung.close()
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(first.response.id)


def test_the_starter_answers_responses(client, starter):
    """Real weights, whole and streamed."""
    made = client.responses.create(model=starter, input="What is a compiler?", max_output_tokens=24, temperature=0)
    assert made.status in {"completed", "incomplete"}
    with client.responses.stream(
        model=starter, input="What is a compiler?", max_output_tokens=24, temperature=0
    ) as stream:
        assert stream.get_final_response().usage.output_tokens > 0
