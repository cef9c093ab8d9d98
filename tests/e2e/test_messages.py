"""Anthropic's official client against the whole service: real engines, real weights."""

import json

import anthropic
import pytest

HELLO = [{"role": "user", "content": "Hello! What is a file?"}]


@pytest.fixture
def client(service):
    """A client with the key that the first start printed."""
    with anthropic.Anthropic(api_key=service.key, base_url=service.url, max_retries=0) as made:
        yield made


def test_the_starter_answers_in_anthropics_dialect(client, starter):
    """Whole and streamed, with usage that adds up and a reason to stop."""
    whole = client.messages.create(model=starter, max_tokens=16, messages=HELLO)
    with client.messages.stream(model=starter, max_tokens=16, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert whole.content[0].text
    assert final.content[0].text == text
    for message in (whole, final):
        assert message.stop_reason in {"end_turn", "max_tokens"}
        assert 0 < message.usage.output_tokens <= 16
        assert message.usage.input_tokens + message.usage.cache_read_input_tokens > 0


def test_a_schema_is_obeyed(client, starter):
    """The output's form is kept by the engine."""
    schema = {
        "type": "object",
        "properties": {"answer": {"enum": ["yes", "no"]}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    form = {"format": {"type": "json_schema", "schema": schema}}
    message = client.messages.create(model=starter, max_tokens=60, messages=HELLO, output_config=form)
    assert json.loads(message.content[0].text)["answer"] in {"yes", "no"}


def test_a_message_is_in_the_log_under_its_id(client, service):
    """What the client calls the request is what the house calls it."""
    message = client.messages.create(model="echo", max_tokens=16, messages=HELLO)
    logged = service.logged(message._request_id)
    assert logged["outcome"] == "completed"
    assert logged["deployment"] == "echo"
    assert "file" in message.content[0].text


def test_refusals_of_the_service_raise_the_right_class(client, service):
    """A wrong key, an unknown deployment and a body that is no message."""
    asked = {"model": "echo", "max_tokens": 16, "messages": HELLO}
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(**asked | {"model": "nothing"})
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        client.messages.create(**asked | {"max_tokens": 0})
    stranger = anthropic.Anthropic(api_key="pk_wrong", base_url=service.url, max_retries=0)
    with stranger, pytest.raises(anthropic.AuthenticationError):
        stranger.messages.create(**asked)
