"""Give a version's weights back: a file as it is, a folder as a tar archive."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from primeur.core.errors import NotFound
from primeur.core.tar import file_pieces, tar_pieces
from primeur.registry import rows
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.keep_folder import KIND


async def export_model(house: House, name: str, number: int | None) -> tuple[str, AsyncIterator[bytes]]:
    """Give a file name and the bytes of a version's weights, the newest when *number* is None.

    Raises:
        NotFound: there is no such model, version, or its weights are not here.
    """

    def read(tx: Tx) -> rows.Version:
        return rows.find_version(tx, rows.find_model(tx, name), number)

    version = await house.store.read(read)
    path = None if version.path is None else house.place.data_dir / version.path
    if path is None or not path.exists():
        raise NotFound(f"the weights of {name!r} version {version.number} are not here")
    stem = f"{name.replace('/', '_').replace(':', '_')}-{version.number}"
    if version.format == KIND:
        return f"{stem}.tar", _walk(tar_pieces(path, sorted(file.name for file in path.iterdir())))
    return f"{stem}.gguf", _walk(file_pieces(path))


async def _walk(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
