"""The one log of everything that happened: append-only, each row chained to the one before (`primeur.core.chain`)."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from primeur.store.schema.base import Sequence, metadata

events = Table(
    "events",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("organisation_id", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("data", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_events_at", "at_ms"),
)
