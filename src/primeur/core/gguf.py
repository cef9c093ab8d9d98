"""Read the head of a GGUF file: what the weights are, before anything is loaded. Bounded, and never trusts a length.

Source: ggml, ``docs/gguf.md`` (versions 2 and 3, little-endian).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from primeur.core.errors import SetupError
from primeur.core.ggml_types import FILE_TYPES, FIM_TOKENS, TENSOR_TYPES

MAGIC = b"GGUF"
MAX_ENTRIES = 65_536
MAX_TENSORS = 1_000_000
MAX_STRING_BYTES = 16 << 20
MAX_ITEMS = 16 << 20
MAX_DIMENSIONS = 4
KEPT_ITEMS = 256

_STRING, _ARRAY, _BOOL = 8, 9, 7
_SCALARS: Mapping[int, str] = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip


class _Damaged(Exception):
    """The bytes are not what the format says; the message is the reason."""


@dataclass(frozen=True, slots=True)
class GgufHead:
    """What a GGUF file says about itself.

    Attributes:
        kind: ``model``, or ``adapter`` for LoRA weights.
        metadata: every entry but long arrays, by its own key.
        parameters: number of weights, counted over the tensors.
        quantisation: such as ``Q8_0``; by the file's own word, else the type that most weights have.
        context_tokens: the longest context the model was trained for; None when it does not say.
        vocabulary: number of tokens; 0 in a file without a tokeniser.
        fim_tokens: texts of the fill-in-the-middle tokens: prefix, suffix, middle; None when there are none.
        size_bytes: size of the file.
    """

    version: int
    kind: str
    architecture: str
    name: str
    metadata: Mapping[str, Any]
    parameters: int
    quantisation: str
    context_tokens: int | None
    vocabulary: int
    chat_template: str | None
    fim_tokens: tuple[str, str, str] | None
    size_bytes: int

    def number(self, key: str, default: int = 0) -> int:
        """Give an integer of the architecture's own, such as ``block_count``; lists are summed."""
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        numbers = value if isinstance(value, list) else [value]
        return sum(n for n in numbers if isinstance(n, int))

    @property
    def pools(self) -> bool:
        """Whether the model makes one vector of a text (BERT and its kin) and no tokens."""
        return f"{self.architecture}.pooling_type" in self.metadata or self.architecture.endswith("bert")

    @property
    def slides(self) -> bool:
        """Whether some layers look back a fixed way only, so that their cache does not grow with the context."""
        return f"{self.architecture}.attention.sliding_window" in self.metadata

    @property
    def cache_elements_per_token(self) -> int:
        """Numbers that attention keeps per token of context, keys and values of all layers together."""
        heads, layers = self.number("attention.head_count"), self.number("block_count")
        per_layer = isinstance(self.metadata.get(f"{self.architecture}.attention.head_count_kv"), list)
        kv_heads = self.number("attention.head_count_kv", heads)
        head_size = self.number("embedding_length") // heads if heads else 0
        size = self.number("attention.key_length", head_size) + self.number("attention.value_length", head_size)
        return size * kv_heads * (1 if per_layer else layers)


def read_gguf_file(path: Path) -> GgufHead:
    """Read the head of the file at *path*.

    Raises:
        SetupError: missing, unreadable, not GGUF, damaged or truncated; says which file and what to do.
    """
    try:
        with path.open("rb") as file:
            return read_gguf(file, path.stat().st_size, str(path))
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror or error}; give the path of a GGUF file") from None


def read_gguf(file: BinaryIO, size_bytes: int, name: str) -> GgufHead:
    """Read the head from *file*, which stands at its beginning.

    Args:
        size_bytes: size of the whole file, against which every length is checked.
        name: for errors.

    Raises:
        SetupError: not GGUF, damaged or truncated.
    """
    try:
        return _Reader(file, size_bytes).head()
    except _Damaged as error:
        raise SetupError(f"{name} is not a usable GGUF file: {error}; fetch or export it again") from None


