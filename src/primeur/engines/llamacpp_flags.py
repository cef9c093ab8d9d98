"""A plan as flags of llama.cpp's own ``llama-server``, for builds that are not ours. Pure.

Source: llama.cpp, ``tools/server/README.md``.
"""

from primeur.engines.llamacpp_settings import LlamaPlan
from primeur.engines.program import PORT


def llama_server_argv(plan: LlamaPlan, server: str) -> tuple[str, ...]:
    """Give program and arguments."""
    flags: dict[str, object] = {
        "--model": plan.weights,
        "--alias": plan.model,
        "--host": "127.0.0.1",
        "--port": PORT,
        "--threads": plan.threads,
        "--threads-batch": plan.threads,
        "--ctx-size": plan.cache_tokens,
        "--parallel": plan.slots,
        "--batch-size": plan.batch_tokens,
        "--ubatch-size": plan.micro_batch_tokens,
        "--cache-type-k": plan.cache_type,
        "--cache-type-v": plan.cache_type,
        "--cache-ram": plan.prompt_cache_mib,
        "--flash-attn": plan.flash_attention,
        "--gpu-layers": plan.gpu_layers,
        "--seed": plan.seed,
        "--chat-template": plan.chat_template,
        "--pooling": plan.pooling,
    }
    argv = [server]
    for flag, value in flags.items():
        if value is not None:
            argv += [flag, str(value)]
    for lora in plan.lora:
        argv += ["--lora-scaled", f"{lora.path}:{lora.scale}"]
    argv += ["--embeddings"] if plan.embeddings else ["--jinja"]
    return (*argv, "--metrics", "--no-slots", "--no-webui", "--no-prefill-assistant", "--offline")
