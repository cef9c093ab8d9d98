"""A body that is a file: written to disk as it comes, under a name that nobody else has."""

import asyncio
from pathlib import Path
from typing import BinaryIO

from primeur.core.ids import make_id
from primeur.gateway.visit import Visit

_WRITE_BYTES = 4 << 20


def draft_path(visit: Visit, suffix: str) -> Path:
    """Give where this visit's file may be written."""
    name = make_id("file", visit.arrived_ms, visit.house.entropy)
    return visit.house.place.data_dir / "store" / "partial" / f"{name}.{suffix}"


async def receive(visit: Visit, target: Path) -> None:
    """Write the body into *target*."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        waiting = bytearray()
        async for piece in visit.stream:
            waiting += piece
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(_write, file, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(_write, file, bytes(waiting))


def _write(file: BinaryIO, piece: bytes) -> None:
    file.write(piece)
