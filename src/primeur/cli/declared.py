"""Read a ``primeur.toml`` and the files that it names."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

from primeur.core.errors import SetupError
from primeur.core.safetensors import read_weights_folder
from primeur.walks.keep_folder import digest_folder


def read_declared(file: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """Give the document, with the digest of every file or folder of weights it names, and those by model.

    Raises:
        SetupError: the file or one that it names cannot be read, or it is not TOML.
    """
    document = read_toml(file)
    files: dict[str, Path] = {}
    models = document.get("models", {})
    for name, model in models.items() if isinstance(models, dict) else ():
        if isinstance(model, dict) and isinstance(model.get("file"), str):
            # Files are named from where the document lies.
            files[name] = file.parent / Path(model["file"]).expanduser()
            model.setdefault("sha256", _digest(files[name]))
    return document, files


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        SetupError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}; name another file") from None
    except ValueError as error:
        raise SetupError(f"{file} is not TOML: {error}") from None


def _digest(path: Path) -> str:
    try:
        if path.is_dir():
            return digest_folder(path, read_weights_folder(path).files).removeprefix("sha256:")
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}; change it in the primeur.toml") from None
