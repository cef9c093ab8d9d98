"""Writing GGUF files with the ``gguf`` package: tensors in F32, F16 or Q8_0, and the start of the metadata."""

import dataclasses
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

FORMATS = {
    "F32": gguf.GGMLQuantizationType.F32,
    "F16": gguf.GGMLQuantizationType.F16,
    "Q8_0": gguf.GGMLQuantizationType.Q8_0,
}
FILE_TYPES = {
    "F32": gguf.LlamaFileType.ALL_F32,
    "F16": gguf.LlamaFileType.MOSTLY_F16,
    "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
}


@dataclasses.dataclass(frozen=True)
class Naming:
    """What a file says of itself; *licence* by its SPDX name, *languages* by ISO 639 code."""

    name: str
    licence: str
    languages: tuple[str, ...]


def start_file(path: Path, architecture: str, naming: Naming) -> gguf.GGUFWriter:
    """Begin a file with what a reader of models wants to know first."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("model")
    writer.add_name(naming.name)
    writer.add_license(naming.licence.lower())
    writer.add_languages(list(naming.languages))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    return writer


def add_matrix(writer: gguf.GGUFWriter, name: str, values: NDArray[np.float32], form: str) -> None:
    """Add a tensor; vectors always stay in F32, as llama.cpp wants them."""
    kind = FORMATS[form] if values.ndim > 1 else FORMATS["F32"]
    wide = np.ascontiguousarray(values, dtype=np.float32)
    writer.add_tensor(name, gguf.quants.quantize(wide, kind), raw_dtype=kind)


def finish_file(writer: gguf.GGUFWriter) -> None:
    """Write everything and close."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
