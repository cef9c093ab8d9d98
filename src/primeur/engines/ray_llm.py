"""Plans vLLM on a Ray cluster by Ray Serve LLM. Pure.

Needs ``ray[serve,llm]`` and vLLM on every node; the service itself needs ``primeur[ray]`` alone.
"""

from typing import Any

from primeur.core.errors import SetupError
from primeur.core.ports import EngineOrder
from primeur.engines.ray_plan import RaySettings, ServeLlm
from primeur.engines.settings import convert_settings
from primeur.engines.vllm import VllmSettings, environment_of
from primeur.engines.weights import folder_of

_MOST_REQUESTS = 1024


def plan_llm(order: EngineOrder, settings: RaySettings) -> tuple[ServeLlm, VllmSettings]:
    """Say what Ray Serve LLM shall run, and what the revision set about vLLM.

    Raises:
        SetupError: unknown setting (named), weights that are no folder, or GPUs that cannot be shared out.
    """
    wanted = convert_settings("vllm", settings.engine_settings, VllmSettings)
    if wanted.python is not None:
        words = "ray runs vLLM in the environment of its nodes; leave 'python' out of 'engine_settings'"
        raise SetupError(words, param="engine_settings")
    config = {
        "model_loading_config": {"model_id": order.model, "model_source": str(folder_of(order, "vllm"))},
        "engine_kwargs": _arguments(wanted),
        "accelerator_config": {"kind": "gpu" if settings.replica_gpus else "cpu"},
        "placement_group_config": {"bundles": _bundles(settings, wanted.tensor_parallel or 1)},
        "deployment_config": {
            "autoscaling_config": settings.autoscaling(),
            "max_ongoing_requests": _MOST_REQUESTS,
            "health_check_period_s": 2,
            "graceful_shutdown_timeout_s": settings.drain_s,
            "ray_actor_options": {"num_cpus": 0},  # The bundles hold all that a replica needs.
        },
        "runtime_env": {"env_vars": environment_of(wanted)},
        "log_engine_metrics": False,
    }
    return ServeLlm(config, doors=min(2, settings.max_replicas)), wanted


def _bundles(settings: RaySettings, parts: int) -> list[dict[str, float]]:
    """Share out what a replica needs over the processors that hold a part of its weights each."""
    if settings.replica_gpus % parts and settings.replica_gpus:
        words = f"{settings.replica_gpus:g} GPUs cannot be shared by {parts} parts of the weights; raise 'replica_gpus'"
        raise SetupError(words, param="replica_gpus")
    gpus = {"GPU": settings.replica_gpus / parts} if settings.replica_gpus else {}
    return [{"CPU": settings.replica_cpus / parts} | gpus for _ in range(parts)]


def _arguments(wanted: VllmSettings) -> dict[str, Any]:
    said = {
        "dtype": wanted.dtype,
        "max_model_len": wanted.context_tokens,
        "max_num_seqs": wanted.slots,
        "tensor_parallel_size": wanted.tensor_parallel,
        "gpu_memory_utilization": wanted.gpu_memory,
        "enforce_eager": wanted.eager or None,
        "tool_call_parser": wanted.tool_parser,
        "enable_auto_tool_choice": True if wanted.tool_parser else None,
        "runner": "pooling" if wanted.embeddings else None,
    }
    return {name: value for name, value in said.items() if value is not None}
