"""Ray Serve as an engine: replicas of another engine on the nodes of an existing Ray cluster, autoscaled there.

Needs the extra ``primeur[ray]`` here and on every node, of one version of Ray and Python, and weights that lie under
the same path everywhere (a shared folder). vLLM is run by Ray Serve LLM, whose nodes need nothing of ours.
"""

import hashlib
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import cast
from urllib.parse import urlsplit

import msgspec

from primeur.core.chat import Ask, Dialect, Target, Translation
from primeur.core.errors import SetupError
from primeur.core.ports import Engine, EngineOrder, Launch
from primeur.core.scaling import ONE, Scaling
from primeur.engines.llamacpp import ENGINE as LLAMACPP
from primeur.engines.ray_llm import plan_llm
from primeur.engines.ray_plan import OwnEngine, RayPlan, RaySettings, ServeLlm
from primeur.engines.settings import convert_settings
from primeur.engines.vllm import ENGINE as VLLM
from primeur.engines.vllm import features_of, routes_of


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
        if settings.engine == "vllm":
            work, wanted = plan_llm(order, settings)
            routes, features = routes_of(wanted), features_of(wanted)
            facts = Launch((), routes, context_tokens=wanted.context_tokens, features=features, dialect=VLLM.dialect)
            return _launch(order, settings, work, facts)
        inner = _inner(settings.engine).plan(_ordered(order, settings))
        own = OwnEngine(inner.argv, dict(inner.environment), inner.health_path)
        facts = Launch((), inner.routes, context_tokens=inner.context_tokens, features=inner.features)
        return _launch(order, settings, own, facts)


def _launch(order: EngineOrder, settings: RaySettings, work: OwnEngine | ServeLlm, facts: Launch) -> Launch:
    """Start the bridge for *work*, whose face is as *facts* say."""
    body = msgspec.json.encode([msgspec.to_builtins(settings), msgspec.to_builtins(work)])
    family = f"primeur-{order.revision_id}-"
    plan = RayPlan(family + hashlib.sha256(body).hexdigest()[:12], family, settings, work)
    return replace(
        facts,
        argv=(sys.executable, "-m", "primeur.engines.ray_bridge", msgspec.json.encode(plan).decode()),
        environment={"RAY_USAGE_STATS_ENABLED": "0"},
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
    if name not in {"llamacpp", "openvino", "echo"} or name not in found:
        raise SetupError(
            f"ray setting 'engine' is {name!r}; a replica runs llamacpp, openvino, vllm or echo", param="engine"
        )
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
