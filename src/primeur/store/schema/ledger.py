"""Tables of the room ledger: they only grow, except for balances and pages, which follow from the rest."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from primeur.store.schema.base import identity, made, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("book", String(16), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("name", String(500), nullable=False),
    UniqueConstraint("book", "currency", "name"),
)

# The hash of each transaction covers the one before it (`primeur.ledger.rules.entries.chained`).
transactions = Table(
    "transactions",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("text", String(1000), nullable=False),
    Column("reverses", String(200), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# No foreign keys: who writes here has just written what they would point at, and looking costs more than the leg.
legs = Table(
    "legs",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("place", SmallInteger, primary_key=True, autoincrement=False),
    Column("account_id", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# On which pages of the chain (`primeur.ledger.rules.entries.PAGE` transactions each) an account stands, and what its
# legs there sum to. They follow from the legs, and cost a twentieth of what an index over all legs does.
account_pages = Table(
    "account_pages",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("page", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
    Index("ix_account_pages_page", "page"),
    sqlite_with_rowid=False,
)

# Tiers by which profit is shared out; the newest of a name holds.
waterfalls = Table(
    "waterfalls",
    metadata,
    identity(),
    Column("name", String(200), nullable=False, index=True),
    Column("document", Text, nullable=False),
    made(),
)

# What a period paid by them, and where the distribution stood then: its totals are what the next one begins with.
distributions = Table(
    "distributions",
    metadata,
    identity(),
    Column("name", String(200), nullable=False),
    Column("period", String(8), nullable=False),
    Column("waterfall_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("profit_nanos", BigInteger, nullable=False),
    Column("profit_cents", BigInteger, nullable=False),
    Column("distributed_cents", BigInteger, nullable=False),
    Column("total_cents", BigInteger, nullable=False),
    Column("mark_cents", BigInteger, nullable=False),
    Column("cumulative_cents", BigInteger, nullable=False),
    Column("paid", Text, nullable=False),
    Column("ended_ms", BigInteger),
    made(),
    UniqueConstraint("name", "period"),
)

balances = Table(
    "balances",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
)
