"""What a provider's declaration may say, and how each mistake is named."""

from pathlib import Path

import pytest

from primeur.core.chat import Ask, Route
from primeur.core.errors import SetupError, UnsupportedParameter
from primeur.core.ports import ProviderOrder
from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest, Message
from primeur.providers.azure_openai import PROVIDER as AZURE
from primeur.providers.azure_openai import AzureSettings, make_dialect
from primeur.providers.dialects import SERVERS, check_groq, check_open_server
from primeur.providers.openai_compatible import PROVIDER as OPENAI
from primeur.providers.openai_compatible import OpenAISettings
from primeur.providers.sim import SimProviderSettings
from primeur.providers.sim_behaviour import Behaviour

TYPES = {Route.CHAT: ChatRequest, Route.COMPLETIONS: CompletionRequest, Route.EMBEDDINGS: EmbeddingRequest}
URL = "https://api.example.org/v1/"


def face(provider=OPENAI, deployment=None, model="big", **settings):
    """Ask *provider* for its face."""
    return provider.face(ProviderOrder(settings, deployment or {}, model))


def test_an_endpoint_is_made_of_the_url_and_the_credentials():
    """Host, port, prefix and headers are what the URL, the key and the ids say."""
    made = face(base_url=URL, key="k-1\n", organisation="org-1", project="proj-1", headers={"X-Team": "blue"})
    assert (made.endpoint.scheme, made.endpoint.host, made.endpoint.port) == ("https", "api.example.org", 443)
    assert made.endpoint.prefix == "/v1"
    assert dict(made.endpoint.headers) == {
        b"authorization": b"Bearer k-1",
        b"openai-organization": b"org-1",
        b"openai-project": b"proj-1",
        b"x-team": b"blue",
    }


def test_a_deployment_overrules_its_provider():
    """Routes, context and features of one model may differ from the provider's."""
    made = face(
        base_url=URL,
        context_tokens=1000,
        routes=["chat", "completions"],
        deployment={"context_tokens": 500, "routes": ["embeddings"], "features": []},
    )
    assert (made.context_tokens, made.routes, made.features) == (500, {Route.EMBEDDINGS}, frozenset())


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, "base_url"),
        ({"base_url": "ftp://host"}, "base_url"),
        ({"base_url": "https://user:word@host/v1"}, "base_url"),
        ({"base_url": "https://host/v1?key=1"}, "base_url"),
        ({"base_url": URL, "key": "two words"}, "key"),
        ({"base_url": URL, "key": ""}, "key"),
        ({"base_url": URL, "server": "unheard-of"}, "server"),
        ({"base_url": URL, "max_connections": 0}, "max_connections"),
        ({"base_url": URL, "silence_timeout_s": "soon"}, "silence_timeout_s"),
        ({"base_url": URL, "headers": {"authorization": "Bearer x"}}, "headers.authorization"),
        ({"base_url": URL, "headers": {"host": "elsewhere"}}, "headers.host"),
        ({"base_url": URL, "headers": {"x-a": "b\r\nc: d"}}, "headers.x-a"),
        ({"base_url": URL, "features": ["flying"]}, "features[0]"),
    ],
)
def test_a_mistake_is_named(settings, names):
    """Each wrong setting is refused under its own name."""
    with pytest.raises(SetupError) as caught:
        face(**settings)
    assert caught.value.param == names


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_refuses_and_renames_only_what_exists(server):
    """Every name in the table of differences is a field of the route it stands for."""
    dialect = SERVERS[server]
    for route, names in dialect.refuses.items():
        assert set(names) <= set(TYPES[route].__struct_fields__)
    chat = set(ChatRequest.__struct_fields__)
    assert dialect.accepts <= chat
    assert set(dialect.renames) <= chat


