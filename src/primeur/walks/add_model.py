"""Add a file of weights as a model's next version, and retire models."""

import asyncio
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, SetupError
from primeur.core.events import ModelRetired
from primeur.core.gguf import GgufHead, read_gguf
from primeur.core.ids import make_id
from primeur.core.safetensors import read_weights_folder
from primeur.core.tar import tar_pieces
from primeur.registry import rows
from primeur.registry.licences import check_licence
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.hold_store import adding
from primeur.walks.house import House
from primeur.walks.keep_folder import keep_folder, unpack_folder
from primeur.walks.keep_weights import Progress, keep_weights
from primeur.walks.register_version import Found, register_version


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What is told of weights beside the file.

    Attributes:
        licence: SPDX expression.
        origin: where the file came from.
        sha256: what the weights must be, in hexadecimal; None: whatever they are.
        link: hard-link the file instead of copying it, where the file system can; nobody may change it in place then.
    """

    model: str
    licence: str | None = None
    origin: str | None = None
    sha256: str | None = None
    link: bool = False


async def add_model(
    house: House, caller: Caller, ask: NewVersion, source: Path, progress: Progress | None = None
) -> rows.Version:
    """Keep the GGUF file *source* under its digest and register it; the same weights twice are one version.

    Args:
        progress: told the bytes done and the bytes in all.

    Raises:
        SetupError: not a usable GGUF file, or it cannot be kept.
        Conflict: weights are being collected; see `primeur.walks.hold_store`.
        BadRequest: a name that cannot be used; other weights than *sha256* says; an adapter instead of a model.
    """
    check_name(ask.model, "model")
    licence = check_licence(ask.licence)
    # The head is read before gigabytes are copied.
    head = await asyncio.to_thread(_read_head, source, f"the file for {ask.model!r}")
    if head.kind != "model":
        raise BadRequest(f"the file for {ask.model!r} holds an {head.kind}, not a whole model", param="file")
    async with adding(house.place.data_dir):
        digest, path = await asyncio.to_thread(
            keep_weights, source, house.place.data_dir, sha256=ask.sha256, link=ask.link, progress=progress
        )
        return await _register(house, caller, Found(ask.model, head, digest, path, licence, ask.origin))


async def add_weights(house: House, caller: Caller, ask: NewVersion, source: Path) -> rows.Version:
    """Keep what lies at *source* on this machine, a GGUF file or a folder of safetensors; raises as those two do."""
    if not source.is_dir():  # noqa: ASYNC240 (one look)
        return await add_model(house, caller, ask, source)
    names = (await asyncio.to_thread(read_weights_folder, source)).files
    archive = (
        house.place.data_dir / "store" / "partial" / f"{make_id('version', house.clock.now_ms(), house.entropy)}.tar"
    )
    try:
        await asyncio.to_thread(_pack, source, names, archive)
        return await add_folder(house, caller, ask, archive)
    finally:
        archive.unlink(missing_ok=True)


def _pack(folder: Path, names: Iterable[str], archive: Path) -> None:
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with archive.open("xb") as file:
            file.writelines(tar_pieces(folder, names))
    except OSError as error:
        raise SetupError(f"weights cannot be kept: {error}; free space or change permissions") from None


async def add_folder(house: House, caller: Caller, ask: NewVersion, archive: Path) -> rows.Version:
    """Keep the safetensors folder in the tar file *archive* under its digest and register it.

    Raises:
        SetupError: not a folder of safetensors, or it cannot be kept.
        Conflict: weights are being collected.
        BadRequest: a name that cannot be used; an archive that cannot be unpacked; other weights than *sha256* says.
    """
    check_name(ask.model, "model")
    licence = check_licence(ask.licence)
    folder = archive.with_suffix(".unpacked")
    try:
        await asyncio.to_thread(unpack_folder, archive, folder)
        async with adding(house.place.data_dir):
            head, digest, path = await asyncio.to_thread(keep_folder, folder, house.place.data_dir, ask.sha256)
            return await _register(house, caller, Found(ask.model, head, digest, path, licence, ask.origin))
    except SetupError as error:
        # Whoever sent the folder knows its files, and not where they were unpacked.
        told = error.message.replace(f"{folder}/", "").replace(str(folder), f"the folder for {ask.model!r}")
        raise SetupError(told) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _register(house: House, caller: Caller, found: Found) -> rows.Version:
    now_ms, actor = house.clock.now_ms(), actor_of(caller)
    return await house.store.transact(
        lambda tx: register_version(tx, found, entropy=house.entropy, actor=actor, now_ms=now_ms)
    )


def _read_head(source: Path, name: str) -> GgufHead:
    try:
        with source.open("rb") as file:
            return read_gguf(file, source.stat().st_size, name)
    except OSError as error:
        raise SetupError(f"{name} cannot be read: {error.strerror or error}; give the path of a GGUF file") from None


async def retire_model(house: House, caller: Caller, name: str) -> rows.Model:
    """Offer a model no longer for new deployments; what runs goes on.

    Raises:
        NotFound: there is none.
    """

    def work(tx: Tx) -> rows.Model:
        model, now_ms = rows.find_model(tx, name), house.clock.now_ms()
        rows.retire_model(tx, model, now_ms)
        tell(tx, ModelRetired(model.name), actor=actor_of(caller), at_ms=now_ms)
        return rows.find_model(tx, name)

    return await house.store.transact(work)
