"""How much memory was measured of each version, by what was started."""

from sqlalchemy import delete, insert, select, update

from primeur.registry.memory import Seen
from primeur.store.database import Tx
from primeur.store.schema import version_memory

# Settings that nobody uses any more are forgotten, the oldest first.
KEPT_MOST = 64


def keep_seen(tx: Tx, version_id: str, seen: Seen, now_ms: int) -> None:
    """Keep what was measured in place of what was measured of exactly this before."""
    c = version_memory.c
    same = (c.version_id == version_id) & (c.engine == seen.engine) & (c.launch == seen.launch)
    values = {name: getattr(seen, name) for name in Seen.__slots__} | {"measured_ms": now_ms}
    if tx.execute(update(version_memory).where(same).values(**values)).rowcount:
        return
    tx.execute(insert(version_memory).values(version_id=version_id, **values))
    newest = select(c.measured_ms).where(c.version_id == version_id).order_by(c.measured_ms.desc())
    oldest = tx.execute(newest.offset(KEPT_MOST - 1).limit(1)).scalar()
    if oldest is not None:
        tx.execute(delete(version_memory).where((c.version_id == version_id) & (c.measured_ms < oldest)))


def list_seen(tx: Tx) -> dict[str, list[Seen]]:
    """Give what was measured, by version id, newest first."""
    found: dict[str, list[Seen]] = {}
    for row in tx.execute(select(version_memory).order_by(version_memory.c.measured_ms.desc())):
        found.setdefault(row.version_id, []).append(Seen(**{name: getattr(row, name) for name in Seen.__slots__}))
    return found
