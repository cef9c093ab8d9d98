"""Azure OpenAI: resources with dated API versions (``/openai/deployments/...``) or the undated ``v1``.

Content verdicts (``content_filter_results``, ``prompt_filter_results``) are part of its answers and pass through as
they come; ``retry-after-ms`` is read where every target's is.

Source: Azure OpenAI's published specifications 2024-10-21, 2025-03-01-preview and v1; for what 2024-09-01-preview
added, https://learn.microsoft.com/azure/ai-services/openai/api-version-deprecation.
"""

import re
from collections.abc import Mapping

import msgspec

from primeur.core.chat import OPENAI_PATHS, Dialect, Route
from primeur.core.errors import SetupError
from primeur.core.ports import ProviderFace, ProviderOrder
from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.providers.declared import (
    Declared,
    Deployed,
    clean_secret,
    features_of,
    make_endpoint,
    read_settings,
    routes_of,
)

_WHOSE = "provider azure_openai"
_DATED = re.compile(r"(20\d\d-[01]\d-[0-3]\d)(-preview)?")
_DEPLOYMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FEATURES = frozenset({"tools", "vision"})
_TYPES: Mapping[Route, type[msgspec.Struct]] = {
    Route.CHAT: ChatRequest,
    Route.COMPLETIONS: CompletionRequest,
    Route.EMBEDDINGS: EmbeddingRequest,
}

_BOTH = frozenset(
    {
        *("model", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "n", "presence_penalty", "seed"),
        *("stop", "stream", "stream_options", "temperature", "top_p", "user"),
    }
)
_CHAT_2024 = _BOTH | {
    *("messages", "function_call", "functions", "response_format", "tool_choice", "tools", "top_logprobs"),
    *("max_completion_tokens", "parallel_tool_calls"),
}
_CHAT_2025 = _CHAT_2024 | {"audio", "metadata", "modalities", "prediction", "reasoning_effort", "store"}
_ADDED_2024_09 = frozenset({"max_completion_tokens", "parallel_tool_calls"})
_COMPLETIONS = _BOTH | {"prompt", "best_of", "echo", "suffix"}
_EMBEDDINGS = frozenset({"model", "input", "dimensions", "encoding_format", "user"})


class AzureSettings(Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of an Azure OpenAI resource.

    Attributes:
        endpoint: the resource's address, such as ``https://mine.openai.azure.com``.
        api_version: a date such as ``2024-10-21``, or ``v1``.
        key: sent as ``api-key``.
        token: a Microsoft Entra token, sent as a bearer token; give either this or *key*.
        accepts: parameters that this API version honours although our table of it does not say so.
    """

    endpoint: str
    api_version: str = "v1"
    key: str | None = None
    token: str | None = None
    accepts: tuple[str, ...] = ()


class AzureOpenAI:
    """Adapter for Azure OpenAI resources."""

    name = "azure_openai"
    secret_settings = frozenset({"key", "token"})

    def face(self, order: ProviderOrder) -> ProviderFace:
        """Say how to reach *order*'s Azure deployment; opens nothing.

        Raises:
            SetupError: unknown or missing setting (named), bad URL, API version or deployment name.
        """
        settings = read_settings(order.settings, AzureSettings, _WHOSE)
        deployed = read_settings(order.deployment_settings, Deployed, f"deployment on {self.name}")
        check_deployment(order.upstream_model)
        url = _resource_url(settings.endpoint) + ("/openai/v1" if settings.api_version == "v1" else "/openai")
        return ProviderFace(
            endpoint=make_endpoint(url, settings, _credentials(settings), _WHOSE, "endpoint"),
            dialect=make_dialect(settings.api_version, frozenset(settings.accepts)),
            routes=routes_of(settings, deployed, _routes(settings.api_version)),
            upstream_model=order.upstream_model,
            context_tokens=deployed.context_tokens or settings.context_tokens,
            features=features_of(settings, deployed, _FEATURES),
        )


def _resource_url(endpoint: str) -> str:
    # The portal shows the address in several lengths; all of them mean the resource.
    return endpoint.rstrip("/").removesuffix("/v1").removesuffix("/openai")


def check_deployment(name: str) -> None:
    """Refuse names that no path can carry.

    Raises:
        SetupError: not a deployment name.
    """
    if not _DEPLOYMENT.fullmatch(name):
        message = f"{_WHOSE}: deployment name {name!r} must be 1 to 64 letters, digits, '.', '_' or '-'"
        raise SetupError(message, param="upstream_model")


def _credentials(settings: AzureSettings) -> dict[str, str]:
    if (settings.key is None) == (settings.token is None):
        raise SetupError(f"{_WHOSE}: give exactly one of key and token, each as env:NAME or file:PATH", param="key")
    if settings.key is not None:
        return {"api-key": clean_secret(settings.key, _WHOSE, "key")}
    return {"authorization": f"Bearer {clean_secret(settings.token or '', _WHOSE, 'token')}"}


def _routes(api_version: str) -> frozenset[Route]:
    # The v1 specification has no plain completions; a resource that has them says so with `routes`.
    return frozenset({Route.CHAT, Route.EMBEDDINGS}) if api_version == "v1" else frozenset(Route)


def make_dialect(api_version: str, accepts: frozenset[str] = frozenset()) -> Dialect:
    """Make the dialect of *api_version*.

    Raises:
        SetupError: neither a date nor ``v1``.
    """
    refuses = _refuses(api_version, _known(api_version), accepts)
    if api_version == "v1":
        return Dialect(name="azure_openai v1", paths=OPENAI_PATHS, refuses=refuses, accepts=accepts)
    return Dialect(
        name=f"azure_openai {api_version}",
        paths={route: f"/deployments/{{model}}{path}" for route, path in OPENAI_PATHS.items()},
        query=f"api-version={api_version}",
        refuses=refuses,
        accepts=accepts,
        # The path names the deployment, so the body's model is ignored.
        reads_model=False,
        streams_usage=api_version >= "2024-09-01",
    )


def _known(api_version: str) -> Mapping[Route, frozenset[str]]:
    chat = _CHAT_2025
    if api_version != "v1":
        match = _DATED.fullmatch(api_version)
        if match is None:
            message = f"{_WHOSE}: api_version {api_version!r} must be a date such as 2024-10-21, or v1"
            raise SetupError(message, param="api_version")
        chat = _dated_chat(match[1])
    return {Route.CHAT: chat, Route.COMPLETIONS: _COMPLETIONS, Route.EMBEDDINGS: _EMBEDDINGS}


def _dated_chat(date: str) -> frozenset[str]:
    if date >= "2025-03-01":
        return _CHAT_2025
    return _CHAT_2024 if date >= "2024-09-01" else _CHAT_2024 - _ADDED_2024_09


def _refuses(
    api_version: str, known: Mapping[Route, frozenset[str]], accepts: frozenset[str]
) -> dict[Route, dict[str, str]]:
    why = f"Azure OpenAI {api_version} does not know it; leave it out, or list it in the provider's accepts"
    return {
        route: dict.fromkeys(sorted(set(kind.__struct_fields__) - known[route] - accepts), why)
        for route, kind in _TYPES.items()
    }


PROVIDER = AzureOpenAI()
