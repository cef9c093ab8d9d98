"""Ray Serve as an engine: replicas of another engine on the nodes of an existing Ray cluster, autoscaled there.

Needs the extra ``primeur[ray]`` here and on every node, of one version of Ray and Python, and weights that lie under
the same path everywhere (a shared folder).
"""

import hashlib
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

import msgspec

from primeur.core.chat import Ask, Dialect, Target, Translation
from primeur.core.errors import SetupError
from primeur.core.ports import Engine, EngineOrder, Launch
from primeur.core.scaling import ONE, Scaling
from primeur.engines.llamacpp import ENGINE as LLAMACPP
from primeur.engines.settings import convert_settings

_Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class RaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a revision may set.

    Attributes:
        engine: what each replica runs.
        engine_settings: of that engine.
        address: of the cluster, as ``ray start`` printed it; ``auto`` is the one that runs on this machine.
        proxy: where the cluster's Serve proxy answers.
        min_replicas, max_replicas: Serve adds and takes away replicas between them; a minimum of 0 lets all go.
        requests_per_replica: under way at one replica on average, which Serve aims at.
        upscale_delay_s, downscale_delay_s: how long a need must last.
        drain_s: that a replica may take to finish its requests before it goes.
        replica_cpus, replica_gpus: what Ray sets aside for one replica.
    """

    engine: str = "llamacpp"
    engine_settings: dict[str, Any] = {}
    address: str = "auto"
    proxy: str = "http://127.0.0.1:8000"
    min_replicas: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    max_replicas: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    requests_per_replica: Annotated[float, msgspec.Meta(gt=0, le=10_000)] = 4
    upscale_delay_s: _Seconds = 5
    downscale_delay_s: _Seconds = 60
    drain_s: _Seconds = 300
    replica_cpus: Annotated[float, msgspec.Meta(ge=0, le=1024)] = 1
    replica_gpus: Annotated[float, msgspec.Meta(ge=0, le=1024)] = 0


class RayPlan(msgspec.Struct, frozen=True):
    """Everything the bridge needs to know, decided; travels as its one JSON argument.

    Attributes:
        application: its name in Serve, and with a slash its route; the digest in it names the plan.
        family: what the names of all applications of this revision begin with.
        argv, environment, health_path: how a replica starts its engine, and where that tells how it is.
    """

    application: str
    family: str
    settings: RaySettings
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    health_path: str


def translate(ask: Ask, target: Target) -> Translation | None:
    """Read an ask as for llama.cpp, whose flavour of the wire our own processes speak."""
    assert LLAMACPP.dialect.translate is not None  # noqa: S101
    return LLAMACPP.dialect.translate(ask, target)


class RayServe:
    """Plans bridges to Ray Serve applications; fits `primeur.core.ports.Engine`."""

    name = "ray"
    dialect: Dialect = LLAMACPP.dialect

    def plan(self, order: EngineOrder) -> Launch:
        """Check weights and settings, those of the inner engine too; starts nothing.

        Raises:
            SetupError: the extra is not installed, unknown setting (named), or what the inner engine refuses.
        """
        if find_spec("ray") is None:
            raise SetupError("the engine ray needs Ray; install it with: pip install 'primeur[ray]'")
        settings = _scaled(convert_settings("ray", order.settings, RaySettings), order.scaling)
        _check(settings)
        inner = _inner(settings.engine).plan(_ordered(order, settings))
        body = msgspec.json.encode([msgspec.to_builtins(settings), inner.argv, dict(inner.environment)])
        family = f"primeur-{order.revision_id}-"
        plan = RayPlan(
            application=family + hashlib.sha256(body).hexdigest()[:12],
            family=family,
            settings=settings,
            argv=inner.argv,
            environment=inner.environment,
            health_path=inner.health_path,
        )
        return Launch(
            argv=(sys.executable, "-m", "primeur.engines.ray_bridge", msgspec.json.encode(plan).decode()),
            routes=inner.routes,
            environment={"RAY_USAGE_STATS_ENABLED": "0"},
            context_tokens=inner.context_tokens,
            features=inner.features,
            replicates=True,
        )


def _scaled(settings: RaySettings, scaling: Scaling) -> RaySettings:
    """Hand the number of replicas to Serve, which keeps them by requests in flight."""
    if scaling == ONE:
        return settings
    if scaling.metric != "concurrency":
        words = f"Ray Serve scales by requests in flight, not by {scaling.metric}; set scaling.metric to concurrency"
        raise SetupError(words, param="scaling.metric")
    if scaling.windows:
        raise SetupError("Ray Serve knows no windows; leave scaling.windows out", param="scaling.windows")
    return msgspec.structs.replace(
        settings,
        min_replicas=scaling.min,
        max_replicas=scaling.max,
        requests_per_replica=scaling.target,
        upscale_delay_s=scaling.up_cooldown_s,
        downscale_delay_s=scaling.down_cooldown_s,
        drain_s=scaling.drain_s,
    )


def _check(settings: RaySettings) -> None:
    if settings.min_replicas > settings.max_replicas:
        raise SetupError("ray setting 'min_replicas' is above 'max_replicas'", param="min_replicas")
    parts = urlsplit(settings.proxy)
    if parts.scheme != "http" or not parts.hostname:
        raise SetupError(f"ray setting 'proxy' is {settings.proxy!r}; write it as http://HOST:PORT", param="proxy")


def _inner(name: str) -> Engine:
    found: dict[str, EntryPoint] = {entry.name: entry for entry in entry_points(group="primeur.engines")}
    # Engines whose dialect is not llama.cpp's would need a dialect that depends on a setting.
    if name not in {"llamacpp", "openvino", "echo"} or name not in found:
        raise SetupError(f"ray setting 'engine' is {name!r}; a replica runs llamacpp, openvino or echo", param="engine")
    return cast("Engine", found[name].load())


def _ordered(order: EngineOrder, settings: RaySettings) -> EngineOrder:
    cores = max(1, round(settings.replica_cpus))
    return EngineOrder(
        revision_id=order.revision_id,
        model=order.model,
        weights=order.weights,
        settings=settings.engine_settings,
        cores=cores + 1,  # Engines leave one core to others; Ray has set these aside for the replica alone.
        memory_bytes=order.memory_bytes,
        log_path=order.log_path,
    )


ENGINE = RayServe()
