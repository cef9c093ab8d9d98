"""The simulated provider's adapter: reaches a `primeur.providers.sim_server` the way Azure OpenAI is reached."""

from dataclasses import replace

from primeur.core.chat import Route
from primeur.core.ports import ProviderFace, ProviderOrder
from primeur.providers.azure_openai import check_deployment, make_dialect
from primeur.providers.declared import (
    Declared,
    Deployed,
    clean_secret,
    features_of,
    make_endpoint,
    read_settings,
    routes_of,
)
from primeur.providers.sim_wire import UNSUPPORTED

_WHOSE = "provider sim"
_WHY = "the simulator cannot do it; leave it out"


class SimProviderSettings(Declared, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a simulated provider: where its server listens, and the key it asks for."""

    endpoint: str = "http://127.0.0.1:8090"
    api_version: str = "2024-10-21"
    key: str | None = None


class Sim:
    """Adapter for the simulator."""

    name = "sim"
    secret_settings = frozenset({"key"})

    def face(self, order: ProviderOrder) -> ProviderFace:
        """Say how to reach the simulator; opens nothing.

        Raises:
            SetupError: unknown setting (named), URL that is not http(s).
        """
        settings = read_settings(order.settings, SimProviderSettings, _WHOSE)
        deployed = read_settings(order.deployment_settings, Deployed, f"deployment on {self.name}")
        check_deployment(order.upstream_model)
        url = settings.endpoint.rstrip("/") + ("/openai/v1" if settings.api_version == "v1" else "/openai")
        key = {} if settings.key is None else {"api-key": clean_secret(settings.key, _WHOSE, "key")}
        dialect = make_dialect(settings.api_version)
        refuses = {route: {**dialect.refuses[route], **dict.fromkeys(UNSUPPORTED, _WHY)} for route in Route}
        return ProviderFace(
            endpoint=make_endpoint(url, settings, key, _WHOSE, "endpoint"),
            dialect=replace(dialect, name="sim", refuses=refuses),
            routes=routes_of(settings, deployed, frozenset(Route)),
            upstream_model=order.upstream_model,
            context_tokens=deployed.context_tokens or settings.context_tokens,
            features=features_of(settings, deployed, frozenset({"tools"})),
        )


PROVIDER = Sim()
