"""Look after what lies in the store: verify it against its digests, and clear away what nothing names."""

import asyncio
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from primeur.core.caller import Caller
from primeur.core.errors import PrimeurError
from primeur.core.events import WeightsCollected
from primeur.core.safetensors import read_weights_folder
from primeur.registry import deployment_rows, rows
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.hold_store import clearing
from primeur.walks.house import House
from primeur.walks.keep_folder import KIND, digest_folder

_PIECE = 4 << 20
_SUFFIXES = (".gguf", f".{KIND}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a version's weights are what their digest says; *fault* is empty when they are."""

    version: rows.Version
    fault: str


@dataclass(frozen=True, slots=True)
class Collected:
    """Weights that nothing names any more.

    Attributes:
        path: below the data folder.
        size_bytes: what removing them frees.
    """

    path: str
    size_bytes: int


async def verify_model(house: House, name: str) -> list[Verdict]:
    """Read every version's weights again and compare.

    Raises:
        NotFound: there is no such model.
    """

    def read(tx: Tx) -> list[rows.Version]:
        return rows.list_versions(tx, rows.find_model(tx, name).id)

    versions = await house.store.read(read)
    return [Verdict(one, await asyncio.to_thread(_fault, house.place.data_dir, one)) for one in versions]


async def collect_weights(house: House, caller: Caller, *, dry_run: bool) -> list[Collected]:
    """Remove weights that no version names, and those of retired models that no revision names.

    What a revision names stays, whatever else is said: a roll-back may need it. So do weights that are being added.

    Raises:
        Conflict: weights are being added just now.
    """
    async with clearing(house.place.data_dir):
        return await _collect(house, caller, dry_run=dry_run)


async def _collect(house: House, caller: Caller, *, dry_run: bool) -> list[Collected]:
    named = await house.store.read(_named)
    found = await asyncio.to_thread(_unnamed, house.place.data_dir, named)
    if dry_run or not found:
        return found

    def work(tx: Tx) -> list[Collected]:
        # Somebody may have deployed while the disk was read.
        still = [one for one in found if one.path not in _named(tx)]
        for one in still:
            tell(tx, WeightsCollected(one.path, one.size_bytes), actor=actor_of(caller), at_ms=house.clock.now_ms())
            _remove(house.place.data_dir / one.path)
        return still

    return await house.store.transact(work)


def _named(tx: Tx) -> set[str]:
    """Paths that must stay."""
    retired = {model.id for model in rows.list_models(tx) if model.retired_ms is not None}
    running = {revision.version_id for revision in deployment_rows.list_revisions(tx)}
    versions = rows.list_versions(tx)
    return {one.path for one in versions if one.path and (one.model_id not in retired or one.id in running)}


def _unnamed(data_dir: Path, named: set[str]) -> list[Collected]:
    store = data_dir / "store" / "sha256"
    found = [path for path in sorted(store.glob("??/*")) if path.suffix in _SUFFIXES]
    paths = [(str(path.relative_to(data_dir)), path) for path in found]
    return [Collected(name, _size(path)) for name, path in paths if name not in named]


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _fault(data_dir: Path, version: rows.Version) -> str:
    if version.path is None:
        return ""
    path = data_dir / version.path
    try:
        seen = _digest_file(path) if path.is_file() else digest_folder(path, read_weights_folder(path).files)
    except OSError as error:
        return f"{version.path} cannot be read: {error.strerror}"
    except PrimeurError as error:
        return error.message
    return "" if seen == version.digest else f"{version.path} is {seen} now; add the weights again"


def _digest_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return f"sha256:{digest.hexdigest()}"
