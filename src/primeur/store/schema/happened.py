"""The one log of everything that happened."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from primeur.store.schema.base import Sequence, metadata

events = Table(
    "events",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("data", Text, nullable=False),
)
