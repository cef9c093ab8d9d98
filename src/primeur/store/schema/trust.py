"""What may pass through a deployment."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from primeur.store.schema.base import metadata

guards = Table(
    "guards",
    metadata,
    Column("deployment_id", ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    Column("policy", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)
