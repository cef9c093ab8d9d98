"""transformers as an engine: continuous batching over any causal model in a safetensors folder, on CPU or CUDA.

Needs the extra ``primeur[transformers]``. The reference engine, and the GPU engine where vLLM is not to be had.
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
from primeur.engines import llamacpp_dialect
from primeur.engines.settings import convert_settings
from primeur.engines.token_checks import TOKEN_REFUSES, check
from primeur.engines.weights import folder_memory_bytes, folder_of, read_config

_DEFAULT_CONTEXT_TOKENS = 4096
_ONE_FOR_ALL = "continuous batching draws all answers alike; use another engine, or leave it out"
_ONE = dict.fromkeys(("seed", "frequency_penalty", "presence_penalty"), _ONE_FOR_ALL)


class TransformersSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a revision may set.

    Attributes:
        context_tokens: prompt and answer of one request together; by default the model's own, at most 4096.
        slots: requests worked on at the same time.
        batch_tokens: tokens worked on in one step, prompts and answers together.
        cache_tokens: attention cache of all requests together; by default a full context for four.
        dtype: of the weights in memory.
        device: ``auto`` takes a GPU where there is one.
        threads: processor threads on a CPU; all cores but one by default.
    """

    context_tokens: Annotated[int, msgspec.Meta(ge=64, le=1 << 24)] | None = None
    slots: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 16
    batch_tokens: Annotated[int, msgspec.Meta(ge=16, le=1 << 16)] = 256
    cache_tokens: Annotated[int, msgspec.Meta(ge=256, le=1 << 28)] | None = None
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None


class TransformersPlan(msgspec.Struct, frozen=True):
    """Everything the child process needs to know, decided; travels as its one JSON argument."""

    model: str
    weights: str
    context_tokens: int
    slots: int
    batch_tokens: int
    cache_tokens: int
    dtype: str
    device: str
    threads: int


def translate(ask: Ask, target: Target) -> Translation | None:
    """Check an ask, then read it as for llama.cpp, whose flavour of the wire the process speaks.

    Raises:
        UnsupportedParameter, BadRequest: something that the engine would ignore.
    """
    check(ask, "transformers")
    fields = ask.fields
    if isinstance(fields, ChatRequest):
        if fields.response_format is not None and fields.response_format.type != "text":
            raise _unsupported("response_format", "the engine keeps no forms")
        if fields.tools and fields.tool_choice != "none":
            raise _unsupported("tools", "the engine calls none")
    return llamacpp_dialect.translate(ask, target)


class Transformers:
    """Plans transformers servers; fits `primeur.core.ports.Engine`."""

    name = "transformers"
    dialect = Dialect(
        name="transformers",
        paths=OPENAI_PATHS,
        refuses={route: {**refused, **_ONE} for route, refused in TOKEN_REFUSES.items()},
        accepts=frozenset({"top_k", "ignore_eos", "chat_template_kwargs"}),
        reads_model=False,
        one_answer_each=True,
        translate=translate,
    )

    def plan(self, order: EngineOrder) -> Launch:
        """Check weights and settings and say how to start; starts nothing.

        Raises:
            SetupError: the extra is not installed, unknown setting (named), weights that are no folder.
        """
        weights = folder_of(order, self.name)
        if find_spec("torch") is None or find_spec("transformers") is None:
            words = "needs PyTorch and transformers; install them with: pip install 'primeur[transformers]'"
            raise SetupError(f"the engine transformers {words}")
        settings = convert_settings("transformers", order.settings, TransformersSettings)
        config = read_config(weights, self.name)
        trained = config.get("max_position_embeddings")
        trained = trained if isinstance(trained, int) and trained > 0 else None
        if settings.context_tokens and trained and settings.context_tokens > trained:
            words = f"is {settings.context_tokens} and the model was made for {trained}; set it to that or less"
            raise SetupError(f"transformers setting 'context_tokens' {words}", param="context_tokens")
        context = settings.context_tokens or min(trained or _DEFAULT_CONTEXT_TOKENS, _DEFAULT_CONTEXT_TOKENS)
        plan = TransformersPlan(
            model=order.model,
            weights=str(weights),
            context_tokens=context,
            slots=settings.slots,
            batch_tokens=settings.batch_tokens,
            cache_tokens=max(context, settings.cache_tokens or 4 * context),
            dtype=settings.dtype,
            device=settings.device,
            threads=settings.threads or max(1, order.cores - 1),
        )
        return Launch(
            argv=(sys.executable, "-m", "primeur.engines.transformers_server", msgspec.json.encode(plan).decode()),
            routes=frozenset({Route.CHAT, Route.COMPLETIONS}),
            environment={"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
            context_tokens=context,
            slots=settings.slots,
            memory_bytes=None
            if _on_gpu(plan.device)
            else folder_memory_bytes(weights, config, plan.dtype, plan.cache_tokens),
        )


def _on_gpu(device: str) -> bool:
    """Whether the weights will lie on a GPU: as said, or where the driver of one is there."""
    return device == "cuda" or (device == "auto" and Path("/dev/nvidiactl").exists())


def _unsupported(name: str, reason: str) -> UnsupportedParameter:
    return UnsupportedParameter(f"{name!r} is not supported by transformers: {reason}; use another engine", param=name)


ENGINE = Transformers()
