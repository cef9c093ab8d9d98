"""Which providers may serve a deployment, and what providers supply: versioned sheets, effective from their dates."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select

from primeur.broker.supply import Sheet, Source
from primeur.core.errors import NotFound
from primeur.store.database import Tx
from primeur.store.schema import provider_sheets, sources

# Asked several times a second: making the statement would cost more than answering it.
_BETWEEN = (
    select(provider_sheets.c.version)
    .where(provider_sheets.c.from_ms > bindparam("after_ms"), provider_sheets.c.from_ms <= bindparam("until_ms"))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A version of a provider's sheet, in force from *from_ms* until a later one is."""

    provider: str
    version: int
    from_ms: int
    sheet: Sheet


def keep_source(tx: Tx, source: Source, source_id: str, now_ms: int) -> None:
    """Keep a source; replaces the one of this deployment and provider."""
    drop_source(tx, source.deployment, source.provider)
    body = json.dumps(msgspec.to_builtins(source, order="sorted"))
    values = {"id": source_id, "deployment": source.deployment, "provider": source.provider, "body": body}
    tx.execute(insert(sources).values(values | {"created_ms": now_ms}))


def drop_source(tx: Tx, deployment: str, provider: str) -> bool:
    """Forget a source; gives whether there was one."""
    c = sources.c
    gone = tx.execute(delete(sources).where(c.deployment == deployment, c.provider == provider)).rowcount
    return bool(gone)


def remove_source(tx: Tx, deployment: str, provider: str) -> None:
    """Forget a source.

    Raises:
        NotFound: there is none.
    """
    if not drop_source(tx, deployment, provider):
        raise NotFound(f"{provider!r} is no source of {deployment!r}; `primeur sources list` shows those there are")


def list_sources(tx: Tx) -> list[Source]:
    """Give every source, by deployment, oldest first."""
    query = select(sources.c.body).order_by(sources.c.deployment, sources.c.created_ms, sources.c.id)
    return [msgspec.json.decode(body, type=Source) for body in tx.execute(query).scalars()]


def add_sheet(tx: Tx, provider: str, sheet: Sheet, from_ms: int, now_ms: int) -> SheetRow:
    """Keep the next version of a provider's sheet."""
    c = provider_sheets.c
    last = tx.execute(select(func.coalesce(func.max(c.version), 0)).where(c.provider == provider)).scalar_one()
    row = SheetRow(provider, int(last) + 1, from_ms, sheet)
    body = json.dumps(msgspec.to_builtins(sheet, order="sorted"))
    values: dict[str, Any] = {"provider": provider, "version": row.version, "from_ms": from_ms, "body": body}
    tx.execute(insert(provider_sheets).values(values | {"created_ms": now_ms}))
    return row


def list_sheets(tx: Tx, provider: str | None = None) -> list[SheetRow]:
    """Give sheets, by provider, the newest version first."""
    query = select(provider_sheets).order_by(provider_sheets.c.provider, provider_sheets.c.version.desc())
    if provider is not None:
        query = query.where(provider_sheets.c.provider == provider)
    return [
        SheetRow(row.provider, row.version, row.from_ms, msgspec.json.decode(row.body, type=Sheet))
        for row in tx.execute(query)
    ]


def sheet_between(tx: Tx, after_ms: int, until_ms: int) -> bool:
    """Say whether a sheet takes effect after one moment and at the latest at another."""
    return tx.execute(_BETWEEN, {"after_ms": after_ms, "until_ms": until_ms}).first() is not None


def sheets_in_force(tx: Tx, now_ms: int) -> dict[str, Sheet]:
    """Give each provider's sheet at a moment: the newest version that is effective."""
    found: dict[str, Sheet] = {}
    for row in list_sheets(tx):
        if row.from_ms <= now_ms:
            found.setdefault(row.provider, row.sheet)
    return found
