"""The child process of the llamacpp engine: llama.cpp's own server on a loopback port, with a key.

Run as ``python -m primeur.engines.llamacpp_server PLAN`` by the engine host.
"""

import signal
import sys
import threading

import msgspec
import xllamacpp

from primeur.engines.child import Orders, fatal, read_orders, watch_owner
from primeur.engines.llamacpp_settings import LlamaPlan
from primeur.engines.program import wait_until_idle

HTTP_THREADS = 64
BUSY_METRICS = "llamacpp:requests_"
_POOLINGS = {"mean": "MEAN", "cls": "CLS", "last": "LAST"}


def parameters(plan: LlamaPlan, orders: Orders) -> xllamacpp.CommonParams:
    """Turn a plan into llama.cpp's own parameters."""
    given = xllamacpp.CommonParams()
    given.model.path = plan.weights
    given.model_alias = {plan.model}
    given.hostnames, given.port, given.api_keys = ["127.0.0.1"], orders.port, [orders.key]
    given.ui, given.endpoint_slots, given.endpoint_metrics = False, False, True
    given.cors_origins = ""
    given.n_threads_http = HTTP_THREADS
    given.offline, given.verbosity = True, 2
    # A last message of the assistant is history, as with OpenAI, and not the beginning of the answer.
    given.prefill_assistant = False
    _size(given, plan)
    _compute(given, plan)
    return given


def _size(given: xllamacpp.CommonParams, plan: LlamaPlan) -> None:
    given.n_ctx, given.n_parallel = plan.cache_tokens, plan.slots
    # Each slot has its own cache: in a shared one a long request could take the room of the others, and all would fail.
    given.kv_unified = False
    given.n_batch, given.n_ubatch = plan.batch_tokens, plan.micro_batch_tokens
    given.cache_ram_mib = plan.prompt_cache_mib
    # llama.cpp would otherwise shrink what was planned to its own guess of free memory.
    given.fit_params = False
    cache_type = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{plan.cache_type.upper()}")
    given.cache_type_k = given.cache_type_v = cache_type


def _compute(given: xllamacpp.CommonParams, plan: LlamaPlan) -> None:
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = plan.threads
    if plan.gpu_layers is not None:
        given.n_gpu_layers = plan.gpu_layers
    kind = {"auto": "AUTO", "on": "ENABLED", "off": "DISABLED"}[plan.flash_attention]
    given.flash_attn_type = getattr(xllamacpp.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{kind}")
    if plan.embeddings:
        given.embedding = True
    if plan.pooling:
        kind = _POOLINGS[plan.pooling]
        given.pooling_type = getattr(xllamacpp.llama_pooling_type, f"LLAMA_POOLING_TYPE_{kind}")
    if plan.chat_template:
        given.chat_template = plan.chat_template
    if plan.seed is not None:
        given.sampling.seed = plan.seed
    given.lora_adapters = [_adapter(lora.path, lora.scale) for lora in plan.lora]


def _adapter(path: str, scale: float) -> xllamacpp.CommonAdapterLoraInfo:
    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path, adapter.scale = path, scale
    return adapter


def main() -> None:
    """Serve until told to end."""
    orders, told = read_orders(), threading.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: told.set())
    watch_owner(orders)
    try:
        plan = msgspec.json.decode(sys.argv[1].encode(), type=LlamaPlan)
        server = xllamacpp.Server(parameters(plan, orders))
    except (IndexError, msgspec.DecodeError, RuntimeError, ValueError, TypeError) as error:
        fatal(f"llama.cpp did not start: {error}")
    told.wait()
    wait_until_idle(orders, BUSY_METRICS)
    del server


if __name__ == "__main__":
    main()
