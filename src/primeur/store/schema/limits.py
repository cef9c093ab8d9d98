"""Tables of what may be used: budgets, and the limits of what carries none in its own row."""

from sqlalchemy import BigInteger, Boolean, Column, String, Table, UniqueConstraint

from primeur.store.schema.base import identity, limited, made, metadata

# A scope is a key, project or organisation by its id, or a deployment by its name.
budgets = Table(
    "budgets",
    metadata,
    identity(),
    Column("scope", String(16), nullable=False),
    Column("scope_id", String(200), nullable=False),
    Column("period", String(8), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("limit_nanos", BigInteger, nullable=False),
    Column("soft_nanos", BigInteger),
    Column("allows_unpriced", Boolean, nullable=False),
    made(),
    UniqueConstraint("scope", "scope_id", "period"),
)

scope_limits = Table(
    "scope_limits",
    metadata,
    Column("scope", String(16), primary_key=True),
    Column("scope_id", String(200), primary_key=True),
    *limited(),
)
