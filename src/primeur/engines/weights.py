"""Which form of weights an engine takes; another form is told with the engine that runs it."""

from pathlib import Path

from primeur.core.errors import SetupError
from primeur.core.gguf import GgufHead, read_gguf_file
from primeur.core.ports import EngineOrder


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
