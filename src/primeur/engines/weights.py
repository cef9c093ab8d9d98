"""Which form of weights an engine takes, with the engine that runs another; what a folder says of its size."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from primeur.core.errors import SetupError
from primeur.core.gguf import GgufHead, read_gguf_file
from primeur.core.ports import EngineOrder

_MOST_CONFIG_BYTES = 4 << 20
_ELEMENT_BYTES: Mapping[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}


def gguf_of(order: EngineOrder, engine: str) -> tuple[Path, GgufHead]:
    """Give the GGUF file that *engine* shall run, and its head.

    Raises:
        SetupError: no weights, a folder, or a file that is missing, foreign, damaged or truncated.
    """
    if order.weights is None:
        raise SetupError(f"the engine {engine} needs weights for {order.model}; add a GGUF file as a version")
    if order.weights.is_dir():
        raise SetupError(
            f"the engine {engine} runs GGUF files, and {order.model} is a folder of safetensors;"
            " take the engine transformers or vllm",
            param="engine",
        )
    return order.weights, read_gguf_file(order.weights)


def folder_of(order: EngineOrder, engine: str) -> Path:
    """Give the safetensors folder that *engine* shall run.

    Raises:
        SetupError: no weights, or a file.
    """
    if order.weights is None:
        raise SetupError(f"the engine {engine} needs a safetensors folder for {order.model}; add one as a version")
    if not (order.weights / "config.json").is_file():
        raise SetupError(
            f"the engine {engine} runs safetensors folders, and {order.model} is none; take the engine llamacpp",
            param="engine",
        )
    return order.weights


def read_config(weights: Path, engine: str) -> Mapping[str, Any]:
    """Read ``config.json`` of a safetensors folder.

    Raises:
        SetupError: it cannot be read, or is no object.
    """
    path = weights / "config.json"
    try:
        with path.open("rb") as file:
            about = json.loads(file.read(_MOST_CONFIG_BYTES))
    except (OSError, ValueError) as error:
        words = f"{path} cannot be read ({error}); the engine {engine} needs a safetensors folder"
        raise SetupError(words) from None
    if not isinstance(about, dict):
        raise SetupError(f"{path} is no object; the engine {engine} needs a safetensors folder")
    return about


def folder_memory_bytes(weights: Path, config: Mapping[str, Any], dtype: str, cache_tokens: int) -> int:
    """Give the bytes of a folder's weights in memory as *dtype*, and of an attention cache for so many tokens.

    Args:
        dtype: ``auto`` is the folder's own.
    """
    on_disk = sum(file.stat().st_size for file in weights.glob("*.safetensors"))
    own = _ELEMENT_BYTES.get(str(config.get("dtype") or config.get("torch_dtype")), 4)
    element = own if dtype == "auto" else _ELEMENT_BYTES.get(dtype, own)
    return on_disk * element // own + cache_tokens * _cache_elements(config) * element


def _cache_elements(config: Mapping[str, Any]) -> int:
    """Numbers that attention keeps per token, keys and values of all layers; 0 when the configuration does not say."""
    layers, heads, width = (
        _whole(config, name) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")
    )
    size = _whole(config, "head_dim") or (width // heads if heads else 0)
    return 2 * layers * (_whole(config, "num_key_value_heads") or heads) * size


def _whole(config: Mapping[str, Any], name: str) -> int:
    value = config.get(name)
    return value if isinstance(value, int) and value > 0 else 0
