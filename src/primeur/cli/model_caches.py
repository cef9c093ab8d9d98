"""Weights that other programs have fetched: the local caches of Ollama and Hugging Face."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from primeur.core.errors import SetupError
from primeur.core.safetensors import CODE, KEPT, PICKLES

_MODEL_LAYER = "application/vnd.ollama.image.model"
_SHA256 = re.compile("[0-9a-f]{64}")
_MOST_MANIFEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Cached:
    """Weights in a cache.

    Attributes:
        name: what the model is called there, as a name that it can have here.
        path: a GGUF file, or a folder of safetensors.
        origin: where the cache had it from.
        files: of the folder; empty for a file.
        sha256: what the cache says that the file is; empty when it does not say.
    """

    name: str
    path: Path
    origin: str
    files: tuple[str, ...] = ()
    sha256: str = ""


class _Layer(msgspec.Struct):
    mediaType: str  # noqa: N815 (the manifest's own word)
    digest: str


class _Manifest(msgspec.Struct):
    layers: list[_Layer] = []


def find_ollama(folder: Path | None) -> list[Cached]:
    """Give what Ollama has fetched, by name and tag.

    Raises:
        SetupError: there is no such folder.

    Source: Ollama's layout of ``~/.ollama/models``: manifests that name blobs by digest, as OCI images do.
    """
    root = folder or Path(os.environ.get("OLLAMA_MODELS", Path.home() / ".ollama" / "models"))
    return sorted(_ollama(_existing(root / "manifests", root)), key=lambda one: one.name)


def find_huggingface(folder: Path | None) -> list[Cached]:
    """Give what Hugging Face's libraries have fetched: GGUF files, and snapshots with safetensors.

    Raises:
        SetupError: there is no such folder.

    Source: huggingface_hub, "Understand caching": ``models--ORG--NAME/snapshots/REVISION`` with links into ``blobs``.
    """
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    root = folder or Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    return sorted(_huggingface(_existing(root, root)), key=lambda one: one.name)


def _existing(folder: Path, root: Path) -> Path:
    if not folder.is_dir():
        raise SetupError(f"{root} is no such cache; name its folder")
    return folder


def _ollama(manifests: Path) -> Iterator[Cached]:
    for path in manifests.rglob("*"):
        if not path.is_file():
            continue
        try:
            with path.open("rb") as file:
                manifest = msgspec.json.decode(file.read(_MOST_MANIFEST_BYTES), type=_Manifest)
        except (OSError, msgspec.MsgspecError):
            continue
        digests = [layer.digest for layer in manifest.layers if layer.mediaType == _MODEL_LAYER]
        blob = manifests.parent / "blobs" / digests[0].replace(":", "-") if digests else None
        if blob is not None and blob.is_file():
            where = path.relative_to(manifests).as_posix()
            model, tag = path.parent.name, path.name
            yield Cached(f"{model}:{tag}", blob, f"ollama {where}", sha256=digests[0].removeprefix("sha256:"))


def _huggingface(root: Path) -> Iterator[Cached]:
    for repository in root.glob("models--*"):
        name = repository.name.removeprefix("models--").replace("--", "/", 1)
        snapshots = [path for path in (repository / "snapshots").glob("*") if path.is_dir()]
        if not snapshots:
            continue
        # The newest snapshot is what the library would load.
        snapshot = max(snapshots, key=lambda path: path.stat().st_mtime)
        origin = f"huggingface {name} {snapshot.name}"
        files = sorted(path for path in snapshot.iterdir() if path.is_file() and not path.name.startswith("."))
        for path in files:
            if path.suffix == ".gguf":
                # Large files are links to blobs that are named by their SHA-256; small ones have Git's shorter names.
                blob = path.resolve().name
                sha256 = blob if _SHA256.fullmatch(blob) else ""
                yield Cached(f"{name.rpartition('/')[2]}:{path.stem}", path, origin, sha256=sha256)
        if any(path.suffix == ".safetensors" for path in files):
            kept = tuple(path.name for path in files if path.suffix in KEPT - PICKLES - CODE)
            yield Cached(name.rpartition("/")[2], snapshot, origin, kept)
