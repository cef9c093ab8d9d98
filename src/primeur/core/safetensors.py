"""Read what a folder of safetensors says about itself, before anything is loaded. Bounded, and never trusts a length.

Source: safetensors, "Format": eight bytes with the header's length, the header as JSON, then the tensors.
"""

import json
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from primeur.core.errors import SetupError

MAX_HEADER_BYTES = 100_000_000
MAX_CONFIG_BYTES = 64 << 20
MAX_FILES = 4096
MAX_DIMENSIONS = 8
_BITS: Mapping[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "F4": 4,
}  # fmt: skip
# Loading one of these runs what is written in it.
PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".h5", ".keras"})
CODE = frozenset({".py", ".pyc", ".so", ".sh", ".dll", ".exe"})
KEPT = frozenset({".safetensors", ".json", ".txt", ".model", ".jinja", ".md", ".tiktoken", ""})


@dataclass(frozen=True, slots=True)
class FolderHead:
    """What a folder of weights says about itself; the words are those of `primeur.core.gguf.GgufHead`.

    Attributes:
        files: names of the files that belong to the weights, sorted.
        quantisation: the type that most weights have, such as ``BF16``.
        context_tokens: the longest context the model was trained for; None when it does not say.
        size_bytes: of all files together.
    """

    files: tuple[str, ...]
    architecture: str
    parameters: int
    quantisation: str
    context_tokens: int | None
    size_bytes: int

    @property
    def pools(self) -> bool:
        """Whether the model makes one vector of a text (BERT and its kin) and no tokens."""
        return self.architecture.endswith("bert")


def read_weights_folder(folder: Path) -> FolderHead:
    """Check every file of *folder* and read the heads of its tensors.

    Raises:
        SetupError: a file that runs code when it is loaded, a damaged or truncated file, a missing one; named.
    """
    files = _files(folder)
    if not (folder / "config.json").exists():
        raise SetupError(f"{folder} has no config.json, which says what the weights are; give a whole model's folder")
    config = _config(folder)
    tensors = [path for path in files if path.suffix == ".safetensors"]
    if not tensors:
        raise SetupError(f"{folder} has no .safetensors file; convert the weights first")
    _check_index(folder, {path.name for path in tensors})
    counts: Counter[str] = Counter()
    for path in tensors:
        counts += read_safetensors_file(path)
    architectures = config.get("architectures")
    named = architectures[0] if isinstance(architectures, list) and architectures else ""
    context = config.get("max_position_embeddings")
    return FolderHead(
        files=tuple(path.name for path in files),
        architecture=str(config.get("model_type") or named or "unknown"),
        parameters=counts.total(),
        quantisation=counts.most_common(1)[0][0] if counts else "none",
        context_tokens=context if isinstance(context, int) and context > 0 else None,
        size_bytes=sum(path.stat().st_size for path in files),
    )


def read_safetensors_file(path: Path) -> Counter[str]:
    """Give the number of weights of each type in one file.

    Raises:
        SetupError: not a safetensors file, damaged or truncated; says how.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == len(b"\0" * 8) else size
            if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise _damaged(path, f"its header should have {length} bytes and the file has {size}")
            header = json.loads(file.read(length))
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _damaged(path, "its header is not JSON") from None
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not an object")
    entries = [(name, entry) for name, entry in header.items() if name != "__metadata__"]
    spans = sorted(_span(path, name, entry) for name, entry in entries)
    _check_spans(path, spans, size - 8 - length)
    return Counter({kind: sum(prod(e["shape"]) for _, e in entries if e["dtype"] == kind) for _, _, kind in spans})


def _span(path: Path, name: str, entry: Any) -> tuple[int, int, str]:
    """Where a tensor begins and ends, and its type."""
    try:
        kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        bits = _BITS[kind]
        numbers = [*shape, begin, end]
        whole = all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 1 << 62 for n in numbers)
    except (KeyError, TypeError, ValueError):
        raise _damaged(path, f"the tensor {name!r} has no known dtype, shape and data_offsets") from None
    if not whole or len(shape) > MAX_DIMENSIONS or (end - begin) * 8 != prod(shape) * bits:
        raise _damaged(path, f"the tensor {name!r} does not fill its place")
    return begin, end, kind


def _check_spans(path: Path, spans: list[tuple[int, int, str]], size: int) -> None:
    """Tensors must lie one after the other and fill the file, so that nothing can hide in it."""
    place = 0
    for begin, end, _ in spans:
        if begin != place:
            raise _damaged(path, f"its tensors leave a hole, or overlap, at byte {place}")
        place = end
    if place != size:
        raise _damaged(path, f"its tensors end at byte {place} and the file at {size}; fetch it again")


def _files(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise SetupError(f"{folder} cannot be read: {error.strerror}") from None
    if len(found) > MAX_FILES:
        raise SetupError(f"{folder} has {len(found)} files; weights have {MAX_FILES} at most")
    for path in found:
        if path.suffix in PICKLES:
            raise SetupError(f"{path} is a pickle or its like: loading it can run code; keep safetensors only")
        if path.suffix in CODE:
            raise SetupError(f"{path} is code, which no engine here runs; take it out of the folder")
        if not path.is_file() or path.suffix not in KEPT:
            raise SetupError(f"{path} does not belong to weights; take it out of the folder")
    return found


def _config(folder: Path) -> dict[str, Any]:
    return _object(folder / "config.json")


def _check_index(folder: Path, tensors: set[str]) -> None:
    path = folder / "model.safetensors.index.json"
    if not path.exists():
        return
    named = _object(path).get("weight_map")
    missing = sorted({str(name) for name in named.values()} - tensors) if isinstance(named, dict) else ["weight_map"]
    if missing:
        raise SetupError(f"{folder} lacks {missing[0]}, which {path.name} names; fetch it")


def _object(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(MAX_CONFIG_BYTES))
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise SetupError(f"{path} is not JSON; fetch it again") from None
    if not isinstance(found, dict):
        raise SetupError(f"{path} is not a JSON object; fetch it again")
    return found


def _damaged(path: Path, why: str) -> SetupError:
    return SetupError(f"{path} is not a whole safetensors file: {why}")
