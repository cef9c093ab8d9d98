"""Azure's own way to the same house: the AzureOpenAI client, dated versions, and ``/openai/v1/``."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

HELLO: list[Any] = [{"role": "user", "content": "one two three four"}]
VERSION = "2024-10-21"


@pytest.fixture
def azure(service) -> Iterator[openai.AzureOpenAI]:
    made = openai.AzureOpenAI(azure_endpoint=service.url, api_key=service.key, api_version=VERSION, max_retries=0)
    with made:
        yield made


def test_a_deployment_is_asked_by_its_path(azure):
    """Chat, completions and embeddings, with the ``api-key`` header."""
    chat = azure.chat.completions.create(model="echo", messages=HELLO)
    assert chat.choices[0].message.content == "one two three four"
    assert azure.completions.create(model="echo", prompt="one two").choices[0].text == "one two"
    assert len(azure.embeddings.create(model="echo", input=["a", "b"]).data) == 2


def test_a_stream_comes_the_azure_way(azure):
    """In pieces, with usage when asked."""
    options = {"include_usage": True}
    chunks = list(azure.chat.completions.create(model="echo", messages=HELLO, stream=True, stream_options=options))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "one two three four"
    assert chunks[-1].usage.completion_tokens == 4


def test_the_async_client_works_as_well(service):
    """The same paths and headers."""

    async def ask() -> str | None:
        options = {"azure_endpoint": service.url, "api_key": service.key, "api_version": VERSION}
        async with openai.AsyncAzureOpenAI(**options) as client:
            answer = await client.chat.completions.create(model="echo", messages=HELLO)
            return answer.choices[0].message.content

    assert asyncio.run(ask()) == "one two three four"


def test_a_token_of_entra_goes_where_a_key_goes(service):
    """`Authorization: Bearer` is what the client sends then."""
    options: Any = {"azure_ad_token": service.key, "api_version": VERSION, "azure_deployment": "echo"}
    with openai.AzureOpenAI(azure_endpoint=service.url, **options) as client:
        assert client.chat.completions.create(model="echo", messages=HELLO).choices


def test_the_deployment_in_the_path_counts(service):
    """Whatever model the body names."""
    url = f"{service.url}/openai/deployments/echo/chat/completions?api-version={VERSION}"
    body = {"model": "nobody", "messages": HELLO}
    answer = httpx2.post(url, json=body, headers={"api-key": service.key})
    assert answer.status_code == 200
    assert answer.headers["apim-request-id"].startswith("req_")


@pytest.mark.parametrize("path", ["openai/v1", "openai/v1/"])
def test_the_new_surface_takes_openais_client(service, path):
    """No version needed."""
    with openai.OpenAI(base_url=f"{service.url}/{path}", api_key=service.key, max_retries=0) as client:
        assert client.chat.completions.create(model="echo", messages=HELLO).choices[0].finish_reason == "stop"
        assert "echo" in [model.id for model in client.models.list().data]
        assert client.embeddings.create(model="echo", input="a").data


def test_an_unknown_deployment_is_not_found(azure):
    """With Azure's own code."""
    with pytest.raises(openai.NotFoundError) as caught:
        azure.chat.completions.create(model="nobody", messages=HELLO)
    assert caught.value.code == "DeploymentNotFound"


def test_a_wrong_key_and_a_limit_have_azures_codes(service):
    """401 and 429 as texts, with the time to come back."""
    options: Any = {"azure_endpoint": service.url, "api_version": VERSION, "max_retries": 0}
    with openai.AzureOpenAI(api_key="wrong", **options) as client, pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model="echo", messages=HELLO)
    assert caught.value.code == "401"
    with openai.AzureOpenAI(api_key=service.make_key("azure-slow", rpm=1), **options) as client:
        client.chat.completions.create(model="echo", messages=HELLO)
        with pytest.raises(openai.RateLimitError) as limited:
            client.chat.completions.create(model="echo", messages=HELLO)
    assert limited.value.code == "429"
    assert int(limited.value.response.headers["retry-after-ms"]) > 0


def test_a_bad_request_names_its_fault(azure):
    """As OpenAI's face does."""
    with pytest.raises(openai.BadRequestError) as caught:
        azure.chat.completions.create(model="echo", messages=HELLO, temperature=3)
    assert caught.value.param == "temperature"


def test_a_path_without_a_version_is_refused(service):
    """Saying what is missing."""
    url = f"{service.url}/openai/deployments/echo/chat/completions"
    answer = httpx2.post(url, json={"messages": HELLO}, headers={"api-key": service.key})
    assert answer.status_code == 400
    assert "api-version" in answer.json()["error"]["message"]
