"""Who may touch the store of weights: many who add at the same time, or one who clears away, never both."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from primeur.core.errors import Conflict, SetupError

_TRIES, _TRY_S = 200, 0.05


@asynccontextmanager
async def adding(data_dir: Path, tries: int = _TRIES) -> AsyncIterator[None]:
    """Keep weights and register them within; until they are registered nothing names them, and they stay nevertheless.

    Args:
        tries: 50 ms apart, before giving up.

    Raises:
        Conflict: weights are being cleared away.
        SetupError: the store cannot be written.
    """
    async with _locked(data_dir, fcntl.LOCK_SH, tries, "weights are being collected; add these again in a moment"):
        yield


@asynccontextmanager
async def clearing(data_dir: Path, tries: int = _TRIES) -> AsyncIterator[None]:
    """Look for weights that nothing names, and remove them, within.

    Args:
        tries: 50 ms apart, before giving up.

    Raises:
        Conflict: weights are being added.
        SetupError: the store cannot be written.
    """
    async with _locked(data_dir, fcntl.LOCK_EX, tries, "weights are being added; collect again when they are there"):
        yield


@asynccontextmanager
async def _locked(data_dir: Path, how: int, tries: int, busy: str) -> AsyncIterator[None]:
    # The lock is the file system's: it holds between processes, and ends with a process in whatever way.
    file = _open(data_dir / "store")
    try:
        for _ in range(tries):
            try:
                fcntl.flock(file, how | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_TRY_S)
        else:
            raise Conflict(busy, code="store_busy")
        yield
    finally:
        os.close(file)


def _open(store: Path) -> int:
    try:
        store.mkdir(parents=True, exist_ok=True)
        return os.open(store / "weights.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(f"weights cannot be kept: {error}; free space or change permissions") from None