def test_a_declaration_adds_to_its_servers_table():
    """What a server honours or ignores beyond our table can be declared."""
    dialect = face(base_url=URL, server="vllm", accepts=["suffix", "mirostat"], refuses=["seed"]).dialect
    assert {"mirostat", "top_k"} <= dialect.accepts
    assert "seed" in dialect.refuses[Route.CHAT]
    assert "suffix" not in dialect.refuses[Route.COMPLETIONS]


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"n": 2}, "n"), ({"messages": [Message(role="user", content="a", name="ann")]}, "messages[0].name")],
)
def test_groq_refuses_what_its_table_cannot_say(fields, param):
    """Several answers and named speakers depend on values, not on names."""
    asked = {"model": "m", "messages": [Message(role="user", content="a")]} | fields
    ask = Ask("req_1", Route.CHAT, b"{}", ChatRequest(**asked), 0, 0)
    with pytest.raises(UnsupportedParameter) as caught:
        check_groq(ask, None)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("fields", "param"), [({"store": True}, "store"), ({"modalities": ["text", "audio"]}, "modalities")]
)
def test_open_servers_refuse_what_they_would_leave_undone(fields, param):
    """An answer that is not kept, or not spoken, is not what was asked for; the harmless values pass."""
    messages = [Message(role="user", content="a")]
    harmless = ChatRequest(model="m", messages=messages, store=False, modalities=["text"])
    assert check_open_server(Ask("req_1", Route.CHAT, b"{}", harmless, 0, 0), None) is None
    asked = ChatRequest(model="m", messages=messages, **fields)
    with pytest.raises(UnsupportedParameter) as caught:
        check_open_server(Ask("req_1", Route.CHAT, b"{}", asked, 0, 0), None)
    assert caught.value.param == param


def test_an_azure_path_names_deployment_and_version():
    """Dated versions speak to /openai/deployments, v1 to /openai/v1."""
    dated = face(AZURE, endpoint="https://mine.openai.azure.com/openai", api_version="2024-10-21", key="k")
    assert dated.endpoint.prefix + dated.dialect.paths[Route.CHAT] == "/openai/deployments/{model}/chat/completions"
    assert (dated.dialect.query, dated.dialect.reads_model) == ("api-version=2024-10-21", False)
    undated = face(AZURE, endpoint="https://mine.openai.azure.com/openai/v1/", token="t")
    assert undated.endpoint.prefix + undated.dialect.paths[Route.CHAT] == "/openai/v1/chat/completions"
    assert dict(undated.endpoint.headers) == {b"authorization": b"Bearer t"}


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"api_version": "latest", "key": "k"}, "api_version"),
        ({}, "key"),
        ({"key": "k", "token": "t"}, "key"),
        ({"key": "k", "model": "../secrets"}, "upstream_model"),
    ],
)
def test_an_azure_mistake_is_named(settings, names):
    """Version, credentials and deployment name are checked."""
    with pytest.raises(SetupError) as caught:
        face(AZURE, endpoint="https://mine.openai.azure.com", **settings)
    assert caught.value.param == names


def test_an_azure_version_refuses_what_came_later():
    """Each dated version knows the parameters of its own specification."""
    old, middle, new = (make_dialect(date).refuses[Route.CHAT] for date in ("2024-06-01", "2024-10-21", "v1"))
    assert "max_completion_tokens" in old
    assert "max_completion_tokens" not in middle
    assert "reasoning_effort" in middle
    assert "reasoning_effort" not in new
    assert not make_dialect("2024-06-01").streams_usage
    assert "verbosity" not in make_dialect("v1", frozenset({"verbosity"})).refuses[Route.CHAT]


@pytest.mark.parametrize("kind", [OpenAISettings, AzureSettings, SimProviderSettings, Behaviour])
def test_every_setting_is_documented(kind):
    """Each setting has its line in docs/providers.md."""
    page = (Path(__file__).parents[2] / "docs" / "providers.md").read_text()
    assert [name for name in kind.__struct_fields__ if f"`{name}`" not in page] == []
