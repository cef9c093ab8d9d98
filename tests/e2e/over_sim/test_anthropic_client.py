"""Anthropic's official client against the gateway, over real HTTP to a simulated provider and back."""

from contextlib import contextmanager

import anthropic
import pytest

pytestmark = pytest.mark.e2e

HELLO = [{"role": "user", "content": "Which way is north?"}]
TOOL = {
    "name": "weather",
    "description": "Tells the weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
def speak(over_sim):
    """Gives a context manager: a client of a gateway over a simulator that behaves as told."""

    @contextmanager
    def speaking(**behaviour):
        with (
            over_sim(**behaviour) as served,
            anthropic.Anthropic(api_key=served.key, base_url=served.url, max_retries=0) as client,
        ):
            yield client

    return speaking


@pytest.fixture
def client(speak):
    """A client of a gateway that behaves well."""
    with speak() as made:
        yield made


def test_a_message_is_answered(client):
    """Text, reason, usage and the caller's own name of the model."""
    message = client.messages.create(model="north", max_tokens=8, messages=HELLO, system="Be brief.")
    assert message.content[0].text
    assert (message.model, message.stop_reason) == ("north", "max_tokens")
    assert message.usage.output_tokens == 8
    assert message._request_id.startswith("req_")


def test_a_stream_gives_the_same_message(client):
    """The client puts together from events what the whole answer says."""
    asked = {"model": "north", "max_tokens": 12, "messages": HELLO}
    whole = client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text == final.content[0].text
    assert (final.stop_reason, final.usage.output_tokens) == (whole.stop_reason, 12)
    assert final.usage.input_tokens == whole.usage.input_tokens


@pytest.mark.parametrize("streams", [False, True])
def test_a_tool_is_called_and_its_result_heard(client, streams):
    """The call comes with its arguments as an object; its result leads to words."""
    asked = {"model": "north", "max_tokens": 64, "tools": [TOOL], "messages": HELLO}
    if streams:
        with client.messages.stream(**asked) as stream:
            called = stream.get_final_message()
    else:
        called = client.messages.create(**asked)
    use = next(block for block in called.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "rain"}
    history = [*HELLO, {"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
    heard = client.messages.create(**asked | {"messages": history})
    assert (called.stop_reason, use.name, isinstance(use.input["city"], str)) == ("tool_use", "weather", True)
    assert heard.content[0].type == "text"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"model": "south"}, anthropic.NotFoundError),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, anthropic.BadRequestError),
        ({"extra_body": {"top_k": 5}}, anthropic.BadRequestError),
        ({"extra_headers": {"authorization": "Bearer pk_wrong"}}, anthropic.AuthenticationError),
    ],
)
def test_refusals_raise_the_right_class(client, fields, error):
    """Each status and body is one that the client knows, with the request's id."""
    with pytest.raises(error) as caught:
        client.messages.create(**{"model": "north", "max_tokens": 8, "messages": HELLO} | fields)
    assert caught.value.body["type"] == "error"
    assert caught.value.request_id.startswith("req_")


def test_counting_ahead_is_refused(client):
    """A guess would be taken for a count."""
    with pytest.raises(anthropic.NotFoundError, match="cannot be counted ahead"):
        client.messages.count_tokens(model="north", messages=HELLO)


def test_a_busy_target_is_a_rate_limit(speak):
    """Back-pressure keeps its class and says when to come back."""
    with speak(capacity_tokens_per_minute=60, burst_s=1) as client:
        client.messages.create(model="north", max_tokens=64, messages=HELLO)
        with pytest.raises(anthropic.RateLimitError) as caught:
            client.messages.create(model="north", max_tokens=64, messages=HELLO)
    assert int(caught.value.response.headers["retry-after-ms"]) > 0


def test_an_outage_is_a_server_error(speak):
    """A target that fails is no fault of the caller."""
    with (
        speak(outage="unavailable") as client,
        pytest.raises(anthropic.InternalServerError),
    ):
        client.messages.create(model="north", max_tokens=8, messages=HELLO)


def test_a_stream_that_breaks_says_so(speak):
    """What came before the fault is given; then the client raises."""
    seen = []
    asked = {"model": "north", "max_tokens": 8, "messages": HELLO}
    with (
        speak(fault="cut", fault_after_tokens=2) as client,
        pytest.raises(anthropic.APIStatusError),
        client.messages.stream(**asked) as stream,
    ):
        seen.extend(stream.text_stream)
    assert seen
