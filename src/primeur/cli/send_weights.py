"""Sends weights to the service: a file as it is, a folder as a tar archive made on the way."""

import hashlib
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from primeur.cli.client import Api, one
from primeur.core.errors import PrimeurError, SetupError
from primeur.core.gguf import read_gguf_file
from primeur.core.safetensors import PICKLES, read_weights_folder
from primeur.core.tar import tar_pieces, tar_size

_PIECE = 1 << 20


def check_weights(path: Path) -> tuple[str, ...]:
    """Look at a GGUF file or a folder of safetensors before gigabytes are sent; gives the folder's files.

    Raises:
        SetupError: it is neither, or it is damaged; says what to give instead.
    """
    if path.is_dir():
        return read_weights_folder(path).files
    if path.suffix in PICKLES:
        raise SetupError(f"{path} is a pickle or its like: loading it can run code; convert it to GGUF or safetensors")
    if path.suffix == ".safetensors":
        raise SetupError(f"{path} is a part of a model; give the folder that holds it beside its config.json")
    read_gguf_file(path)
    return ()


def send_weights(api: Api, name: str, path: Path, names: Iterable[str], **said: str) -> Any:
    """Send a file, or the files *names* of a folder, with what is *said* of them; raises as `send_file`."""
    if names:
        return send_folder(api, name, path, names, **said)
    return send_file(api, name, path, **said)


def send_file(api: Api, name: str, file: Path, **said: str) -> Any:
    """Send a file and give its version; shows progress to a person.

    Args:
        said: ``licence``, ``origin`` and ``sha256``, where there is something to say.

    Raises:
        PrimeurError: what arrived is not what was sent.
    """
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE):
                digest.update(piece)
                yield piece

    version = _send(api, one("models", name) + "/file", pieces(), file.stat().st_size, file.name, said)
    if version["digest"] != f"sha256:{digest.hexdigest()}":
        raise PrimeurError(f"{file} arrived as {version['digest']}, which is not what was sent; send it again")
    return version


def send_folder(api: Api, name: str, folder: Path, names: Iterable[str], **said: str) -> Any:
    """Send the files *names* of a folder and give the version; shows progress to a person."""
    names = sorted(names)
    path, total = one("models", name) + "/folder", tar_size(folder, names)
    return _send(api, path, tar_pieces(folder, names), total, folder.name, said)


def _send(api: Api, path: str, source: Iterator[bytes], total: int, what: str, said: dict[str, str]) -> Any:
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True,
    )  # fmt: skip
    with progress:
        task = progress.add_task(what, total=total)

        async def pieces() -> AsyncIterator[bytes]:
            for piece in source:
                progress.advance(task, len(piece))
                yield piece

        return api.send(path, pieces(), total, **{key: value for key, value in said.items() if value})
