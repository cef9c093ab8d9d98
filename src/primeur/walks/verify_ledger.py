"""Prove a ledger: the house's own, or one in a file."""

from pathlib import Path
from typing import Any

import msgspec

from primeur.core.errors import SetupError
from primeur.ledger.audit import Proof, prove
from primeur.store.database import Store
from primeur.walks.house import House


async def verify_ledger(house: House) -> Proof:
    """Prove the ledger of this house."""
    return await house.store.read(prove)


def verify_file(path: Path) -> dict[str, Any]:
    """Prove the ledger in a SQLite file.

    Raises:
        SetupError: there is no such file, or it is no database of ours.
    """
    if not path.is_file():
        raise SetupError(f"there is no file {path}; `primeur ledger replay --into` makes one")
    store = Store(f"sqlite:///{path}")
    try:
        found: dict[str, Any] = msgspec.to_builtins(store.read_now(prove))
    finally:
        store.close()
    return found
