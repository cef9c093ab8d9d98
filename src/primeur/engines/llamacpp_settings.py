"""The settings of the llamacpp engine, checked, and what follows from them for a given file and machine. Pure."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from primeur.core.errors import SetupError
from primeur.core.gguf import GgufHead
from primeur.core.ports import EngineOrder

MIB = 1 << 20
CACHE_BYTES: Mapping[str, float] = {"f32": 4, "f16": 2, "bf16": 2, "q8_0": 34 / 32, "q5_1": 24 / 32, "q4_0": 18 / 32}
DEFAULT_CONTEXT_TOKENS = 4096
SMALL_CACHE_BYTES = 96 * MIB
MOST_SLOTS = 4
VECTOR_CONTEXT_TOKENS = 8192

Whole = Annotated[int, msgspec.Meta(ge=1, le=1 << 24)]


class Lora(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A LoRA adapter in GGUF form, and how strongly it acts unless a request says otherwise."""

    path: str
    scale: float = 1.0


class LlamaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a revision may set; None means: chosen from the machine and the weights.

    Attributes:
        threads: processor threads; all cores but one by default, for threads = cores collapses under other load.
        context_tokens: prompt and answer of one request together.
        slots: requests worked on at the same time.
        batch_tokens, micro_batch_tokens: prompt tokens worked on in one go.
        cache_type: how attention is cached: smaller is less memory and less exact.
        lora: adapters loaded beside the weights; a request may scale them by ``lora``.
        embeddings: make vectors and no tokens; by default what the weights are made for.
        pooling: how token vectors become one; by default the file's own word.
        gpu_layers: layers kept on a GPU, with a build that has one; all that fit by default.
        chat_template: Jinja text in place of the file's own.
        prompt_cache_mib: memory for the caches of earlier prompts.
        server: path of another build's ``llama-server`` (for a GPU, say) in place of the one that comes with Primeur.
    """

    threads: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None
    context_tokens: Annotated[int, msgspec.Meta(ge=64, le=1 << 24)] | None = None
    slots: Annotated[int, msgspec.Meta(ge=1, le=256)] | None = None
    batch_tokens: Whole | None = None
    micro_batch_tokens: Whole | None = None
    cache_type: Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q4_0"] = "f16"
    lora: list[Lora] = []
    embeddings: bool | None = None
    pooling: Literal["mean", "cls", "last"] | None = None
    gpu_layers: Annotated[int, msgspec.Meta(ge=0)] | None = None
    flash_attention: Literal["auto", "on", "off"] = "auto"
    chat_template: str | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] | None = None
    prompt_cache_mib: Annotated[int, msgspec.Meta(ge=0)] | None = None
    server: str | None = None


class LlamaPlan(msgspec.Struct, frozen=True):
    """Everything the child process needs to know, decided; travels as its one JSON argument."""

    model: str
    weights: str
    threads: int
    context_tokens: int
    slots: int
    cache_tokens: int
    batch_tokens: int
    micro_batch_tokens: int
    cache_type: str
    lora: list[Lora]
    embeddings: bool
    pooling: str | None
    gpu_layers: int | None
    flash_attention: str
    chat_template: str | None
    seed: int | None
    prompt_cache_mib: int


def plan_llama(settings: LlamaSettings, head: GgufHead, order: EngineOrder) -> LlamaPlan:
    """Decide what was left open.

    Raises:
        SetupError: the settings and the weights do not go together.
    """
    memory_bytes = order.memory_bytes
    check_fit(settings, head, order.model)
    embeddings = head.pools if settings.embeddings is None else settings.embeddings
    context = context_tokens(settings, head, memory_bytes, embeddings=embeddings)
    slots = settings.slots or (MOST_SLOTS if embeddings else slots_that_fit(settings, head, memory_bytes, context))
    if not embeddings:
        check_room(settings, head, memory_bytes, context * slots)
    # A text whose vector is wanted must fit into one step; tokens may come in several.
    batch = context if embeddings else min(context, settings.batch_tokens or 512)
    micro = context if embeddings else min(batch, settings.micro_batch_tokens or 256)
    return LlamaPlan(
        model=order.model,
        weights=str(order.weights),
        threads=settings.threads or max(1, order.cores - 1),
        context_tokens=context,
        slots=slots,
        cache_tokens=context * slots,
        batch_tokens=batch,
        micro_batch_tokens=micro,
        cache_type=settings.cache_type,
        lora=settings.lora,
        embeddings=embeddings,
        pooling=settings.pooling,
        gpu_layers=settings.gpu_layers,
        flash_attention=settings.flash_attention,
        chat_template=settings.chat_template,
        seed=settings.seed,
        prompt_cache_mib=prompt_cache_mib(settings, memory_bytes),
    )


def check_fit(settings: LlamaSettings, head: GgufHead, weights: str) -> None:
    """Refuse what cannot work together.

    Raises:
        SetupError: an adapter in place of a model, a context beyond the model's, pooling without embeddings.
    """
    if head.kind == "adapter":
        raise SetupError(f"{weights} is a LoRA adapter; name the model's own file and put this one under 'lora'")
    trained = head.context_tokens
    if settings.context_tokens and trained and settings.context_tokens > trained:
        raise SetupError(
            f"llamacpp setting 'context_tokens' is {settings.context_tokens} and {weights} was made for {trained};"
            " set it to that or less",
            param="context_tokens",
        )
    if settings.pooling and not (head.pools if settings.embeddings is None else settings.embeddings):
        raise SetupError("llamacpp setting 'pooling' needs 'embeddings' to be true", param="pooling")
    if head.pools and settings.embeddings is False:
        raise SetupError(f"{weights} makes vectors and no tokens; leave 'embeddings' out", param="embeddings")


def cache_bytes_per_token(settings: LlamaSettings, head: GgufHead) -> int:
    """Bytes of attention cache for one token."""
    return max(1, round(head.cache_elements_per_token * CACHE_BYTES[settings.cache_type]))


def context_tokens(settings: LlamaSettings, head: GgufHead, memory_bytes: int, *, embeddings: bool) -> int:
    """The context of one request: as set, else the model's own as far as memory allows, in steps of 256."""
    if settings.context_tokens:
        return settings.context_tokens
    wanted = head.context_tokens or DEFAULT_CONTEXT_TOKENS
    if embeddings:
        return min(wanted, VECTOR_CONTEXT_TOKENS)
    spare = max(0, memory_bytes // 2 - head.size_bytes)
    fits = max(DEFAULT_CONTEXT_TOKENS, spare // cache_bytes_per_token(settings, head) // 256 * 256)
    return min(wanted, fits)


def slots_that_fit(settings: LlamaSettings, head: GgufHead, memory_bytes: int, context: int) -> int:
    """How many requests may be worked on at once, each with a full context: one to four.

    llama.cpp fills its cache with zeros, so all of it counts as used memory from the start: it takes no more than suits
    the weights' size. It must hold a full context for every slot, for when it runs out all requests under way fail.
    """
    budget = min(max(SMALL_CACHE_BYTES, head.size_bytes), memory_bytes // 4)
    return max(1, min(MOST_SLOTS, budget // cache_bytes_per_token(settings, head) // context))


def check_room(settings: LlamaSettings, head: GgufHead, memory_bytes: int, cache_tokens: int) -> None:
    """Refuse a cache that the memory cannot hold beside the weights.

    Raises:
        SetupError: says how much is needed and what to lower.
    """
    needed = cache_tokens * cache_bytes_per_token(settings, head) + head.size_bytes
    if needed > memory_bytes:
        raise SetupError(
            f"the model and a cache of {cache_tokens} tokens take {needed // MIB} MiB of {memory_bytes // MIB};"
            " lower 'slots' or 'context_tokens', or set 'cache_type' to q8_0",
            param="slots",
        )


def computed_bytes(settings: LlamaSettings, plan: LlamaPlan, head: GgufHead, adapter_bytes: int) -> int | None:
    """Weights, adapters and attention cache of one process; None where a GPU may hold them.

    Models that pool keep no cache. What layers with a sliding window keep depends on the build, so only the weights of
    such models are sure.
    """
    if settings.server is not None and settings.gpu_layers != 0:
        return None
    cache = 0 if head.pools or head.slides else plan.cache_tokens * cache_bytes_per_token(settings, head)
    return head.size_bytes + adapter_bytes + cache


def prompt_cache_mib(settings: LlamaSettings, memory_bytes: int) -> int:
    """Memory for the caches of earlier prompts: as set, else a 64th of the machine's, at most 256 MiB."""
    if settings.prompt_cache_mib is not None:
        return settings.prompt_cache_mib
    return min(256, memory_bytes // 64 // MIB)
