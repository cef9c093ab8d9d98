"""Add a file of weights as a model's next version, and retire models."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import ModelRetired
from primeur.core.gguf import read_gguf_file
from primeur.registry import rows
from primeur.registry.licences import check_licence
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
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
        sha256: what the file must be, in hexadecimal; None: whatever it is.
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
        BadRequest: a name that cannot be used; other weights than *sha256* says; an adapter instead of a model.
    """
    check_name(ask.model, "model")
    licence = check_licence(ask.licence)
    # The head is read before gigabytes are copied.
    head = await asyncio.to_thread(read_gguf_file, source)
    if head.kind != "model":
        raise BadRequest(f"{source.name} holds an {head.kind}, not a whole model", param="file")
    digest, path = await asyncio.to_thread(
        keep_weights, source, house.place.data_dir, "gguf", link=ask.link, progress=progress
    )
    if ask.sha256 is not None and digest != f"sha256:{ask.sha256.lower()}":
        raise BadRequest(f"{source.name} is {digest}, not sha256:{ask.sha256}; fetch it again", param="sha256")
    found = Found(ask.model, head, digest, path, licence, ask.origin)
    now_ms, actor = house.clock.now_ms(), actor_of(caller)
    return await house.store.transact(
        lambda tx: register_version(tx, found, entropy=house.entropy, actor=actor, now_ms=now_ms)
    )


async def add_folder(house: House, caller: Caller, ask: NewVersion, archive: Path) -> rows.Version:
    """Keep the safetensors folder in the tar file *archive* under its digest and register it.

    Raises:
        SetupError: not a folder of safetensors, or it cannot be kept.
        BadRequest: a name that cannot be used; an archive that cannot be unpacked.
    """
    check_name(ask.model, "model")
    licence = check_licence(ask.licence)
    folder = archive.with_suffix(".unpacked")
    try:
        await asyncio.to_thread(unpack_folder, archive, folder)
        head, digest, path = await asyncio.to_thread(keep_folder, folder, house.place.data_dir)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = Found(ask.model, head, digest, path, licence, ask.origin)
    now_ms, actor = house.clock.now_ms(), actor_of(caller)
    return await house.store.transact(
        lambda tx: register_version(tx, found, entropy=house.entropy, actor=actor, now_ms=now_ms)
    )


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