class _Reader:
    """Walks over the head once, from front to back."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size, self.at = file, size, 0
        self.metadata: dict[str, Any] = {}
        self.vocabulary = 0
        self.fim_texts: dict[str, str] = {}
        self.weights_by_type: dict[int, int] = {}

    def head(self) -> GgufHead:
        version, tensors, entries = self.opening()
        for _ in range(entries):
            self.entry()
        end = max((self.tensor() for _ in range(tensors)), default=0)
        self.check_end(end)
        return self.summary(version)

    def opening(self) -> tuple[int, int, int]:
        if self.take(4) != MAGIC:
            raise _Damaged("it does not begin with GGUF")
        version = self.whole("<I")
        if version not in {2, 3}:
            raise _Damaged(f"version {version} is not 2 or 3")
        tensors, entries = self.whole("<Q"), self.whole("<Q")
        if tensors > MAX_TENSORS or entries > MAX_ENTRIES:
            raise _Damaged(f"it claims {tensors} tensors and {entries} metadata entries")
        return version, tensors, entries

    def entry(self) -> None:
        key = self.text()
        value = self.value(self.whole("<I"), key)
        if value is not None:
            self.metadata[key] = value

    def value(self, kind: int, key: str) -> Any:
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self.array(key)
        form = _SCALARS.get(kind)
        if form is None:
            raise _Damaged(f"metadata {key!r} has the unknown type {kind}")
        found = self.number(form)
        return bool(found) if kind == _BOOL else found

    def array(self, key: str) -> list[Any] | None:
        kind, count = self.whole("<I"), self.whole("<Q")
        if count > MAX_ITEMS:
            raise _Damaged(f"metadata {key!r} claims {count} items")
        if key == "tokenizer.ggml.tokens":
            self.vocabulary = count
        if kind == _STRING:
            return self.texts(key, count)
        form = _SCALARS.get(kind)
        if form is None:
            raise _Damaged(f"metadata {key!r} is a list of the unsupported type {kind}")
        if count > KEPT_ITEMS:
            self.skip(count * struct.calcsize(form))
            return None
        return [self.number(form) for _ in range(count)]

    def texts(self, key: str, count: int) -> list[str] | None:
        kept: list[str] = []
        for _ in range(count):
            word = self.raw_text()
            role = FIM_TOKENS.get(word)
            if role is not None:
                self.fim_texts[role] = word.decode()
            if count <= KEPT_ITEMS:
                kept.append(word.decode("utf-8", "replace"))
        return kept if key and count <= KEPT_ITEMS else None

    def tensor(self) -> int:
        """Read one tensor's entry; give the offset where its data ends, in bytes after the head."""
        name, dimensions = self.text(), self.whole("<I")
        if dimensions > MAX_DIMENSIONS:
            raise _Damaged(f"tensor {name!r} claims {dimensions} dimensions")
        elements = 1
        for _ in range(dimensions):
            elements *= self.whole("<Q")
        kind, offset = self.whole("<I"), self.whole("<Q")
        self.weights_by_type[kind] = self.weights_by_type.get(kind, 0) + elements
        _, block, block_bytes = TENSOR_TYPES.get(kind, ("?", 1, 0))
        return offset + elements // block * block_bytes

    def check_end(self, end: int) -> None:
        alignment = self.metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
            raise _Damaged(f"alignment {alignment!r} is impossible")
        needed = -(-self.at // alignment) * alignment + end if end else self.at
        if needed > self.size:
            raise _Damaged(f"it is truncated: {self.size} of at least {needed} bytes are there")

    def summary(self, version: int) -> GgufHead:
        architecture = self.word("general.architecture")
        if not architecture:
            raise _Damaged("it does not name its architecture")
        context = self.metadata.get(f"{architecture}.context_length")
        return GgufHead(
            version=version,
            kind=self.word("general.type") or "model",
            architecture=architecture,
            name=self.word("general.name"),
            metadata=self.metadata,
            parameters=sum(self.weights_by_type.values()),
            quantisation=self.quantisation(),
            context_tokens=context if isinstance(context, int) and context > 0 else None,
            vocabulary=self.vocabulary,
            chat_template=self.word("tokenizer.chat_template") or None,
            fim_tokens=self.fills_in(),
            size_bytes=self.size,
        )

    def quantisation(self) -> str:
        named = FILE_TYPES.get(self.metadata.get("general.file_type", -1)) if self.weights_by_type else None
        if named:
            return named
        most = max(self.weights_by_type, key=lambda kind: self.weights_by_type[kind], default=-1)
        return TENSOR_TYPES.get(most, ("unknown", 1, 0))[0]

    def fills_in(self) -> tuple[str, str, str] | None:
        found = self.fim_texts
        if len(found) < len(("prefix", "suffix", "middle")):
            return None
        return found["prefix"], found["suffix"], found["middle"]

    def word(self, key: str) -> str:
        value = self.metadata.get(key, "")
        return value if isinstance(value, str) else ""

    def text(self) -> str:
        return self.raw_text().decode("utf-8", "replace")

    def raw_text(self) -> bytes:
        length = self.whole("<Q")
        if length > MAX_STRING_BYTES:
            raise _Damaged(f"a text claims {length} bytes")
        return self.take(length)

    def whole(self, form: str) -> int:
        return int(self.number(form))

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def take(self, count: int) -> bytes:
        found = self.file.read(count)
        if len(found) != count:
            raise _Damaged(f"it ends after {self.at + len(found)} bytes, inside its head")
        self.at += count
        return found

    def skip(self, count: int) -> None:
        if self.at + count > self.size:
            raise _Damaged(f"it ends after {self.size} bytes, inside its head")
        self.file.seek(count, 1)
        self.at += count
