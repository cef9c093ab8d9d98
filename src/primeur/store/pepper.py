"""The secret that the digests of keys are made with: one file of the data folder."""

import os
import secrets
from pathlib import Path

from primeur.core.errors import SetupError


def read_pepper(data_dir: Path, given: Path | None = None) -> bytes:
    """The secret that key digests are made with; made at the first start, or taken from *given*.

    Raises:
        SetupError: the file is not 32 bytes, or not those that are given.
    """
    path = data_dir / "secret"
    wanted = None if given is None else _read_secret_file(given)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(wanted or secrets.token_bytes(32))
    except FileExistsError:
        pass
    pepper = _read_secret_file(path)
    if wanted not in {None, pepper}:
        raise SetupError(f"{path} is another secret than {given}; this folder belongs to another house")
    return pepper


def _read_secret_file(path: Path) -> bytes:
    try:
        pepper = path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read ({error.strerror}); it must hold the 32 bytes of the secret") from None
    if len(pepper) != 32:
        raise SetupError(f"{path} is damaged: it must hold 32 bytes; restore it, or every key must be made anew")
    return pepper
