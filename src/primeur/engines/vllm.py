"""vLLM as an engine: its own OpenAI server in a process of its own, from this environment or another one.

Needs vLLM where ``python`` says (``primeur[vllm]`` for this environment). Weights are a safetensors folder.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from primeur.core.chat import OPENAI_PATHS, Ask, Dialect, Route, Target, Translation
from primeur.core.errors import SetupError, UnsupportedParameter
from primeur.core.ports import EngineOrder, Launch
from primeur.core.wire import ChatRequest
from primeur.engines.program import PORT, ProgramPlan
from primeur.engines.settings import check_program, convert_settings
from primeur.engines.weights import folder_memory_bytes, folder_of, read_config

_SERVICE = ("audio", "function_call", "functions", "moderation", "prediction", "verbosity", "web_search_options")
_UNUSED = "vLLM does not honour it; leave it out"


class VllmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a revision may set; None is vLLM's own default.

    Attributes:
        python: interpreter of the environment that has vLLM; the service's own by default.
        context_tokens: prompt and answer of one request together (``--max-model-len``).
        slots: requests worked on at the same time (``--max-num-seqs``).
        dtype: of the weights in memory.
        tensor_parallel: processors that one copy of the weights is spread over.
        gpu_memory: part of a GPU's memory that may be used, above 0 and at most 1.
        cpu_cache_gib: attention cache of builds for CPUs, GiB.
        eager: no compiled graphs: starts sooner, runs slower.
        tool_parser: how calls are told from text (``--tool-call-parser``); without it, tools are refused.
        embeddings: make vectors and no tokens.
    """

    python: str | None = None
    context_tokens: Annotated[int, msgspec.Meta(ge=64, le=1 << 24)] | None = None
    slots: Annotated[int, msgspec.Meta(ge=1, le=4096)] | None = None
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    tensor_parallel: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None
    gpu_memory: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    cpu_cache_gib: Annotated[int, msgspec.Meta(ge=1, le=4096)] | None = None
    eager: bool = False
    tool_parser: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]+$")] | None = None
    embeddings: bool = False


def translate(ask: Ask, target: Target) -> Translation | None:
    """Refuse what vLLM would leave undone in silence; its bytes always pass as they are.

    Raises:
        UnsupportedParameter: named, with what to do.
    """
    fields = ask.fields
    if not isinstance(fields, ChatRequest):
        return None
    if fields.store:
        raise UnsupportedParameter(
            "'store' is not supported by this engine: nothing is kept; leave it out", param="store"
        )
    if fields.modalities not in (None, ["text"]):
        raise UnsupportedParameter("'modalities' is not supported by this engine: it makes text", param="modalities")
    if fields.tools and fields.tool_choice != "none" and "tools" not in target.features:
        words = "its revision must set 'tool_parser'; or ask with 'tool_choice' none"
        raise UnsupportedParameter(f"'tools' is not supported by this deployment: {words}", param="tools")
    return None


def environment_of(settings: VllmSettings) -> dict[str, str]:
    """What vLLM reads from its environment: nobody is told about its use, and no hub is asked."""
    environment = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
    if settings.cpu_cache_gib is not None:
        environment["VLLM_CPU_KVCACHE_SPACE"] = str(settings.cpu_cache_gib)
    return environment


def routes_of(settings: VllmSettings) -> frozenset[Route]:
    """What it can be asked for."""
    return frozenset({Route.EMBEDDINGS} if settings.embeddings else {Route.CHAT, Route.COMPLETIONS})


def features_of(settings: VllmSettings) -> frozenset[str]:
    """What it can do beyond; see `primeur.core.chat.Target`."""
    return frozenset({"json_schema", "developer", *({"tools"} if settings.tool_parser else ())})


class Vllm:
    """Plans vLLM servers; fits `primeur.core.ports.Engine`."""

    name = "vllm"
    # https://docs.vllm.ai/en/stable/serving/openai_compatible_server/: samplers under "Extra parameters".
    dialect = Dialect(
        name="vllm",
        paths=OPENAI_PATHS,
        refuses={Route.CHAT: dict.fromkeys(_SERVICE, _UNUSED), Route.COMPLETIONS: {"suffix": _UNUSED}},
        accepts=frozenset({"top_k", "min_p", "repeat_penalty", "ignore_eos", "chat_template_kwargs"}),
        renames={"repeat_penalty": "repetition_penalty"},
        translate=translate,
        # Measured on vLLM 0.32, which has no code for it.
        too_long=("maximum context length is",),
    )

    def plan(self, order: EngineOrder) -> Launch:
        """Check weights and settings and say how to start; starts nothing.

        Raises:
            SetupError: vLLM is not to be found, unknown setting (named), weights that are no folder.
        """
        settings = convert_settings("vllm", order.settings, VllmSettings)
        python = _python(settings, order)
        weights = folder_of(order, self.name)
        program = ProgramPlan(
            argv=(python, *_arguments(settings, order)),
            key_variable="VLLM_API_KEY",
            busy_metrics="vllm:num_requests_",
            environment=environment_of(settings),
        )
        return Launch(
            argv=(sys.executable, "-m", "primeur.engines.program", msgspec.json.encode(program).decode()),
            routes=routes_of(settings),
            context_tokens=settings.context_tokens,
            features=features_of(settings),
            slots=settings.slots,
            memory_bytes=_memory_bytes(settings, weights),
        )


def _python(settings: VllmSettings, order: EngineOrder) -> str:
    if settings.python is None:
        if find_spec("vllm") is None:
            raise SetupError(
                "the engine vllm finds no vLLM here; install it, or set 'python' to the interpreter of its environment"
            )
        return sys.executable
    return check_program(order, "vllm", "python", settings.python)


def _memory_bytes(settings: VllmSettings, weights: Path) -> int | None:
    """Weights and cache of a build for CPUs; None: a GPU holds them, for they set no cache."""
    if settings.cpu_cache_gib is None:
        return None
    weights_bytes = folder_memory_bytes(weights, read_config(weights, "vllm"), settings.dtype, 0)
    return weights_bytes + (settings.cpu_cache_gib << 30)


def _arguments(settings: VllmSettings, order: EngineOrder) -> list[str]:
    flags: dict[str, object] = {
        "--model": order.weights,
        "--served-model-name": order.model,
        "--host": "127.0.0.1",
        "--port": PORT,
        "--dtype": settings.dtype,
        "--max-model-len": settings.context_tokens,
        "--max-num-seqs": settings.slots,
        "--tensor-parallel-size": settings.tensor_parallel,
        "--gpu-memory-utilization": settings.gpu_memory,
        "--tool-call-parser": settings.tool_parser,
        "--runner": "pooling" if settings.embeddings else None,
    }
    argv = ["-m", "vllm.entrypoints.openai.api_server"]
    for flag, value in flags.items():
        if value is not None:
            argv += [flag, str(value)]
    argv += ["--enforce-eager"] if settings.eager else []
    return argv + (["--enable-auto-tool-choice"] if settings.tool_parser else [])


ENGINE = Vllm()
