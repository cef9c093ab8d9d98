"""The official OpenAI and Azure clients through the gateway to every kind of provider."""

import openai
import pytest

pytestmark = pytest.mark.e2e

FACES = ["sim", "openai_compatible", "azure dated", "azure v1"]
CHAT = {"model": "north", "max_tokens": 8, "messages": [{"role": "user", "content": "Which way is north?"}]}


@pytest.fixture
def client_of():
    """Makes an OpenAI client of what is served."""
    made = []

    def make(served) -> openai.OpenAI:
        made.append(openai.OpenAI(api_key=served.key, base_url=f"{served.url}/v1", max_retries=0))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.mark.parametrize("face", FACES)
def test_a_chat_passes_whole_and_streamed(over_sim, client_of, face):
    """Both ways say the same, tell their usage, and are metered once each with the target's figures."""
    with over_sim(face) as served:
        client = client_of(served)
        whole = client.chat.completions.create(**CHAT)
        options = {"include_usage": True}
        chunks = list(client.chat.completions.create(**CHAT, stream=True, stream_options=options))
        events = served.events()
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert whole.usage.completion_tokens == 8
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [8]
    assert [(event.outcome, event.usage.output_tokens) for event in events] == [("completed", 8)] * 2


def test_usage_is_counted_where_a_target_does_not_tell(over_sim, client_of):
    """The caller who asks for usage gets it, also from a target that must not be asked."""
    with over_sim("mistral") as served:
        options = {"include_usage": True}
        chunks = list(client_of(served).chat.completions.create(**CHAT, stream=True, stream_options=options))
        (event,) = served.events()
    assert event.usage.counted_by == "gateway"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == event.usage.output_tokens


@pytest.mark.parametrize("face", ["sim", "azure dated", "azure v1"])
def test_verdicts_pass_to_azures_client(over_sim, face):
    """What Azure's content filter says reaches the caller, whole and streamed."""
    with (
        over_sim(face) as served,
        openai.AzureOpenAI(
            api_key=served.key, azure_endpoint=served.url, api_version="2024-10-21", max_retries=0
        ) as client,
    ):
        whole = client.chat.completions.create(**CHAT).to_dict()
        chunks = [chunk.to_dict() for chunk in client.chat.completions.create(**CHAT, stream=True)]
    assert whole["prompt_filter_results"][0]["content_filter_results"]["jailbreak"]["detected"] is False
    assert whole["choices"][0]["content_filter_results"]["hate"]["severity"] == "safe"
    assert any("prompt_filter_results" in chunk for chunk in chunks)


@pytest.mark.parametrize("face", FACES)
def test_embeddings_pass(over_sim, client_of, face):
    """The client asks for base64 and reads vectors."""
    with over_sim(face) as served:
        answer = client_of(served).embeddings.create(model="north", input=["one", "two"])
    assert [len(item.embedding) for item in answer.data] == [64, 64]


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ({"outage": "unavailable"}, openai.InternalServerError),
        ({"outage": "reset"}, openai.InternalServerError),
        ({"fault": "bad_json"}, openai.InternalServerError),
        ({"fault": "cut"}, openai.InternalServerError),
        ({"fault": "wrong_length"}, openai.InternalServerError),
        ({"blocked_words": ("north",)}, openai.BadRequestError),
    ],
)
def test_a_failing_target_raises_the_right_class(over_sim, client_of, behaviour, error):
    """Whatever a target does, the caller gets an error that says whose fault it is, and nothing is metered as done."""
    with over_sim(**behaviour) as served:
        with pytest.raises(error) as caught:
            client_of(served).chat.completions.create(**CHAT)
        events = served.events()
    assert caught.value.body["message"]
    assert "completed" not in [event.outcome for event in events]


@pytest.mark.parametrize("fault", ["bad_json", "cut", "wrong_length", "giant_event"])
def test_a_breaking_stream_tells_so_in_the_stream(over_sim, client_of, fault):
    """After the first token the fault is told in the stream, and what was made is metered as failed."""
    with over_sim(fault=fault, fault_after_tokens=3) as served:
        with pytest.raises(openai.APIError):
            list(client_of(served).chat.completions.create(**CHAT, stream=True))
        events = served.events()
    assert [event.outcome for event in events] == ["failed"]


def test_a_busy_target_says_when_to_come_back(over_sim, client_of):
    """Back-pressure keeps its wait."""
    with over_sim(capacity_tokens_per_minute=60, burst_s=1) as served:
        client = client_of(served)
        client.chat.completions.create(**CHAT)
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(**CHAT)
    assert int(caught.value.response.headers["retry-after-ms"]) > 0


def test_a_refused_parameter_is_named(over_sim, client_of):
    """What the target cannot honour never reaches it."""
    with over_sim("mistral") as served, pytest.raises(openai.BadRequestError) as caught:
        client_of(served).chat.completions.create(**CHAT, logprobs=True)
    assert (caught.value.param, caught.value.code) == ("logprobs", "unsupported_parameter")
