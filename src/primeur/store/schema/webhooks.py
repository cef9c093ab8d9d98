"""Webhook deliveries: what is to be sent, and how it went."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from primeur.store.schema.base import identity, made, metadata

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    identity(),
    Column("project_id", String(64)),
    Column("url", Text, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("status", Integer),
    Column("fault", Text),
    Column("ended_ms", BigInteger),
    made(),
    Index("ix_webhook_deliveries_state_next", "state", "next_ms"),
)
