"""Read the secrets that settings only point at: ``env:NAME`` or ``file:PATH``."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from primeur.core.errors import SetupError
from primeur.core.ports import Settings

_MOST_BYTES = 64 * 1024


def check_secrets(settings: Settings, secret: Iterable[str]) -> None:
    """Let settings pass only if every secret one points elsewhere.

    Raises:
        SetupError: a secret stands there in clear; names the setting, not the secret.
    """
    for name in sorted(secret):
        value = settings.get(name)
        if value is not None and not is_pointer(value):
            raise SetupError(f"{name} is a secret; write env:NAME or file:PATH instead of the value itself")


def is_pointer(value: object) -> bool:
    """Whether a setting says where its secret is, instead of the secret itself."""
    return isinstance(value, str) and value.startswith(("env:", "file:"))


def read_secrets(settings: Settings, secret: Iterable[str]) -> dict[str, Any]:
    """Give the settings with each secret in the place of what points at it.

    Raises:
        SetupError: as in `check_secrets`, or the variable or file is not there; says which.
    """
    check_secrets(settings, secret)
    found = dict(settings)
    for name in secret:
        if found.get(name) is not None:
            found[name] = _read(name, found[name])
    return found


def _read(name: str, pointer: str) -> str:
    kind, _, where = pointer.partition(":")
    if kind == "env":
        value = os.environ.get(where, "")
        if not value:
            raise SetupError(f"{name} points at the environment variable {where}, which is not set; set it and restart")
        return value
    try:
        with Path(where).open("rb") as file:
            return file.read(_MOST_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{name} points at the file {where}, which cannot be read: {error}") from None
