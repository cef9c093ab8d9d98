"""Any server that speaks OpenAI's wire: OpenAI itself, vLLM, llama.cpp, Ollama, Mistral, Groq and the rest."""

from dataclasses import replace
from typing import Literal

from primeur.core.chat import Dialect, Route
from primeur.core.ports import ProviderFace, ProviderOrder
from primeur.providers.declared import (
    Declared,
    Deployed,
    clean_secret,
    features_of,
    make_endpoint,
    read_settings,
    routes_of,
)
from primeur.providers.dialects import SERVER_ROUTES, SERVERS

_WHOSE = "provider openai_compatible"
_FEATURES = frozenset({"tools", "vision"})


class OpenAISettings(Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of an OpenAI-compatible provider.

    Attributes:
        base_url: up to and including the version, such as ``https://api.openai.com/v1``.
        key: sent as a bearer token; None for servers that want none.
        server: whose differences apply; ``openai`` for every server that is not listed.
        accepts: parameters beyond OpenAI's that this server honours, in addition to its table.
        refuses: parameters that this server would ignore, in addition to its table.
    """

    base_url: str
    key: str | None = None
    organisation: str | None = None
    project: str | None = None
    server: Literal["openai", "vllm", "llamacpp", "ollama", "mistral", "groq"] = "openai"
    accepts: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()


class OpenAICompatible:
    """Adapter for OpenAI-compatible servers."""

    name = "openai_compatible"
    secret_settings = frozenset({"key"})

    def face(self, order: ProviderOrder) -> ProviderFace:
        """Say how to reach *order*'s model; opens nothing.

        Raises:
            SetupError: unknown or missing setting (named), URL that is not http(s).
        """
        settings = read_settings(order.settings, OpenAISettings, _WHOSE)
        deployed = read_settings(order.deployment_settings, Deployed, f"deployment on {self.name}")
        return ProviderFace(
            endpoint=make_endpoint(settings.base_url, settings, _credentials(settings), _WHOSE, "base_url"),
            dialect=_adjusted(SERVERS[settings.server], settings),
            routes=routes_of(settings, deployed, SERVER_ROUTES[settings.server]),
            upstream_model=order.upstream_model,
            context_tokens=deployed.context_tokens or settings.context_tokens,
            features=features_of(settings, deployed, _FEATURES),
        )


def _credentials(settings: OpenAISettings) -> dict[str, str]:
    headers = {}
    if settings.key is not None:
        headers["authorization"] = f"Bearer {clean_secret(settings.key, _WHOSE, 'key')}"
    if settings.organisation is not None:
        headers["openai-organization"] = clean_secret(settings.organisation, _WHOSE, "organisation")
    if settings.project is not None:
        headers["openai-project"] = clean_secret(settings.project, _WHOSE, "project")
    return headers


def _adjusted(dialect: Dialect, settings: OpenAISettings) -> Dialect:
    if not settings.accepts and not settings.refuses:
        return dialect
    declared = dict.fromkeys(settings.refuses, "this provider's declaration says that its server ignores it")
    refuses = {
        route: {name: why for name, why in dialect.refuses.get(route, {}).items() if name not in settings.accepts}
        | declared
        for route in Route
    }
    return replace(dialect, accepts=dialect.accepts | frozenset(settings.accepts), refuses=refuses)


PROVIDER = OpenAICompatible()
